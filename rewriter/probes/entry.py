"""A probe at the entry of a function: a block before its first, entered by calls and by jumps from elsewhere.

sys_lseek:                              sys_lseek:
    push ebx                                push …                  what the probe is told
    …                         ⇒             call __hotpath_…        keeps registers and flags, takes it off again
                                        sys_lseek.entered.0:
                                            push ebx
                                            …
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rewriter.analysis.graph import Index
from rewriter.edit import Labels
from rewriter.ir import Block, Function, Insn, Program
from rewriter.probes.physical import physical_functions
from rewriter.x86.encode import assemble, call
from rewriter.x86.flow import Flow, flow


def select(program: Program, index: Index, names: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """Those of the functions that can be probed, once each, and how many cannot, by reason.  KeyError for names
    that the program does not have."""
    refused = physical_functions(program, index)
    refused |= {function.name: function.pins[0] for function in program.functions if function.pins}
    wanted = {name: index.functions[name] for name in names}
    reasons = Counter(refused[name] for name in wanted if name in refused)
    return [name for name in wanted if name not in refused], dict(sorted(reasons.items()))


def probe_entry(index: Index, function: Function, pushed: Sequence[str], routine: str) -> str:
    """Insert a call of `routine` that finds `pushed` on the stack and takes it off; returns what the block is
    called now with which the function began.

    A jump back to the entry from inside the function is a loop, not an entry: it leads behind the probe.
    """
    entered = Labels(f"{function.name}.entered", index.blocks).fresh()
    function.blocks[0].label = entered
    for block in function.blocks:
        if block.falls_to == function.name:
            block.falls_to = entered
        if block.insns and flow(block.insns[-1].raw) in (Flow.JUMP, Flow.BRANCH):
            block.insns[-1] = _led(block.insns[-1], function.name, entered)
    pushes = assemble([f"push {what}" for what in pushed])
    function.blocks.insert(0, Block(function.name, [*pushes, call(routine)], entered))
    return entered


def _led(insn: Insn, old: str, new: str) -> Insn:
    return replace(insn, refs=tuple(replace(r, target=new) if r.target == old else r for r in insn.refs))
