"""Where a guard fails, the general code does the rest: `if (x == v) then C[x=v] else C` (§4.2, with x the target of an
indirect call, Fig 3).

    push  0                              ⇒    cmp   dword ptr [edx], generic_file_llseek
    push  eax                                 jne   .general
    cmp   dword ptr [edx], f                  push  0
    jne   .cold                               push  eax
    <body of f>                               <body of f>
    join: add esp, 8                     join: add esp, 8          ; reached from the body of f alone
    …                                         …
    ret                                       ret
    .cold: call dword ptr [edx]          .general: push 0
           jmp  join                          push  eax
                                              call  dword ptr [edx]
                                         join': add esp, 8         ; the same, of which nothing is known
                                              …
                                              ret

§4.1 leads the call that was not inlined back to the instruction J behind it, where the inlined body goes on, too: there
all that the body knows would be lost, as any function may have been called.  §4.2 says what becomes of code that is
specialized for a value under a test: it is there twice, the residual code and, behind `else`, the general one, and the
two do not meet again.  The target of the call is such a value, and what is specialized for it is all that follows.  So
this is the paper's; but for guards only: other cold paths join the hot one again, as they did in the original (to copy
for them as well is `duplicate`, and to compute on them what only they need is `sink`: beyond the paper).

The guard stands in front of the calling sequence, which belongs to the call (§4.1: inlining "eliminates … other
instructions in the calling and return sequences"): behind `else` it is needed, in the inlined body it need not be.
"""

from __future__ import annotations

from rewriter.edit import clone
from rewriter.ir import Block
from rewriter.passes.copies import table_copied
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.decode import decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import Flow, flow

NAME = "general"
_ESP = register_mask("esp")
_CALLING = ("push", "mov", "lea")  # what passes arguments


def general(work: Work) -> None:
    """Do both for every guard that is on a hot path and hardly ever fails."""
    guarded = [block for block in work.function.blocks if block.label in work.failing and _is_rare(work, block)]
    _copy(work, guarded)
    for call in guarded:
        _first(work, call)


def _is_rare(work: Work, block: Block) -> bool:
    """Whether the block is a call that is not inlined, made so rarely that it should not count behind it."""
    calls = bool(block.insns) and flow(block.insns[-1].raw) is Flow.CALL_INDIRECT
    return calls and not work.hot(block.label) and work.hot(_behind(block))


def _behind(call: Block) -> str:
    return call.falls_to or call.label


# C, the general code


def _copy(work: Work, calls: list[Block]) -> None:
    """Lead the calls that were not inlined into a copy of all that follows them."""
    index = work.index()
    rest: dict[str, Block] = {}
    pending = [_behind(call) for call in calls]
    while pending:
        label = pending.pop()
        if label not in rest and index.owners.get(label) is work.function:
            rest[label] = index.blocks[label]
            pending += [edge.target for edge in index.edges(rest[label])]
    if work.name in rest:
        work.outcome.refuse(NAME, work.name, work.name, Reason.ENTRY_AGAIN)
        return
    labels = work.labels()
    names = {label: labels.fresh() for label in rest}
    for label, copy in zip(rest, clone(rest.values(), names), strict=True):
        work.function.blocks.append(copy)
        table = table_copied(index, rest[label], copy, names)
        work.data += [table] if table else []
        work.returns[copy.label] = work.returns.get(label, (0,))
        if label in work.clone_of:
            work.clone_of[copy.label] = work.clone_of[label]
    for call in calls:
        call.falls_to = names[_behind(call)]
        work.did(NAME, call.label, Reason.GENERAL, call.insns[-1])


# The guard in front of the calling sequence


def _first(work: Work, call: Block) -> None:
    """Move the guard up over what only passes arguments, which is then done on either side."""
    index = work.index()
    into = [b for b in work.function.blocks if any(edge.target == call.label for edge in index.edges(b))]
    test = into[0]
    inlined = index.blocks.get(test.falls_to or "")
    if len(into) > 1 or inlined is None or flow(test.insns[-1].raw) is not Flow.BRANCH:
        return
    if any(edge.target == inlined.label for b in work.function.blocks if b is not test for edge in index.edges(b)):
        return
    start = _sequence(work, test)
    moved = test.insns[start:-2]
    if moved:
        test.insns[start:-2] = []
        inlined.insns[:0] = moved
        call.insns[:0] = moved
        work.did(NAME, test.label, Reason.GUARD_FIRST, test.insns[-2])


def _sequence(work: Work, test: Block) -> int:
    """Where the calling sequence in front of the guard begins: instructions that leave alone what the guard reads, and
    the flags, and touch no memory but the function's own frame."""
    values = work.values()
    if test.label not in values.states:
        return len(test.insns) - 2
    touches = work.liveness(values).touches(test.label)
    start, asked = len(test.insns) - 2, touches[-2].reads
    if effects(test.insns[start]).reads & _ESP:
        return start
    while start:
        insn, touch = test.insns[start - 1], touches[start - 1]
        found = effects(insn)
        passes = decode(insn.raw).mnemonic in _CALLING and insn.faults_to is None and not touch.elsewhere
        if not passes or touch.results & asked or (found.reads | found.may_write) & FLAGS:
            break
        start -= 1
    return start
