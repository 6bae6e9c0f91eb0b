"""What nobody reads need not be computed (§4.2): dead definitions, and dead stores to the function's own slots.

    mov esi, -22          ⇒    (gone: esi is overwritten before it is read)
    mov [esp + 8], ecx    ⇒    (gone: nobody reads the slot before the function returns)
    push ebx              ⇒    lea esp, [esp - 4]
    pop ebx               ⇒    lea esp, [esp + 4]

Never removed: what may fault on user memory, loads through pointers (there may be a device), stores to arguments and
above (they are the saved user registers), instructions with effects of their own.
"""

from __future__ import annotations

from rewriter.analysis.liveness import Liveness
from rewriter.edit import written
from rewriter.ir import Insn
from rewriter.passes.rewrite import assembled
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.decode import decode
from rewriter.x86.effects import effects

NAME = "deadcode"


def deadcode(work: Work) -> None:
    """Remove instructions whose results do not matter, all at once: liveness is strong."""
    values = work.values()
    live = Liveness(values, work.at_return, stays=False)
    for block in work.function.blocks:
        if block.label not in values.states:
            continue
        kept: list[Insn] = []
        for insn, touch, after in zip(block.insns, live.touches(block.label), live.after(block.label), strict=True):
            if touch.keep or touch.results & after:
                kept.append(insn)
            else:
                left = _left(insn)
                kept += left
                work.did(NAME, block.label, Reason.DEAD, insn, 1 - len(left), decode(insn.raw).mnemonic)
        block.insns = kept


def _left(insn: Insn) -> list[Insn]:
    """What stays of a dead instruction: its change of esp."""
    distance = effects(insn).esp_change
    made = assembled(f"lea esp, [esp {'-' if distance < 0 else '+'} {abs(distance)}]", insn) if distance else None
    return written([made], NAME, Reason.DEAD, [insn]) if made else []


def unreachable(work: Work) -> None:
    """Drop the blocks to which no way leads any more."""
    index = work.index()
    found: dict[str, None] = {}
    pending = [work.name, *work.taken()]
    while pending:
        label = pending.pop()
        if label not in found and index.owners.get(label) is work.function:
            found.setdefault(label)
            pending += [edge.target for edge in index.edges(index.blocks[label])]
    for block in work.function.blocks:
        if block.label not in found:
            work.did("unreachable", block.label, Reason.UNREACHABLE, block.insns[0] if block.insns else None)
    work.function.blocks[:] = [block for block in work.function.blocks if block.label in found]
