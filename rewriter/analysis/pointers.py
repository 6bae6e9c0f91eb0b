"""What an indirect call does, while it becomes known what the functions do to which it may lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rewriter.analysis.summary import ALL_REGISTERS, CALLER_SAVED, FRAME, Summary
from rewriter.x86.effects import FLAGS


class ThroughPointers:
    """A call of any of the `targets`: registers from all of them, the stack by the convention.  Where some pop their
    arguments and others do not, nobody knows where esp is afterwards.

    Summaries only grow, so that each change is joined once: a program may have as many targets as functions, and as
    many indirect calls.  `believed`: the registers, too, are those of the convention, as the caller's unwinding rows
    have it: whoever throws through the call, or returns to it, gives it the others back.  `conventional`: a caller
    makes nothing of what eax, ecx and edx held before, even where a target leaves them alone."""

    def __init__(self, targets: Sequence[str], *, believed: bool = False, conventional: bool = False) -> None:
        self._believed, self._conventional = believed, conventional
        self._rank = {name: n for n, name in enumerate(targets)}
        self._joined = Summary(FRAME, FRAME, 0, CALLER_SAVED, ALL_REGISTERS | FLAGS, 0, True)
        self._pops = Counter[int]()
        self._reasons: tuple[int, str] = (len(targets), "")  # of the first target that has one
        self.summary = self._summary()

    def grew(self, name: str, old: Summary, new: Summary) -> bool:
        """Take note of a function's new summary; whether that changes what an indirect call does."""
        if name not in self._rank:
            return False
        self._joined = self._joined.join(new)
        self._pops.subtract(_popped(old))
        self._pops.update(_popped(new))
        if new.reason:
            self._reasons = min(self._reasons, (self._rank[name], new.reason))
        before, self.summary = self.summary, self._summary()
        return before != self.summary

    def _summary(self) -> Summary:
        pops = [distance for distance, times in self._pops.items() if times]
        known = 0 if not pops else pops[0] if len(pops) == 1 else None
        reason = self._reasons[1]
        clobbers = CALLER_SAVED if self._believed else self._joined.clobbers
        writes = self._joined.writes | (CALLER_SAVED if self._conventional else 0)
        found = replace(self._joined, clobbers=clobbers, writes=writes, pops=known, reason=reason)
        return replace(found, use_depth=FRAME, kill_depth=FRAME, returns=True)


def _popped(summary: Summary) -> list[int]:
    return [summary.pops] if summary.returns and summary.pops is not None else []
