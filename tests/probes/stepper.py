"""The oracle of the probes: a boot of a kernel with a hook on every kernel instruction (no probe's word is taken)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from rewriter.elf import emit
from rewriter.elf.place import place
from rewriter.ir import Program
from rewriter.profile import Edge
from rewriter.x86.decode import sweep
from rewriter.x86.flow import Flow, flow
from toykernel import image
from toykernel.machine import Workload
from toykernel.machine.multiboot import parse
from toykernel.machine.pc import Pc

REP = (0xF2, 0xF3)
WITHIN = (Flow.NEXT, Flow.JUMP, Flow.BRANCH, Flow.JUMP_INDIRECT)


def workload(*commands: str) -> Workload:
    files = {f"bin/{name}": raw for name, raw in image.programs().items()}
    return Workload(commands, files)


class Boot:
    """A boot of a program image with a hook before some kernel instructions: override `instruction`."""

    def __init__(self, program: Program, work: Workload) -> None:
        self.addresses = place(program).addresses
        self.pc = Pc(parse(emit(program)), work)

    def watch(self, first: int, last: int) -> None:
        """Call `instruction` before each instruction in [first, last]."""
        self.pc.cpu.on_instruction(self._step, first, last)

    def run(self) -> None:
        self.pc.run(100_000_000, 10_000_000)

    def memory(self, address: int, size: int) -> bytes:
        """Kernel memory behind the higher half's fixed offset."""
        return self.pc.memory.read(address & 0x3FFFFFFF, size, None)

    def register(self, name: str) -> int:
        return self.pc.cpu.registers(name).read()[0]

    def _step(self, _: int, address: int, size: int) -> None:
        try:
            self.instruction(address, size)
        except BaseException as failure:
            self.pc.cpu.fail(failure)

    def instruction(self, address: int, size: int) -> None:
        raise NotImplementedError


def places_of(program: Program, raw: bytes) -> list[int]:
    """Where the instructions with exactly these bytes lie in the image."""
    addresses, found = place(program).addresses, []
    for function in program.functions:
        for block in function.blocks:
            at = addresses[block.label]
            for insn in block.insns:
                found += [at] if insn.raw == raw else []
                at += len(insn.raw)
    return found


class Stepper(Boot):
    """Counts blocks by label, and the edges that control passes without a call, an interrupt or a fault between."""

    def __init__(self, program: Program, work: Workload, labels: Collection[str]) -> None:
        super().__init__(program, work)
        self.leaders = {self.addresses[label]: label for label in labels}
        self.blocks: Counter[str] = Counter()
        self.edges: Counter[Edge] = Counter()
        self._leaves: dict[int, bool] = {}  # by address: whether control goes elsewhere than to a block of the function
        self._previous = ""  # the block under way, "" behind anything that is no edge
        self._last = -1
        text = next(s for s in place(program).sections if s.name == ".text")
        self.watch(text.address, text.address + text.size - 1)

    def instruction(self, address: int, size: int) -> None:
        """Before each kernel instruction; the iterations of `rep` are one."""
        if address == self._last and self.memory(address, 1)[0] in REP:
            return
        self._last = address
        label = self.leaders.get(address)
        if label is not None:
            self.blocks[label] += 1
            if self._previous:
                self.edges[self._previous, label] += 1
            self._previous = label
        leaves = self._leaves.get(address)
        if leaves is None:
            leaves = self._leaves[address] = self._kind(address) not in WITHIN
        if leaves:
            self._previous = ""

    def _kind(self, address: int) -> Flow:
        code = self.memory(address, 15)
        return flow(code[: next(sweep(code, address))[1]])
