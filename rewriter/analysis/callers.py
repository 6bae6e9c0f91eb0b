"""What somebody reads after a system-call handler has returned (§5.4: believe no convention, look)."""

from __future__ import annotations

from collections.abc import Collection

from rewriter.analysis.depths import Depths
from rewriter.analysis.gates import gates, is_indirect
from rewriter.analysis.liveness import Liveness
from rewriter.analysis.state import State
from rewriter.analysis.summary import ALL_REGISTERS
from rewriter.analysis.value import CURRENT, REGISTERS, Opaque, Value
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.ir import Block, Insn, Program
from rewriter.x86.decode import Mem, decode
from rewriter.x86.effects import FLAGS
from rewriter.x86.flow import Flow, flow

EVERYTHING = ALL_REGISTERS | FLAGS
WORD = 4


def read_after_handler(program: Program, contract: Contract, depths: Depths) -> int:
    """Registers and flags that may be read after a handler's return: whatever matters behind each indirect call that
    may be the gate's.  Where all that names the system-call table are such calls, they are the only ones."""
    sites = gates(program, contract) or [b for f in program.functions for b in f.blocks if is_indirect(b)]
    mask = 0
    for block in sites:
        mask |= _read_behind(depths, block)
    return mask if sites else EVERYTHING


def number_in_eax(program: Program, contract: Contract) -> bool:
    """Whether every handler finds the number of the call in eax: it indexes the table."""
    sites = gates(program, contract)
    return bool(sites) and all(_indexed_by(block.insns[-1]) == "eax" for block in sites)


def origins(program: Program, contract: Contract, depths: Depths) -> dict[str, frozenset[str]]:
    """What a handler finds in its registers: those of the program on which each may depend; one that is missing may
    depend on anything.  It is followed on every way from a function's entry through jumps to a gate."""
    at_doors, leaving = _at_entry(program, contract, depths)
    states = [*at_doors, *leaving]
    found: dict[str, frozenset[str]] = {register: frozenset() for register in REGISTERS} if states else {}
    for state in states:
        for register in [*found]:
            known = _origin(state.places[register])
            if known is None:
                del found[register]
            else:
                found[register] |= known
    return found


def current_at_entry(program: Program, contract: Contract, depths: Depths) -> frozenset[str]:
    """The registers in which every handler finds the lowest address of its stack, where the task lies."""
    states, _ = _at_entry(program, contract, depths)
    current = Value(CURRENT)
    return frozenset(r for r in REGISTERS if states and all(state.places[r] == current for state in states))


def _at_entry(program: Program, contract: Contract, depths: Depths) -> tuple[list[State], list[State]]:
    """What is known where a gate calls a handler, and where another function jumps to the entry of one with a gate, on
    every way there; nothing where there may be other ways."""
    doors = {block.label for block in gates(program, contract)}
    ways = _jumping_to({depths.index.owners[label].name for label in doors}, depths)
    at_doors: list[State] = []
    leaving: list[State] = []
    if _entered_within(program, depths, ways, doors):
        return at_doors, leaving
    for name in ways:
        values = Values(depths.index, depths.transfer(), depths.index.functions[name].blocks[0].label)
        at_doors += [values.before_last(label) for label in values.states if label in doors]
        tails = [edge for block in values.blocks for edge in values.ways(block.label) if values.tail_call(*edge)]
        leaving += [state for edge, state in tails if depths.index.owners[edge.target].name in ways]
    return at_doors, leaving


def _origin(value: Value) -> frozenset[str] | None:
    """The registers of the program of which this is made, None if that is not known."""
    if not isinstance(value.base, Opaque) or value.base == CURRENT:
        return frozenset()
    place = value.base.place
    is_register = isinstance(place, str) and place.startswith("entry ")
    return frozenset({place.removeprefix("entry ")}) if is_register and isinstance(place, str) else None


def _jumping_to(names: set[str], depths: Depths) -> list[str]:
    """These functions, and all that jump or fall into them, or into those that do."""
    found = dict.fromkeys(sorted(names))
    pending = list(found)
    while pending:
        name = pending.pop()
        for other, tails in depths.graph.tails.items():
            if name in tails and other not in found:
                found.setdefault(other)
                pending.append(other)
    return list(found)


def _entered_within(program: Program, depths: Depths, names: Collection[str], doors: Collection[str]) -> bool:
    """Whether somebody knows a place within one of these functions, may jump there, and get from there to a gate."""
    inner = {block.label for name in names for block in depths.index.functions[name].blocks[1:]}
    taken = {ref.target for data in program.data for ref in data.refs.values()}
    for function in program.functions:
        for block in function.blocks:
            for insn in block.insns:
                if flow(insn.raw) not in (Flow.JUMP, Flow.BRANCH):
                    taken |= {ref.target for ref in insn.refs}
    reached, pending = set[str](), sorted(inner & taken)
    while pending:
        label = pending.pop()
        if label not in reached and label in depths.index.blocks:
            reached.add(label)
            pending += [edge.target for edge in depths.index.edges(depths.index.blocks[label])]
    return bool(reached & set(doors))


def _indexed_by(call: Insn) -> str | None:
    operand = decode(call.raw).operands[0]
    return operand.index if isinstance(operand, Mem) and operand.base is None and operand.scale == WORD else None


def _read_behind(depths: Depths, block: Block) -> int:
    owner = depths.index.owners[block.label]
    values = Values(depths.index, depths.transfer(), owner.blocks[0].label)
    if block.falls_to is None or block.falls_to not in values.states or block.label not in values.states:
        return EVERYTHING
    return Liveness(values, EVERYTHING).before(block.falls_to) & EVERYTHING
