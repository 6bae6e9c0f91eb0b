"""Where the kernel calls the handlers of its system calls: through the table that the contract names, nowhere else."""

from __future__ import annotations

from rewriter.contract import Contract
from rewriter.ir import Block, Insn, Program
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import DIRECT, Flow, flow

WORD = 4
_ESP = register_mask("esp")


def gates(program: Program, contract: Contract) -> list[Block]:
    """The indirect calls through the system-call table, where nothing else can reach a handler by it."""
    sites = [b for f in program.functions for b in f.blocks if is_indirect(b)]
    through_table = [block for block in sites if is_gate(program, contract, block.insns[-1])]
    return [] if _named_otherwise(program, contract) else through_table


def is_indirect(block: Block) -> bool:
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


def is_gate(program: Program, contract: Contract, call: Insn) -> bool:
    """Whether an indirect call goes through the table."""
    table = _table(program, contract)
    return table is not None and any(ref.target == table[0] and ref.addend in table[1] for ref in call.refs)


def only_handlers(program: Program, contract: Contract) -> frozenset[str]:
    """Labels whose address stands in the table alone: no other indirect call leads to them."""
    table = _table(program, contract)
    if table is None or not gates(program, contract):
        return frozenset()
    inside, outside = set[str](), set[str]()
    for data in program.data:
        for offset, ref in data.refs.items():
            (inside if data.name == table[0] and offset in table[1] else outside).add(ref.target)
    for function in program.functions:
        for insn in function.insns():
            if flow(insn.raw) not in DIRECT:
                outside |= {ref.target for ref in insn.refs}
    return frozenset(inside - outside)


def handlers(program: Program, contract: Contract) -> dict[int, str]:
    """The functions in the system-call table by number, free slots left out."""
    table = _table(program, contract)
    if table is None or contract.system_calls is None:
        return {}
    refs = program.datum(table[0]).refs
    slots = {n: refs[at].target for n, at in enumerate(table[1][::WORD]) if at in refs}
    return {n: handler for n, handler in slots.items() if handler != contract.system_calls.unused}


def number_limit(program: Program, contract: Contract) -> int | None:
    """The first number behind all that have a handler; None without a table."""
    return None if _table(program, contract) is None else max(handlers(program, contract), default=-1) + 1
