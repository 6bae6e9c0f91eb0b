"""How many bytes at the top of a kernel stack belong to the interrupted program: a scan must stop below (§3.1).

The processor pushes five words when it changes to the kernel's stack; the entry of the system-call gate pushes
the registers.  That number is read off the code: from the gate to the call through the system-call table, all
ways must have pushed the same.  The other gates of a kernel use the same frame, or one that is not larger.
"""

from __future__ import annotations

from rewriter.analysis.graph import Index
from rewriter.contract import Contract, SystemCalls
from rewriter.ir import Block, Program, Symbol
from rewriter.probes.areas import ProbeError
from rewriter.x86.effects import effects
from rewriter.x86.flow import CALLS, Flow, flow

HARDWARE = 20  # bytes: ss, esp, eflags, cs, eip


def user_frame(program: Program, contract: Contract, index: Index) -> int:
    """Bytes from the lowest saved register to the top of the stack; 0 for a program without system calls.

    Raises ProbeError where the entry code does not say.
    """
    promise = contract.system_calls
    if promise is None:
        return 0
    depths = _depths_at_calls(program, promise, index)
    if len(depths) != 1:
        found = ", ".join(map(str, sorted(depths))) or "none"
        raise ProbeError(f"the frame at {promise.entry} has no one size: found {found}")
    return HARDWARE + depths.pop()


def _depths_at_calls(program: Program, promise: SystemCalls, index: Index) -> set[int]:
    """Bytes that were pushed from the gate to each call through the system-call table."""
    try:
        entry, table = program.symbol(promise.entry), program.symbol(promise.table)
    except KeyError as error:
        raise ProbeError(f"no symbol {error}, which the contract names") from None
    found: set[int] = set()
    seen: set[tuple[str, int]] = set()
    work = [(entry.target, 0)]
    while work:
        label, depth = work.pop()
        block = index.blocks.get(label)
        if block is None or (label, depth) in seen or depth > 4096:
            continue
        seen.add((label, depth))
        behind = depth + _pushed(block)
        if _calls_through(block, table):
            found.add(behind)
        else:
            work += [(edge.target, behind) for edge in index.edges(block)]
    return found


def _calls_through(block: Block, table: Symbol) -> bool:
    """Whether the block ends with `call [eax*4 + table]`."""
    last = block.insns[-1] if block.insns else None
    if last is None or flow(last.raw) is not Flow.CALL_INDIRECT:
        return False
    return any((ref.target, ref.addend) == (table.target, table.offset) for ref in last.refs)


def _pushed(block: Block) -> int:
    """Bytes that the block leaves on the stack; a call at its end takes its return address back."""
    total = 0
    for insn in block.insns:
        if flow(insn.raw) in (*CALLS, Flow.IRET):
            continue
        change = effects(insn).esp_change
        if change is None:
            raise ProbeError(f"the entry code moves esp by an unknown amount in {block.label}")
        total -= change
    return total
