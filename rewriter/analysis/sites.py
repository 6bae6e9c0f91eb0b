"""Where a program asks the kernel for something, and what is certain about it there (§2, last step).

A site can be retargeted where its number comes from one `mov eax, n` that reaches this `int 0x80` alone and is
read nowhere else; an argument may be implied where its register provably holds that constant there.  A system call
returns every register but eax as it was, which is what programs rely on too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index, Way
from rewriter.analysis.state import EVERYTHING, State
from rewriter.analysis.transfer import Transfer
from rewriter.analysis.value import Opaque, Value
from rewriter.analysis.values import Values
from rewriter.analysis.worklist import solve
from rewriter.contract import Contract
from rewriter.ir import Function, Insn, Program
from rewriter.x86.decode import Imm, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow

GATE = b"\xcd\x80"  # int 0x80
LOAD_NUMBER = 0xB8  # mov eax, imm32
ARGUMENTS = ("ebx", "ecx", "edx", "esi", "edi", "ebp")
EAX = register_mask("eax")

Place = tuple[str, int]  # label of a block, position of an instruction in it


@dataclass(frozen=True, slots=True, eq=False)
class CallSite:
    """An `int 0x80`.  `number_at` is where its number is loaded, None where `refused` says why it may not change."""

    function: str
    at: Place
    address: int | None  # in the input image
    number: int | None
    constants: Mapping[int, int] = field(default_factory=dict)  # by index of the argument
    number_at: Place | None = None
    refused: str = ""


class _UserTransfer(Transfer):
    """As a program sees a system call: eax and memory change, nothing else."""

    def step(self, label: str, site: int, insn: Insn, state: State) -> None:
        if insn.raw == GATE:
            state.places["eax"] = Value(Opaque(label, site, "eax"))
            state.kill_slots(*EVERYTHING)
        else:
            super().step(label, site, insn, state)


def call_sites(program: Program, poll: Callable[[], None] = lambda: None) -> list[CallSite]:
    """All `int 0x80` of a program, in its order; `poll`: see Depths."""
    index = Index(program)
    transfer = _UserTransfer(Depths(index, Contract(), poll=poll), Contract().stack_size)
    found: list[CallSite] = []
    entered = _entered_elsewhere(index)
    for function in program.functions:
        if any(insn.raw == GATE for insn in function.insns()):
            sites = _sites_of(function, index, transfer)
            reason = f"pinned: {function.pins[0]}" if function.pins else "a block is entered from elsewhere"
            unclear = bool(function.pins) or any(b.label in entered for b in function.blocks[1:])
            found += (replace(s, constants={}, number_at=None, refused=reason) if unclear else s for s in sites)
    return found


def _entered_elsewhere(index: Index) -> set[str]:
    """Labels of blocks that something else than their own function's branches and jump tables leads to."""
    found: set[str] = set()
    tables: set[str] = set()
    for function in index.program.functions:
        for block in function.blocks:
            own = {edge.target for edge in index.edges(block) if index.owners.get(edge.target) is function}
            tables |= own if block.insns and flow(block.insns[-1].raw) is Flow.JUMP_INDIRECT else set()
            named = {ref.target for insn in block.insns for ref in insn.refs} | {block.falls_to or ""}
            found |= named - own
    found |= {ref.target for data in index.program.data for ref in data.refs.values()} - tables
    return found


def _sites_of(function: Function, index: Index, transfer: Transfer) -> Iterator[CallSite]:
    values = Values(index, transfer, function.blocks[0].label)
    numbers = _Numbers(values)
    for block in function.blocks:
        if block.label not in values.states:
            for i, insn in enumerate(block.insns):
                if insn.raw == GATE:
                    yield CallSite(function.name, (block.label, i), insn.origin, None, refused="never reached")
            continue
        for i, insn, state in values.walk(block.label):
            if insn.raw == GATE:
                yield _site(function, (block.label, i), insn, state, numbers)


def _site(function: Function, at: Place, insn: Insn, state: State, numbers: _Numbers) -> CallSite:
    found = {i: state.places[name].constant for i, name in enumerate(ARGUMENTS)}
    constants = {i: value for i, value in found.items() if value is not None}
    number = state.places["eax"].constant
    where, refused = numbers.loaded_for(at)
    return CallSite(function.name, at, insn.origin, number, constants, where, refused)


class _Numbers:
    """Which definitions of eax reach which uses, over the blocks that one function's entry reaches."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.index = values.index
        start = [(values.entry, frozenset({("", -1)}))]
        reaching = solve(start, self._flow, lambda _, old, new: new if old is None else old | new)
        self.uses: dict[Place, set[Place]] = defaultdict(set)  # definition → uses
        self.definitions: dict[Place, frozenset[Place]] = {}  # use → definitions
        for label, state in reaching.items():
            self._walk(label, state, note=True)

    def loaded_for(self, site: Place) -> tuple[Place | None, str]:
        """Where the number of a site is loaded, or why that cannot be changed."""
        definitions = self.definitions.get(site, frozenset())
        if len(definitions) != 1:
            return None, f"its number comes from {len(definitions)} places"
        (place,) = definitions
        if place[1] < 0 or place[0] not in self.index.blocks:
            return None, "its number is not loaded in this function"
        if self.uses[place] != {site}:
            return None, "its number is used elsewhere, too"
        insn = self.index.blocks[place[0]].insns[place[1]]
        if insn.raw[0] != LOAD_NUMBER or len(insn.raw) != 5 or insn.refs:
            return None, "its number is not a constant"
        return place, ""

    def _flow(self, label: str, state: frozenset[Place]) -> Iterator[tuple[str, frozenset[Place]]]:
        if label not in self.index.blocks:
            return
        behind = self._walk(label, state, note=False)
        for edge, _ in self.values.ways(label):
            if edge.target in self.values.states:  # else a tail call: `_leaves`
                yield edge.target, state | behind if edge.way is Way.FAULT else behind

    def _walk(self, label: str, state: frozenset[Place], note: bool) -> frozenset[Place]:
        block = self.index.blocks.get(label)
        for i, insn in enumerate(block.insns if block else ()):
            effect = effects(insn)
            leaves = flow(insn.raw) in (Flow.RETURN, *CALLS, Flow.JUMP_INDIRECT)
            if note and (effect.reads & EAX or leaves or insn.raw == GATE):
                self.definitions[label, i] = state
                for definition in state:
                    self.uses[definition].add((label, i))
            if _overwrites(insn):
                state = frozenset({(label, i)})
            elif effect.may_write & EAX or leaves:
                state |= {(label, i)}
        if note and block is not None and self._leaves(label):
            for definition in state:
                self.uses[definition].add((label, len(block.insns)))
        return state

    def _leaves(self, label: str) -> bool:
        """Whether control may leave the function here other than by a return."""
        return any(edge.target not in self.values.states for edge, _ in self.values.ways(label))


def _overwrites(insn: Insn) -> bool:
    return insn.raw == GATE or effects(insn).writes & EAX == EAX


def retargeted(insn: Insn, number: int) -> Insn:
    """The same load with another number."""
    operands = decode(insn.raw).operands
    assert operands[0] == Reg("eax", 4)
    assert isinstance(operands[1], Imm)
    return Insn(bytes([LOAD_NUMBER]) + number.to_bytes(4, "little"), (), insn.origin)
