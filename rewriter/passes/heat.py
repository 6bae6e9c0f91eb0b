"""How often blocks and edges of cloned code run, from counts of the originals (§3.2, §4.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rewriter.passes.fit import fitted
from rewriter.profile import Edge

COLD_BELOW = 1 / 8  # of the function's entries: a block that runs less often is cold


class Counted:
    """The counts of edges, to be asked for those of a few blocks."""

    def __init__(self, edges: Mapping[Edge, int]) -> None:
        self._from: dict[str, list[tuple[int, Edge, int]]] = {}
        for number, (edge, count) in enumerate(edges.items()):
            self._from.setdefault(edge[0], []).append((number, edge, count))

    def among(self, labels: Collection[str]) -> list[tuple[Edge, int]]:
        """Edges from one of these blocks to another, in the order of all."""
        found = sorted(each for label in labels for each in self._from.get(label, ()))
        return [(edge, count) for _, edge, count in found if edge[1] in labels]


@dataclass(slots=True)
class Heat:
    """Expected executions, by label and by (from, to); what is missing is 0."""

    blocks: dict[str, float] = field(default_factory=dict)
    edges: dict[tuple[str, str], float] = field(default_factory=dict)

    def block(self, label: str) -> float:
        return self.blocks.get(label, 0.0)

    def edge(self, source: str, target: str) -> float:
        return self.edges.get((source, target), 0.0)

    def hot(self, label: str, entry: str) -> bool:
        """Whether a block runs often enough, compared with the function's entry, to be worth work and space."""
        return self.block(label) > 0 and self.block(label) >= self.block(entry) * COLD_BELOW

    def take(
        self,
        labels: Mapping[str, str],
        blocks: Mapping[str, int],
        counted: Counted,
        share: float,
        known: Mapping[str, float] | None = None,
    ) -> None:
        """Count clones (original label → clone, the entry first) with `share` of what was counted for the originals;
        `known`: what is known of the executions of some in this context, by original label."""
        entries = blocks.get(next(iter(labels)), 0) * share
        for original, copy in labels.items():
            self.blocks[copy] = _expected(blocks.get(original, 0), share, entries)
        for (source, target), count in counted.among(labels):
            self.edges[labels[source], labels[target]] = _expected(count, share, entries)
        if known:
            entry = next(iter(labels.values()))
            mine = set(labels.values())
            flow = {edge: count for edge, count in self.edges.items() if edge[0] in mine and edge[1] in mine}
            found, ways = fitted(entry, self.blocks[entry], flow, {labels[label]: n for label, n in known.items()})
            self.blocks |= {label: found.get(label, 0.0) for label in mine}
            self.edges |= ways

    def copy(self) -> Heat:
        return Heat(dict(self.blocks), dict(self.edges))

    def keep(self, labels: Collection[str]) -> None:
        """Forget all blocks but these, and the edges from them."""
        self.blocks = {label: count for label, count in self.blocks.items() if label in labels}
        self.edges = {edge: count for edge, count in self.edges.items() if edge[0] in labels}

    def flow(self, source: str, target: str, count: float) -> None:
        """Set the count of one edge."""
        self.edges[source, target] = count

    def split(self, source: str, target: str, middle: str) -> None:
        """A new block stands on this edge."""
        count = self.edges.pop((source, target), 0.0)
        self.blocks[middle] = self.block(middle) + count
        self.edges[source, middle] = self.edges[middle, target] = count


def _expected(count: int, share: float, entries: float) -> float:
    """Of `count` executions, those in a copy that is entered `entries` times: its share, unless that makes cold what
    may be the rule in this context.  Sixteen misses of a cache among four hundred hits are nothing, but to a caller
    who came sixteen times they may be all."""
    scaled = count * share
    if scaled < entries * COLD_BELOW and count * 2 >= entries:
        return min(count, entries) / 2
    return scaled
