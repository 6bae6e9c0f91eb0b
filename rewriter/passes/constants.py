"""Constants, addresses and copies take the place of what holds them (§4.2).

    mov eax, [esp + 0x20]    ⇒    mov eax, 0            ; the slot is known to hold 0
    push ebx                 ⇒    push 0
    mov esi, [esp + 0x14]    ⇒    mov esi, eax          ; forwarded: eax still holds what was stored there
    sar ecx, 0x1f            ⇒    mov ecx, 0            ; where nobody reads the flags
    cmp eax, 1               ⇒    (deadcode removes it)
    je  .origin_1            ⇒    falls to the next block
    mov [esp + 8], eax       ⇒    (gone: the slot holds eax already)
    rep movsb                ⇒    (gone: ecx is known to be 0)

Every register keeps its value at every point, and so does memory, so that all of this can be decided from one
analysis; only flags that nobody reads may change.
"""

from __future__ import annotations

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Way
from rewriter.analysis.state import State
from rewriter.analysis.value import Value
from rewriter.analysis.values import Values
from rewriter.edit import written
from rewriter.ir import Block, Insn
from rewriter.passes.moves import moved
from rewriter.passes.results import known_result
from rewriter.passes.substitute import substituted
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.decode import decode
from rewriter.x86.flow import Flow, flow

NAME = "constants"


def constants(work: Work, slots: dict[int, Value] | None = None) -> None:
    """Rewrite every block that can be reached.  `slots` is known at the entry, by offset from esp; if it is not so
    in memory, the caller answers for it (see `arguments`)."""
    values = work.values(slots)
    live = work.liveness(values)
    for block in work.function.blocks:
        if block.label in values.states:
            _rewrite(work, values, block, live.after(block.label))


def _rewrite(work: Work, values: Values, block: Block, after: list[int]) -> None:
    states = [state.copy() for _, _, state in values.walk(block.label)] + [values.behind(block.label)]
    insns: list[Insn] = []
    for site, insn in enumerate(block.insns):
        why, around = Reason.KNOWN, (states[site], states[site + 1])
        if (decoded := decode(insn.raw)).prefixes:
            why = Reason.FEW_MOVED
            new = moved(insn, decoded, states[site], after[site]) if work.moves else None
        else:
            new = _replacement(insn, *around, after[site], work.hot(block.label), work.depths)
        if new is not None and new != [insn]:
            work.did(NAME, block.label, why, insn, 1 - len(new))
            insns += written(new, NAME, why, [insn])
        else:
            insns.append(insn)
    decided = _decided(values, block)
    block.insns = insns
    if _never_returns(values, block):
        block.falls_to = None
        work.did(NAME, block.label, Reason.NEVER_BACK, block.insns[-1])
    if decided is not None:
        work.did(NAME, block.label, Reason.DECIDED, block.insns.pop(), 1)
        block.falls_to = decided


def _replacement(insn: Insn, state: State, behind: State, after: int, hot: bool, depths: Depths) -> list[Insn] | None:
    if insn.faults_to is not None:
        return None  # what touches user memory stays as it is (§5.3)
    decoded = decode(insn.raw)
    result = known_result(insn, decoded, state, behind, after, hot=hot)
    made = result if result is not None else substituted(insn, decoded, state, depths.readonly)
    if made and flow(insn.raw) is Flow.CALL_INDIRECT and depths.of_call(made[-1]).pops is None:
        return None  # through pointers a function is taken at its word, the convention: less is known of it by name
    return made


def _never_returns(values: Values, block: Block) -> bool:
    last = block.insns[-1] if block.insns else None
    if last is None or block.falls_to is None or flow(last.raw) is not Flow.CALL:
        return False
    return not values.transfer.callees.of_call(last).returns


def _decided(values: Values, block: Block) -> str | None:
    """Where a branch or jump through a table always leads; None if it is no such thing, or not known."""
    kind = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
    if kind not in (Flow.BRANCH, Flow.JUMP_INDIRECT):
        return None
    if kind is Flow.BRANCH and not condition_of(decode(block.insns[-1].raw).mnemonic):
        return None  # loop counts, whichever way it goes
    ways = [edge for edge, _ in values.ways(block.label)]
    targets = {edge.target for edge in ways}
    if len(targets) != 1 or any(edge.way is Way.FAULT for edge in ways):
        return None
    return targets.pop()
