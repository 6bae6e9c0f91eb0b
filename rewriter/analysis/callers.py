"""What somebody reads after a system-call handler has returned (§5.4: believe no convention, look)."""

from __future__ import annotations

from collections.abc import Collection

from rewriter.analysis.depths import Depths
from rewriter.analysis.liveness import Liveness
from rewriter.analysis.summary import ALL_REGISTERS
from rewriter.analysis.value import CURRENT, REGISTERS, Opaque, Value
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.ir import Block, Insn, Program
from rewriter.x86.decode import Mem, decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import Flow, flow

EVERYTHING = ALL_REGISTERS | FLAGS
WORD = 4
_ESP = register_mask("esp")


def read_after_handler(program: Program, contract: Contract, depths: Depths) -> int:
    """Registers and flags that may be read after a handler's return: whatever matters behind each indirect call that
    may be the gate's.  Where all that names the system-call table are such calls, they are the only ones."""
    sites = _gates(program, contract) or [b for f in program.functions for b in f.blocks if _is_indirect(b)]
    mask = 0
    for block in sites:
        mask |= _read_behind(depths, block)
    return mask if sites else EVERYTHING


def number_in_eax(program: Program, contract: Contract) -> bool:
    """Whether every handler finds the number of the call in eax: it indexes the table."""
    sites = _gates(program, contract)
    return bool(sites) and all(_indexed_by(block.insns[-1]) == "eax" for block in sites)


def origins(program: Program, contract: Contract, depths: Depths) -> dict[str, frozenset[str]]:
    """What a handler finds in its registers: those of the program on which each may depend; one that is missing may
    depend on anything.  It is followed on every way from a function's entry through jumps to a gate."""
    gates = {block.label for block in _gates(program, contract)}
    ways = _jumping_to({depths.index.owners[label].name for label in gates}, depths)
    found: dict[str, frozenset[str]] = {register: frozenset() for register in REGISTERS} if gates else {}
    if _entered_within(program, depths, ways):
        return {}
    for name in ways:
        values = Values(depths.index, depths.transfer(), depths.index.functions[name].blocks[0].label)
        states = [values.before_last(label) for label in values.states if label in gates]
        leaving = [edge for block in values.blocks for edge in values.ways(block.label) if values.tail_call(*edge)]
        states += [state for edge, state in leaving if depths.index.owners[edge.target].name in ways]
        for state in states:
            for register in [*found]:
                known = _origin(state.places[register])
                if known is None:
                    del found[register]
                else:
                    found[register] |= known
    return found


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


def _entered_within(program: Program, depths: Depths, names: Collection[str]) -> bool:
    """Whether somebody knows the address of a place within one of these functions, and may jump there."""
    inner = {block.label for name in names for block in depths.index.functions[name].blocks[1:]}
    taken = {ref.target for data in program.data for ref in data.refs.values()}
    for function in program.functions:
        for block in function.blocks:
            for insn in block.insns:
                if flow(insn.raw) not in (Flow.JUMP, Flow.BRANCH):
                    taken |= {ref.target for ref in insn.refs}
    return bool(inner & taken)


def _gates(program: Program, contract: Contract) -> list[Block]:
    """The indirect calls through the system-call table, where nothing else can reach a handler by it."""
    sites = [b for f in program.functions for b in f.blocks if _is_indirect(b)]
    through_table = [block for block in sites if _names_table(program, contract, block)]
    return [] if _named_otherwise(program, contract) else through_table


def _indexed_by(call: Insn) -> str | None:
    operand = decode(call.raw).operands[0]
    return operand.index if isinstance(operand, Mem) and operand.base is None and operand.scale == WORD else None


def _is_indirect(block: Block) -> bool:
    return bool(block.insns) and flow(block.insns[-1].raw) is Flow.CALL_INDIRECT


def _table(program: Program, contract: Contract) -> tuple[str, range] | None:
    """The label of the data that holds the table, and the offsets of its slots in it."""
    if contract.system_calls is None:
        return None
    try:
        symbol = program.symbol(contract.system_calls.table)
    except KeyError:
        return None
    return symbol.target, range(symbol.offset, symbol.offset + WORD * contract.system_calls.slots)


def _names_table(program: Program, contract: Contract, block: Block) -> bool:
    table = _table(program, contract)
    return table is not None and any(r.target == table[0] and r.addend in table[1] for r in block.insns[-1].refs)


def _named_otherwise(program: Program, contract: Contract) -> bool:
    """Whether anything but an indirect call through it names the table."""
    table = _table(program, contract)
    if table is None:
        return True
    refs = [ref for data in program.data for ref in data.refs.values()]
    for function in program.functions:
        for block in function.blocks:
            for insn in block.insns:
                if flow(insn.raw) is not Flow.CALL_INDIRECT and not _keeps_nothing(insn):
                    refs += insn.refs
    return any(ref.target == table[0] and ref.addend in table[1] for ref in refs)


def _keeps_nothing(insn: Insn) -> bool:
    """Whether nobody can have a handler's address from this: it compares; or it only sets esp, and names the end of a
    stack that lies below the table."""
    found = effects(insn)
    return found.may_write == _ESP or (not found.may_write & ~FLAGS and not found.stores)


def _read_behind(depths: Depths, block: Block) -> int:
    owner = depths.index.owners[block.label]
    values = Values(depths.index, depths.transfer(), owner.blocks[0].label)
    if block.falls_to is None or block.falls_to not in values.states or block.label not in values.states:
        return EVERYTHING
    return Liveness(values, EVERYTHING).before(block.falls_to) & EVERYTHING
