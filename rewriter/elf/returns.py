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
    ending = [f for f in program.functions if not f.verbatim and f.blocks[-1].falls_to and _callee(f.blocks[-1])]
    if ending:
        returning = _Returning(program)
        for function in ending:
            callee = _callee(function.blocks[-1])
            if callee is not None and not returning.may_return(callee):
                function.blocks[-1].falls_to = None


def _callee(block: Block) -> str | None:
    """The label that a direct call at the block's end leads to."""
    last = block.insns[-1] if block.insns else None
    if last is None or flow(last.raw) is not Flow.CALL or not last.refs or last.refs[0].kind is not RefKind.PC32:
        return None
    return last.refs[0].target


class _Returning:
    """Which code may return: the least solution over all that the asked-for labels reach."""

    def __init__(self, program: Program) -> None:
        self._blocks = {b.label: b for f in program.functions for b in f.blocks}
        self._verbatim = {f.name for f in program.functions if f.verbatim}
        self._returning: set[str] = set()  # labels of entries

    def may_return(self, entry: str) -> bool:
        """Whether a call of this label may come back."""
        entries = self._reached(entry)
        changed = True
        while changed:
            new = {e for e in entries if e not in self._returning and self._finds_return(e)}
            self._returning |= new
            changed = bool(new)
        return entry in self._returning

    def _reached(self, entry: str) -> list[str]:
        """Every label that is called on some path from `entry`, itself first."""
        found, work = {entry: None}, [entry]
        while work:
            for block in self._walk(work.pop(), everything=True):
                callee = _callee(block)
                if callee is not None and callee not in found:
                    found[callee] = None
                    work.append(callee)
        return list(found)

    def _finds_return(self, entry: str) -> bool:
        if entry in self._verbatim or entry not in self._blocks:
            return True
        return any(self._returns(block) for block in self._walk(entry, everything=False))

    def _returns(self, block: Block) -> bool:
        kind = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
        targets = self._targets(block)
        return kind in _RETURNS or any(t in self._verbatim or t not in self._blocks for t in targets)

    def _walk(self, entry: str, everything: bool) -> list[Block]:
        """The blocks that control reaches from a label without following calls; `everything`: as if all came back."""
        seen, work = {entry: None}, [entry]
        while work:
            block = self._blocks.get(work.pop())
            if block is None or block.label in self._verbatim:
                continue
            for target in self._ways(block, everything):
                if target not in seen:
                    seen[target] = None
                    work.append(target)
        return [self._blocks[label] for label in seen if label in self._blocks and label not in self._verbatim]

    def _ways(self, block: Block, everything: bool) -> list[str]:
        callee = _callee(block)
        targets = self._targets(block)
        if block.falls_to and (everything or callee is None or callee in self._returning):
            targets.append(block.falls_to)
        if block.insns and block.insns[-1].faults_to:
            targets.append(block.insns[-1].faults_to)
        return targets

    def _targets(self, block: Block) -> list[str]:
        last = block.insns[-1] if block.insns else None
        jumps = last is not None and flow(last.raw) in (Flow.JUMP, Flow.BRANCH)
        return [ref.target for ref in last.refs] if jumps and last is not None else []
