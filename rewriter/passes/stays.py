"""Calls of a copied function that no hot path leads through: each stays a call, and has a reason (§4.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rewriter.analysis.body import Body
from rewriter.analysis.graph import EXCEPTIONAL, jump_table
from rewriter.ir import Block
from rewriter.passes.heat import Heat
from rewriter.profile import Profile
from rewriter.reasons import Reason, Why
from rewriter.x86.flow import CALLS, Flow, flow

UNKNOWN = "a pointer"  # what is called where no trace says it


@dataclass(frozen=True, slots=True)
class Stays:
    """A call at the end of block `site` (a label of the original program), which the copy makes `executed` times: 0
    where it was made, but no call trace shows it on the copy's way."""

    site: str
    address: int | None
    executed: float
    why: Why


class Calls:
    """What a profile says of calls."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.traced = {trace.function for trace in profile.traces}
        self.targets: dict[str, set[str]] = defaultdict(set)  # by site
        for trace in profile.traces:
            if trace.sites:
                self.targets[trace.sites[0]].add(trace.function)

    def stay(self, body: Body, labels: Mapping[str, str], heat: Heat, share: float) -> Iterator[Stays]:
        """The calls and tail calls of a body that were made.  `labels`: from original to copy, `heat`: of the
        copy, `share`: the part of the body's executions that it takes over."""
        for block in body.blocks:
            last = block.insns[-1] if block.insns else None
            kind = flow(last.raw) if last is not None else Flow.NEXT
            leaves = last is not None and kind is Flow.JUMP_INDIRECT and jump_table(last) is None
            ran = self.profile.blocks.get(block.label, 0)
            if last is not None and ran and (leaves or kind in CALLS):
                callee, count = body.index.callee(last), heat.block(labels[block.label])
                yield Stays(block.label, last.origin, count, self._why(block, callee, tail=leaves))
            for name, executed in self._tails(body, block, share):
                address = last.origin if last is not None else None
                yield Stays(block.label, address, executed, self._why(block, name, tail=True))

    def _tails(self, body: Body, block: Block, share: float) -> Iterator[tuple[str, float]]:
        """Functions for which the block leaves, and how often."""
        targets = [e.target for e in body.index.edges(block) if e.way not in EXCEPTIONAL and body.leaves(e)]
        for target in dict.fromkeys(targets):
            executed = self.profile.edges.get((block.label, target), 0) * share
            if executed:
                yield target, executed

    def _why(self, block: Block, callee: str | None, *, tail: bool) -> Why:
        """Return addresses of tail calls lie on no stack: traces do not tell of them."""
        found = {callee} if callee else self.targets.get(block.label, set())
        detail = ", ".join(sorted(found)) or UNKNOWN
        if found and not found & self.traced:
            return Why(Reason.NOT_HOT, detail)
        if tail:
            return Why(Reason.TAIL_CALL, detail)
        return Why(Reason.COLD if self.targets.get(block.label) else Reason.NO_TRACE, detail)
