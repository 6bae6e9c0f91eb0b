"""What a function's instructions do to memory other than the stack (§4.2, the local phase).

Memory is told apart by how it is reached: `files` (data of that name), `the task` (at the bottom of the stack), `user
memory` (an access that may fault), `address 0xb8000`, `a pointer` (everything else).  What is done besides, to devices
and to the processor, is told in the words of `x86.effects`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.analysis.state import State
from rewriter.analysis.step import Step
from rewriter.analysis.value import CURRENT, signed
from rewriter.analysis.values import Values
from rewriter.ir import Insn, Program
from rewriter.x86.decode import DecodeError, Mem
from rewriter.x86.effects import ANYWHERE, effects
from rewriter.x86.flow import Flow, flow

_NOT_BESIDES = ("control flow", "repeated")  # which say nothing that loads and stores do not


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is read and what is written, and what is done `besides`."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    besides: frozenset[str] = frozenset()

    def join(self, other: Elsewhere) -> Elsewhere:
        return Elsewhere(self.reads | other.reads, self.writes | other.writes, self.besides | other.besides)


class Names:
    """The program's symbols by place: what lies at `target + offset` is called."""

    def __init__(self, program: Program) -> None:
        found: dict[str, dict[int, tuple[int, str]]] = {}
        for symbol in program.symbols:
            sized = found.setdefault(symbol.target, {})
            if symbol.kind == "object" or symbol.offset not in sized:
                sized[symbol.offset] = (symbol.size, symbol.name)
        self._sorted = {target: sorted(symbols.items()) for target, symbols in found.items()}

    def of(self, target: str, offset: int) -> str:
        """The object in which this lies; the name of its section where there is none."""
        symbols = self._sorted.get(target, [])
        at = bisect_right(symbols, offset, key=lambda symbol: symbol[0]) - 1
        if at < 0:
            return target
        start, (size, name) = symbols[at]
        return name if offset < start + max(size, 1) else target


def elsewhere(values: Values, names: Names) -> Elsewhere:
    """What the instructions of a function do, its callees left out."""
    found = Elsewhere()
    for block in values.blocks:
        for site, insn, state in values.walk(block.label):
            found = found.join(_one(values, names, block.label, site, insn, state))
    return found


def _one(values: Values, names: Names, label: str, site: int, insn: Insn, state: State) -> Elsewhere:
    try:
        step = values.transfer.at(label, site, insn, state)
    except DecodeError:
        return Elsewhere(besides=frozenset({"bytes that are not understood"}))
    effect = effects(insn)
    besides = {effect.fixed} - {None, *_NOT_BESIDES} if flow(insn.raw) is Flow.NEXT else set()
    return Elsewhere(
        frozenset(_places(step, names, effect.loads)),
        frozenset(_places(step, names, effect.stores)),
        frozenset(why for why in besides if why is not None),
    )


def _places(step: Step, names: Names, accesses: tuple[tuple[Mem, int | None], ...]) -> Iterator[str]:
    for mem, size in accesses:
        if (mem, size) == ANYWHERE:
            if flow(step.insn.raw) is Flow.NEXT:
                yield "any memory"
        elif step.touched(mem, size) is None:
            yield _name(step, mem, names)


def _name(step: Step, mem: Mem, names: Names) -> str:
    address = step.address(mem)
    if address.label is not None:
        return names.of(address.label, signed(address.offset))
    if step.insn.faults_to is not None:
        return "user memory"
    if address.base == CURRENT:
        return "the task"
    return f"address {address.constant:#x}" if address.constant is not None else _indexed(step, mem, names)


def _indexed(step: Step, mem: Mem, names: Names) -> str:
    """`table[i]`: the displacement names the object."""
    for ref in step.insn.refs:
        if ref.offset == step.decoded.disp_offset:
            return names.of(ref.target, ref.addend)
    return "a pointer"
