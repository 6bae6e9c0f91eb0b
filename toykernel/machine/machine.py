"""The machine as others see it: boot a kernel with a workload, and tell everything that the boot showed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection

from .digest import UserMemory
from .errors import MachineError
from .meter import Meter
from .multiboot import parse
from .pc import Pc
from .run import Run
from .stepper import Stepper
from .workload import Workload


class Machine:
    """A PC with 64 MiB under Unicorn.

    `budget`: instructions without a program calling or anything coming out, after which the kernel hangs.
    `slice_size`: instructions between two looks whether it does, or whether the run is still wanted.
    `stack_size`: of the kernel's stacks, in bytes, a power of two; they are aligned to it."""

    def __init__(self, *, budget: int = 100_000_000, slice_size: int = 10_000_000, stack_size: int = 8192) -> None:
        self._budget, self._slice_size = budget, slice_size
        self._stack_size = stack_size

    def run(
        self,
        kernel: bytes,
        workload: Workload,
        *,
        measure: bool = False,
        check: bool = False,
        watch: Collection[int] = (),
        shadow: Collection[int] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> Run:
        """Boot `kernel` and run the workload until the machine powers off.

        measure: count instructions, `rep` iterations and modelled cycles of every call.
        check: digest all user pages at every return from a call.
        watch: addresses whose executions are counted, by a hook on every kernel instruction.
        shadow: function entries at which the return addresses of a shadow call stack are counted, innermost first, up
        to the saved user frame.
        cancelled: polled now and then; Cancelled is raised where it says True.

        Raises MachineError, with one line, where the image does not boot, or the kernel dies, hangs or fails."""
        image = parse(kernel)
        pc = Pc(image, workload, cancelled)
        if check:
            pc.user_memory = UserMemory(pc.memory)
        meter = Meter(pc, image.code, self._stack_size) if measure else None
        stepper = Stepper(pc, image.code, self._stack_size, watch, shadow) if watch or shadow else None
        pc.observers.extend(observer for observer in (meter, stepper) if observer is not None)
        pc.run(self._budget, self._slice_size)
        return self._collect(pc, workload, meter, stepper)

    def _collect(self, pc: Pc, workload: Workload, meter: Meter | None, stepper: Stepper | None) -> Run:
        lines = [*workload.commands, *[""] * len(pc.devices.exits)]
        return Run(
            console=bytes(pc.devices.console.sent),
            exits=tuple(zip(lines, pc.devices.exits, strict=False)),
            calls=pc.trace.calls(),
            profile=_frames(bytes(pc.devices.profile.sent)),
            executed=stepper.executed if stepper else {},
            stacks=dict(stepper.stacks) if stepper else {},
            instructions=meter.instructions if meter else 0,
            ticks=pc.ticks,
        )


def _frames(sent: bytes) -> dict[int, bytes]:
    """The frames on the profile line (type, size, bytes), by type; the last of a type counts."""
    frames, at = {}, 0
    while at < len(sent):
        if at + 8 > len(sent):
            raise MachineError("the profile that the kernel sent breaks off")
        kind, size = struct.unpack_from("<II", sent, at)
        at += 8 + size
        if at > len(sent):
            raise MachineError("the profile that the kernel sent breaks off")
        frames[kind] = sent[at - size : at]
    return frames
