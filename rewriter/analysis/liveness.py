"""Which registers, flags and stack bytes still matter (§4.2), in one mask.

The low bits are those of `x86.effects`; above them stands one bit for each byte of the function's own frame, which
lies below its entry esp.  What lies at or above it belongs to the caller (for a system call: the saved user
registers), and always matters; what lies below esp never does, for an interrupt may write there (§5.5).
An instruction whose results do not matter does not make its operands matter (liveness is *strong*): so a register
that is only saved and restored is not read.  But as long as it stands there it is executed: what its addresses are
made of matters, or it would touch memory that is not there, or not ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.analysis.graph import EXCEPTIONAL, Edge
from rewriter.analysis.state import EVERYTHING, Range, State
from rewriter.analysis.step import Step
from rewriter.analysis.summary import ALL_REGISTERS, Summary, depth_reach
from rewriter.analysis.values import Values
from rewriter.analysis.worklist import solve
from rewriter.ir import Block, Insn
from rewriter.x86.decode import DecodeError, Mem
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow

STACK_SHIFT = 64  # bits below are registers and flags
LOWEST = -8192  # no frame reaches deeper; what does is nobody's own
ESP = register_mask("esp")
_LOW = (1 << STACK_SHIFT) - 1
_DELETABLE_WITH_ESP = ("push", "pop")  # they become `lea esp, [esp ± 4]`


@dataclass(frozen=True, slots=True)
class Touch:
    """What one instruction needs (`reads`), overwrites for certain (`kills`), and may change (`results`).

    `keep`: it does something besides, and is needed whatever its results are worth.  `elsewhere`: it reads or writes
    memory that is not in this mask.  `addresses`: the registers with which it finds memory."""

    reads: int
    kills: int
    results: int
    keep: bool
    elsewhere: bool = True
    callee: Summary | None = None
    addresses: int = 0

    def before(self, after: int, *, stays: bool = True) -> int:
        """What matters before the instruction, given what matters after it; `stays`: even if its results do not."""
        if not self.keep and not self.results & after:
            return after | self.addresses if stays else after
        if self.callee is not None:
            return after & ~_LOW | self.callee.before(after & _LOW) & ~ESP | self.reads
        return after & ~self.kills | self.reads


class Liveness:
    """What matters at each point of the blocks that `values` has reached.  `at_return`: registers and flags that
    somebody reads after the function's return; `stays`: instructions whose results do not matter are not removed."""

    def __init__(self, values: Values, at_return: int, *, stays: bool = True) -> None:
        self.values = values
        self.stays = stays
        self._touches: dict[str, list[Touch]] = {}
        self._esp: dict[str, list[int | None]] = {}
        self._ways: dict[str, list[tuple[Edge, State]]] = {}
        self._into: dict[str, list[Edge]] = {block.label: [] for block in values.blocks}
        for block in values.blocks:
            self._study(block)
        self.solve(at_return)

    def solve(self, at_return: int) -> None:
        """Ask again, with other things that are read after the return."""
        self.at_return = at_return & _LOW & ~ESP
        start = [(block.label, (self._exit(block), 0)) for block in reversed(self.values.blocks)]
        self._out = solve(start, self._flow, _join)

    def before(self, label: str) -> int:
        """What matters at the top of a block."""
        return self._masks(label, *self._out[label])[0]

    def after(self, label: str) -> list[int]:
        """What matters after each instruction of a block."""
        return self._masks(label, *self._out[label])[1:]

    def touches(self, label: str) -> list[Touch]:
        return self._touches[label]

    def _masks(self, label: str, out: int, fault: int) -> list[int]:
        """What matters before each instruction, and at the end."""
        masks = [out]
        touches, below = self._touches[label], self._esp[label]
        for position in reversed(range(len(touches))):
            masks[-1] = _above(below[position + 1], masks[-1])
            before = touches[position].before(masks[-1], stays=self.stays)
            masks.append(before | fault if position == len(touches) - 1 else before)
        masks[-1] = _above(below[0], masks[-1])
        return masks[::-1]

    def _flow(self, label: str, at_end: tuple[int, int]) -> Iterator[tuple[str, tuple[int, int]]]:
        live = self._masks(label, *at_end)[0]
        for edge in self._into[label]:
            yield edge.source, (0, live) if edge.way in EXCEPTIONAL else (live, 0)

    def _study(self, block: Block) -> None:
        """Everything about a block that does not depend on what comes after it."""
        trail = self.values.trail(block.label)
        if "touches" not in trail.notes:
            touches = [self._touch(block.label, *step) for step in self.values.walk(block.label)]
            trail.notes["touches"] = touches, [state.esp for state in trail.states]
        self._touches[block.label], self._esp[block.label] = trail.notes["touches"]
        self._ways[block.label] = self.values.ways(block.label)
        for edge, _ in self._ways[block.label]:
            if edge.target in self._into and edge not in self._into[edge.target]:
                self._into[edge.target].append(edge)

    def _exit(self, block: Block) -> int:
        """What matters to those to whom a block hands control outside of the function."""
        ways = self._ways[block.label]
        last = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
        everything = ALL_REGISTERS & ~ESP | FLAGS | FRAME
        if last is Flow.RETURN and self.values.before_last(block.label).esp == 0:
            return self.at_return
        if last in (Flow.RETURN, Flow.IRET) or (last is Flow.JUMP_INDIRECT and not ways):  # on whose stack, who knows
            return everything
        live = 0
        for edge, state in ways:
            if self.values.tail_call(edge, state):
                live |= self.values.transfer.callees.of(edge.target).before(self.at_return) & ~ESP
            elif edge.target not in self._into:
                live |= everything
        return live

    def _touch(self, label: str, site: int, insn: Insn, state: State) -> Touch:
        escaped = 0
        for touched in state.escaped:
            escaped |= stack_bits(touched)
        if flow(insn.raw) in CALLS:
            return self._call(label, self.values.transfer.callees.of_call(insn), insn, state, escaped)
        try:
            step = self.values.transfer.at(label, site, insn, state)
        except DecodeError:
            return Touch(ALL_REGISTERS & ~ESP | FLAGS | FRAME, 0, 0, True)
        found = effects(insn)
        reads, kills, results = found.reads & ~ESP, found.writes & ~ESP, found.may_write & ~ESP
        elsewhere, addresses = False, 0
        for mem, _ in (*found.loads, *found.stores):
            addresses |= _named(mem.base) | _named(mem.index)
        keep = bool(found.fixed) or insn.faults_to is not None or flow(insn.raw) is not Flow.NEXT
        for mem, size in found.loads:
            place = step.touched(mem, size)
            reads |= stack_bits(place) if place else 0
            elsewhere = elsewhere or place is None or not self._owns(place)
            keep = keep or (place is None and not _harmless(step, mem)) or place == EVERYTHING
        for mem, size in found.stores:
            place = step.touched(mem, size)
            if place is None or not self._owns(place):
                keep = elsewhere = True
            if place is not None and place != EVERYTHING and step.exact(mem, size):
                kills |= stack_bits(place)
            results |= escaped if place is None else stack_bits(place)  # what it may change, though it need not
        if found.may_write & ESP and step.decoded.mnemonic not in _DELETABLE_WITH_ESP:
            keep = True
        return Touch(reads | escaped, kills & ~escaped, results, keep, elsewhere, addresses=addresses)

    def _owns(self, place: Range) -> bool:
        """Whether these bytes lie in the function's own frame, where every byte has its bit."""
        return place[0] >= LOWEST and place[1] <= 0

    def _call(self, label: str, callee: Summary, insn: Insn, state: State, escaped: int) -> Touch:
        reads = effects(insn).reads & ~ESP | callee.reads & ~ESP | escaped
        step = self.values.transfer.at(label, 0, insn, state)
        high = depth_reach(callee.use_depth, state, step.returns)
        low = state.esp if state.esp is not None else EVERYTHING[0]
        for mem, size in effects(insn).loads:
            place = step.touched(mem, size)
            reads |= stack_bits(place) if place else 0
        return Touch(reads | stack_bits((low, high)), 0, 0, True, True, callee)


def lowest_slot(mask: int) -> int:
    """Offset of the lowest stack byte in a mask; 0 if there is none."""
    return -(mask >> STACK_SHIFT).bit_length()


def stack_bits(touched: Range) -> int:
    """The bits of the function's own bytes in a range: the byte below the entry esp has the lowest."""
    low, high = max(touched[0], LOWEST), min(touched[1], 0)
    return 0 if low >= high else ((1 << (high - low)) - 1) << (STACK_SHIFT - high)


FRAME = stack_bits((LOWEST, 0))


def _named(register: str | None) -> int:
    return register_mask(register) & ~ESP if register is not None else 0


def _harmless(step: Step, mem: Mem) -> bool:
    """Whether a load that nobody needs may go: from the image's own data, not from a device behind a pointer."""
    return step.address(mem).label is not None and mem.segment not in ("fs", "gs")


def _above(esp: int | None, mask: int) -> int:
    """Without what lies below esp: that never matters."""
    return mask if esp is None else mask & (1 << STACK_SHIFT + max(0, -esp)) - 1


def _join(_: str, old: tuple[int, int] | None, new: tuple[int, int]) -> tuple[int, int]:
    return new if old is None else (old[0] | new[0], old[1] | new[1])
