"""From call traces to the tree of calls to inline below a system-call handler (§4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rewriter.analysis.graph import Index
from rewriter.passes.heat import COLD_BELOW
from rewriter.profile import Trace


@dataclass(frozen=True, slots=True)
class Path:
    """Inline the call that ends block `site` (a label of the original program), which enters `callee`, and then
    the calls `inner` in that copy.  `others`: the share of calls that enter other functions, and their names.

    `made`: how often the call was seen; `below`: how often those at each site of its callee were, in this context."""

    site: str
    callee: str
    inner: tuple[Path, ...] = ()
    others: tuple[float, str] = (0.0, "")
    made: int = 0
    below: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.site} calls {self.callee}"


@dataclass(slots=True)
class _Node:
    """Counts of the functions that a call enters, and what is called below each."""

    entered: dict[str, int] = field(default_factory=dict)
    below: dict[str, dict[str, _Node]] = field(default_factory=dict)  # callee → site → node


def hot_paths(handler: str, traces: Iterable[Trace], index: Index, share: float = COLD_BELOW) -> tuple[Path, ...]:
    """The calls below `handler` that are made at least `share` times as often as the handler runs; of the targets
    of one call, the most frequent (§4.1: at most one)."""
    traces = tuple(traces)
    entries = sum(t.count for t in traces if t.function == handler)
    root: dict[str, _Node] = {}
    for trace in traces:
        for steps in _below(handler, trace, index):
            _count(root, steps, trace.count)
    return _paths(root, entries * share)


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


def _paths(level: dict[str, _Node], least: float) -> tuple[Path, ...]:
    found = []
    for site, node in sorted(level.items()):
        callee = max(sorted(node.entered), key=lambda name: node.entered[name])
        inner = _paths(node.below.get(callee, {}), least)
        if node.entered[callee] >= least or inner:
            rest = {name: count for name, count in sorted(node.entered.items()) if count and name != callee}
            share = sum(rest.values()) / max(sum(node.entered.values()), 1)
            seen = tuple((at, sum(n.entered.values())) for at, n in sorted(node.below.get(callee, {}).items()))
            found.append(Path(site, callee, inner, (share, ", ".join(rest)), node.entered[callee], seen))
    return tuple(found)
