"""Code that runs before paging is on, where a counter at a virtual address would be somewhere else, or nowhere.

Nothing in the bytes says `paging is off here`.  Two things do say that an address is a physical one:
- The image starts `entry_bias` away from the label of its entry.  From there control stays at physical addresses
  as long as it moves by relative jumps, branches and calls; only an absolute jump can leave.
- A memory operand names its target with the load bias (physical minus virtual address) as addend.  As an
  immediate such an address is ordinary: page tables are filled with it at any time.
"""

from __future__ import annotations

from rewriter.analysis.graph import Index, branch_target
from rewriter.ir import Function, Insn, Program, Ref
from rewriter.x86.decode import DecodeError, decode
from rewriter.x86.flow import DIRECT, Flow, flow

BEFORE_PAGING = "reached at its physical address, before paging"
PHYSICAL = "accesses memory at physical addresses"


def physical_functions(program: Program, index: Index) -> dict[str, str]:
    """Functions in which no virtual address may be used, with the reason."""
    reached = _reached_from_entry(program, index) if program.entry_bias else set()
    biases = {segment.load_bias % (1 << 32) for segment in program.segments} - {0}
    found = {}
    for function in program.functions:
        if any(block.label in reached for block in function.blocks):
            found[function.name] = BEFORE_PAGING
        elif biases and any(_is_physical(insn, ref, index, biases) for insn, ref in _refs(function)):
            found[function.name] = PHYSICAL
    return found


def _reached_from_entry(program: Program, index: Index) -> set[str]:
    """Labels that the entry reaches by relative transfers of control alone."""
    reached: set[str] = set()
    work = [program.entry]
    while work:
        label = work.pop()
        block = index.blocks.get(label)
        if block is None or label in reached:
            continue
        reached.add(label)
        kind = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
        if kind in DIRECT:
            work += [target for target in [branch_target(block.insns[-1])] if target]
        work += [block.falls_to] if block.falls_to else []
    return reached


def _refs(function: Function) -> list[tuple[Insn, Ref]]:
    return [(insn, ref) for insn in function.insns() for ref in insn.refs if ref.addend]


def _is_physical(insn: Insn, ref: Ref, index: Index, biases: set[int]) -> bool:
    target = index.data.get(ref.target)
    size = target.size if target else 1
    if not any((ref.addend - bias) % (1 << 32) <= size for bias in biases):
        return False
    try:
        return decode(insn.raw).disp_offset == ref.offset
    except DecodeError:
        return True
