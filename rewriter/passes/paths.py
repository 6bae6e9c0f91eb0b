"""From call traces to the tree of calls to inline below a system-call handler (§4.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from rewriter.analysis.graph import Index
from rewriter.passes.heat import COLD_BELOW
from rewriter.profile import Trace
from rewriter.x86.flow import Flow, flow

TARGETS = 4  # of one indirect call: each costs those behind it a test


@dataclass(frozen=True, slots=True)
class Path:
    """Inline the call that ends block `site` (a label of the original program), which enters `callee`, and then
    the calls `inner` in that copy.  `others`: the share of calls that enter other functions, and their names; the
    most frequent of them, if it is frequent enough, is `next`, whose shares are of those calls.

    `made`: how often the call was seen; `below`: how often those at each site of its callee were, in this context."""

    site: str
    callee: str
    inner: tuple[Path, ...] = ()
    others: tuple[float, str] = (0.0, "")
    made: int = 0
    below: tuple[tuple[str, int], ...] = ()
    next: Path | None = None

    def __str__(self) -> str:
        return f"{self.site} calls {self.callee}"


@dataclass(slots=True)
class _Node:
    """Counts of the functions that a call enters, and what is called below each."""

    entered: dict[str, int] = field(default_factory=dict)
    below: dict[str, dict[str, _Node]] = field(default_factory=dict)  # callee → site → node


def hot_paths(
    handler: str,
    traces: Iterable[Trace],
    index: Index,
    share: float = COLD_BELOW,
    *,
    pointers: Collection[str] | None = None,
    targets: int = TARGETS,
) -> tuple[Path, ...]:
    """The calls below `handler` that are made at least `share` times as often as the handler runs; of the targets
    of one call, the `targets` most frequent (§4.1: at most one).  `pointers`: functions that an indirect call may lead
    to, where that is known: others are seen there where those end with a tail call."""
    traces = tuple(traces)
    entries = sum(t.count for t in traces if t.function == handler)
    root: dict[str, _Node] = {}
    for trace in traces:
        for steps in _below(handler, trace, index):
            _count(root, steps, trace.count)
    return _Choice(index, entries * share, pointers, targets).paths(root)


def _below(handler: str, trace: Trace, index: Index) -> Iterable[list[tuple[str, str]]]:
    """(site, function entered there), from the handler inwards, if the trace leads through it."""
    entered = [trace.function, *(index.owners[site].name for site in trace.sites if site in index.owners)]
    if handler not in entered[1:]:
        return []
    depth = len(entered) - 1 - entered[::-1].index(handler)  # the outermost: that is the one the gate called
    return [list(zip(reversed(trace.sites[:depth]), reversed(entered[:depth]), strict=True))]


def _count(root: dict[str, _Node], steps: list[tuple[str, str]], count: int) -> None:
    """A trace of the innermost function counts its last step; the calls around it have traces of their own."""
    level = root
    for position, (site, callee) in enumerate(steps):
        node = level.setdefault(site, _Node())
        node.entered[callee] = node.entered.get(callee, 0) + (count if position == len(steps) - 1 else 0)
        level = node.below.setdefault(callee, {})


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which calls become paths: those that are made `least` times, or have such calls below them."""

    index: Index
    least: float
    pointers: Collection[str] | None
    targets: int

    def paths(self, level: dict[str, _Node]) -> tuple[Path, ...]:
        found = []
        for site, node in sorted(level.items()):
            ranked = sorted(node.entered, key=lambda name: (not self._pointed(site, name), -node.entered[name], name))
            path = self._path(site, node, ranked, self.targets)
            if path is not None:
                found.append(path)
        return tuple(found)

    def _path(self, site: str, node: _Node, ranked: list[str], targets: int) -> Path | None:
        """To the first of the functions that are entered, and to those behind it."""
        callee, *rest = ranked
        inner = self.paths(node.below.get(callee, {}))
        if node.entered[callee] < self.least and not inner:
            return None
        others = {name: node.entered[name] for name in sorted(rest) if node.entered[name]}
        share = sum(others.values()) / max(node.entered[callee] + sum(others.values()), 1)
        seen = tuple((at, sum(n.entered.values())) for at, n in sorted(node.below.get(callee, {}).items()))
        more = [name for name in rest if self._pointed(site, name) and node.entered[name] >= self.least]
        ways = targets if self._indirect(site) else 1
        after = self._path(site, node, rest, ways - 1) if more[:1] == rest[:1] and more and ways > 1 else None
        return Path(site, callee, inner, (share, ", ".join(others)), node.entered[callee], seen, after)

    def _indirect(self, site: str) -> bool:
        block = self.index.blocks.get(site)
        return block is not None and bool(block.insns) and flow(block.insns[-1].raw) is Flow.CALL_INDIRECT

    def _pointed(self, site: str, name: str) -> bool:
        """Whether the call at a site may lead to a function, as far as we know."""
        return self.pointers is None or name in self.pointers or not self._indirect(site)
