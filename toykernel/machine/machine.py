"""The machine as others see it: boot a kernel with a workload, and tell everything that the boot showed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress

from .cycles import Cycles, Ideal
from .digest import UserMemory, file_digests
from .errors import MachineError
from .follow import Follow
from .forks import Ending, Forks, Moment, Shower
from .frames import frames
from .meter import Meter
from .multiboot import parse
from .pc import Pc
from .run import Run
from .steer import Registers, Steer, Turn
from .stepper import Stepper
from .stores import Stores
from .storm import Storm
from .workload import Work


class Machine:
    """A PC with 64 MiB under Unicorn.

    `budget`: instructions without a system call, and with nothing coming out, after which kernel or program hangs.
    `slice_size`: instructions between two looks whether it does, or whether the run is still wanted.
    `stack_size`: of the kernel's stacks, in bytes, a power of two; they are aligned to it.
    `storm`: if not 0, interrupt the kernel at every so many of its instructions (see `Storm`).
    `stores`: tell in `Run.stores` what was written to the disk, and when.
    `cut`: cut the power when so many stores have reached the disk (see `Stores`); then the run just ends.
    `steer`: asked before each system call which one to make (see `Steer`)."""

    def __init__(
        self,
        *,
        budget: int = 20_000_000,
        slice_size: int = 1_000_000,
        stack_size: int = 8192,
        storm: int = 0,
        stores: bool = False,
        cut: int | None = None,
        steer: Callable[[Turn], tuple[Registers, bool]] | None = None,
    ) -> None:
        self._budget, self._slice_size = budget, slice_size
        self._stack_size, self._storm = stack_size, storm
        self._stores, self._cut = stores, cut
        self._steer = steer

    def run(
        self,
        kernel: bytes,
        workload: Work,
        *,
        measure: bool = False,
        cycles: bool = True,
        check: bool = False,
        watch: Collection[int] = (),
        shadow: Collection[int] = (),
        patience: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Run:
        """Boot `kernel` and run the workload until the machine powers off.

        measure: count instructions, `rep` iterations and modelled cycles of every call.
        cycles: without, caches and branches are not modelled, and cycles mean little.
        check: digest all user pages at every return from a call.
        watch: addresses whose executions are counted, by hooks on them.
        shadow: function entries at which the return addresses of a shadow call stack are counted, innermost first, up
        to the saved user frame.
        patience: how many times the budget may pass before it is a hang: a kernel with probes does more for one call.
        cancelled: polled now and then; Cancelled is raised where it says True.

        Raises MachineError, with one line, where the image does not boot, or the kernel dies, hangs or fails."""
        image = parse(kernel)
        with closing(Pc(image, workload, cancelled)) as pc:
            if check:
                pc.user_memory = UserMemory(pc.memory)
            meter = Meter(pc, image.code, self._stack_size, Cycles() if cycles else Ideal()) if measure else None
            stepper = Stepper(pc, image, self._stack_size, watch, shadow) if watch or shadow else None
            pc.observers.extend(observer for observer in (meter, stepper) if observer is not None)
            if self._storm:
                Storm(pc, image.code, self._storm)
            if self._steer is not None:
                Steer(pc, self._steer)
            stores = Stores(pc, self._cut) if self._stores or self._cut is not None else None
            pc.run(self._budget * patience, self._slice_size)
            return self._collect(pc, workload, meter, stepper, stores)

    def what_if(
        self,
        kernel: bytes,
        workload: Work,
        ask: Callable[[Moment], Sequence[tuple[int, ...]]],
        hear: Callable[[Moment, Sequence[Ending]], None],
        *,
        watch: Sequence[tuple[int, int]] = (),
        storm: Callable[[int], Shower] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Boot `kernel` and run the workload; at each system call, find out how other calls would have ended there.

        `ask(moment)` answers with registers, `hear(moment, endings)` hears the endings (see `Forks`); `watch`: ranges
        [first, last] of addresses whose executed blocks an ending tells; `storm`: how the n-th trial of a moment is
        interrupted, which then tells a digest of user memory instead of all that it changed.  Raises MachineError, also
        where the host cannot fork, and Cancelled."""
        if not hasattr(os, "fork"):
            raise MachineError("copies of a machine need a system that can fork")
        image = parse(kernel)
        with closing(Pc(image, workload, cancelled)) as pc:
            Forks(pc, self._stack_size, watch, ask, hear, storm, image.code).run(self._budget, self._slice_size)

    def follow(
        self, kernel: bytes, workload: Work, call: int | None, *, cancelled: Callable[[], bool] | None = None
    ) -> tuple[int, Sequence[tuple[int, tuple[int, ...]]]]:
        """The `call`-th system call of a run, from 0, through ring 0; None: the last one that began, also where the
        kernel died in it.  Its number, and (address, registers: see `Follow`) of each instruction.  Raises MachineError
        where the image does not boot, and Cancelled."""
        image = parse(kernel)
        with closing(Pc(image, workload, cancelled)) as pc:
            found = Follow(pc, image.code, self._stack_size, call)
            with suppress(MachineError):
                pc.run(self._budget, self._slice_size)
        return found.number, found.points

    def _collect(
        self, pc: Pc, workload: Work, meter: Meter | None, stepper: Stepper | None, stores: Stores | None
    ) -> Run:
        disk = pc.disk if stores is None or stores.disk is None else stores.disk
        lines = [*workload.commands, *[""] * len(pc.devices.exits)]
        return Run(
            console=bytes(pc.devices.console.sent),
            exits=tuple(zip(lines, pc.devices.exits, strict=False)),
            calls=pc.trace.calls(),
            files=file_digests(disk),
            disk=disk,
            stores=tuple(stores.stores) if stores and self._stores else (),
            profile=frames(bytes(pc.devices.profile.sent)),
            executed=stepper.executed if stepper else {},
            stacks=dict(stepper.stacks) if stepper else {},
            instructions=meter.instructions if meter else 0,
            ticks=pc.ticks,
        )
