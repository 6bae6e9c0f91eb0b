"""Calls that never come back: behind them a function may simply end.

Compilers put nothing behind a call of `exit`; the bytes that follow, padding and the next function, are not where
control goes on.  Whether a callee comes back is looked up, not guessed: it does where some path in it leads to a
return, or to anything that is not understood.
"""

from __future__ import annotations

from rewriter.ir import Block, Program, RefKind
from rewriter.x86.flow import Flow, flow

_RETURNS = (Flow.RETURN, Flow.IRET, Flow.JUMP_INDIRECT)


def end_calls(program: Program) -> None:
    """Clear `falls_to` of every function whose last block ends with a call that never comes back."""
    ending = [f for f in program.functions if not f.verbatim and f.blocks[-1].falls_to and called(f.blocks[-1])]
    if ending:
        returning = Returning(program)
        for function in ending:
            callee = called(function.blocks[-1])
            if callee is not None and not returning.may_return(callee):
                function.blocks[-1].falls_to = None


def called(block: Block) -> str | None:
    """The label that a direct call at the block's end leads to."""
    last = block.insns[-1] if block.insns else None
    if last is None or flow(last.raw) is not Flow.CALL or not last.refs or last.refs[0].kind is not RefKind.PC32:
        return None
    return last.refs[0].target


class Returning:
    """Which code may return: the least solution over all that the asked-for labels reach, each block of each looked at
    once."""

    def __init__(self, program: Program) -> None:
        self._blocks = {b.label: b for f in program.functions if not f.verbatim for b in f.blocks}
        self._returning: set[str] = set()  # labels of entries
        self._unwinding = program.unwinding
        self._seen: dict[str, set[str]] = {}  # labels that control reaches, by entry
        self._waiting: dict[str, list[tuple[str, str]]] = {}  # by callee: (entry, where it goes on if that returns)
        self._work: list[tuple[str, str]] = []  # (entry, label that control reaches)

    def may_return(self, entry: str) -> bool:
        """Whether a call of this label may come back."""
        self._ask(entry)
        while self._work:
            entered, label = self._work.pop()
            if entered not in self._returning and label not in self._seen[entered]:
                self._seen[entered].add(label)
                self._visit(entered, self._blocks.get(label))
        return entry in self._returning

    def _ask(self, entry: str) -> None:
        if entry not in self._seen:
            self._seen[entry] = set()
            self._work.append((entry, entry))

    def _visit(self, entry: str, block: Block | None) -> None:
        last = block.insns[-1] if block is not None and block.insns else None
        kind = flow(last.raw) if last is not None else Flow.NEXT
        if block is None or kind in _RETURNS:
            self._returning.add(entry)
            self._work += self._waiting.pop(entry, [])
            return
        callee = called(block)
        if block.falls_to and callee is not None and callee not in self._returning:
            self._waiting.setdefault(callee, []).append((entry, block.falls_to))
            self._ask(callee)
        elif block.falls_to:
            self._work.append((entry, block.falls_to))
        if last is not None:
            self._work += [(entry, ref.target) for ref in last.refs if kind in (Flow.JUMP, Flow.BRANCH)]
            self._work += [(entry, last.faults_to)] if last.faults_to else []
        site = self._unwinding.site(last.origin) if self._unwinding and last and last.origin else None
        if site is not None and site.pad is not None:
            self._work.append((entry, site.pad[0]))
