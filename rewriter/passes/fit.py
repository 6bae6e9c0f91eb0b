"""Counts of one context from counts of all of them, where some of its blocks are known (§3.1, §4.1).

Edge counters do not say who called; call traces do.  If a cache is asked 400 times and misses 16 times, but the caller
whose copy this is came 16 times and the traces have 16 calls of the allocator below it, then all its lookups miss.
Edges are scaled, in turn, until as much flows into each block as out of it, and through those that are known what is
known, forwards and backwards: iterative proportional fitting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ROUNDS: Final = 100
Edge = tuple[str, str]


@dataclass(slots=True)
class _Flow:
    edges: dict[Edge, float]
    into: dict[str, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    out: dict[str, list[Edge]] = field(default_factory=lambda: defaultdict(list))

    def sum(self, edges: list[Edge]) -> float:
        return sum(self.edges[edge] for edge in edges)

    def scale(self, edges: list[Edge], total: float) -> None:
        now = self.sum(edges)
        if now > 0:
            for edge in edges:
                self.edges[edge] *= total / now


def fitted(
    entry: str, entries: float, edges: Mapping[Edge, float], known: Mapping[str, float]
) -> tuple[dict[str, float], dict[Edge, float]]:
    """Counts of blocks and edges, `entries` times from `entry`; `known`: executions of blocks.  Blocks that no edge of
    the profile leads to are missing.  An entry must not be jumped back to."""
    flow = _Flow(dict(edges))
    for edge in edges:
        flow.out[edge[0]].append(edge)
        flow.into[edge[1]].append(edge)
    order = _from(entry, flow)
    for _ in range(ROUNDS):
        for label in order:
            comes = flow.sum(flow.into[label]) + (entries if label == entry else 0.0)
            flow.scale(flow.out[label], known.get(label, comes))
        for label in reversed(order):
            goes = flow.sum(flow.out[label] or flow.into[label])
            flow.scale(flow.into[label], known.get(label, goes))
    blocks = {label: flow.sum(into) for label, into in flow.into.items()}
    blocks[entry] = blocks.get(entry, 0.0) + entries
    return blocks, flow.edges


def _from(entry: str, flow: _Flow) -> list[str]:
    """All blocks that are reached, those before a block mostly before it."""
    order: dict[str, None] = {}
    pending = [entry]
    while pending:
        label = pending.pop(0)
        if label not in order:
            order[label] = None
            pending += [target for _, target in flow.out[label]]
    return list(order)
