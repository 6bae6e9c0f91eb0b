"""Which edges must be counted, so that the block counts give all others: flow is conserved (§2, edge profiles).

What enters a block leaves it.  For each counted block this gives two equations: its count is the sum over the
edges into it, and the sum over the edges out of it.  Draw every block as two nodes, *in* and *out*, and every
edge u → v as a line between out(u) and in(v).  A set of unknown edges can be solved for exactly where it has no
cycle: the last unknown line at a node is what is missing there.  So the lines of a spanning forest stay
uncounted, and every line that would close a cycle gets a counter.

Where control may come or go by other ways than edges (a function's entry, a call that never returns) the
equation does not hold.  All such nodes are one, the `OUTSIDE`, which has no equation.

    a two-way branch, both ways joining again:   a → b, a → c, b → d, c → d:    no edge needs a counter
    a loop with an early exit into it:           one counter for each independent cycle
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping

from rewriter.profile import Edge

Node = tuple[str, str]
OUTSIDE: Node = ("outside", "")


class Conservation:
    """The flow equations of a program.

    counted: labels of the blocks that have counters.
    entered: those of them which control also enters by ways that are no edges; left: also leaves.
    """

    def __init__(self, counted: Collection[str], entered: Collection[str], left: Collection[str]) -> None:
        self._sources = frozenset(counted) - frozenset(left)
        self._targets = frozenset(counted) - frozenset(entered)

    def _ends(self, edge: Edge) -> tuple[Node, Node]:
        source, target = edge
        return (
            ("out", source) if source in self._sources else OUTSIDE,
            ("in", target) if target in self._targets else OUTSIDE,
        )

    def to_count(self, edges: Iterable[Edge]) -> list[Edge]:
        """Those of the edges which the block counts do not give; edges that come first are spared first."""
        leaders: dict[Node, Node] = {}

        def leader(node: Node) -> Node:
            while (above := leaders.get(node, node)) != node:
                leaders[node] = leaders.get(above, above)
                node = above
            return node

        chosen = []
        for edge in edges:
            first, second = (leader(node) for node in self._ends(edge))
            if first == second:
                chosen.append(edge)
            else:
                leaders[first] = second
        return chosen

    def solve(self, blocks: Mapping[str, int], measured: Mapping[Edge, int], edges: Iterable[Edge]) -> dict[Edge, int]:
        """The counts of all `edges`, from those of the blocks and of the measured edges.

        A block in which the read-out found control midway breaks its equation by one; a count that would become
        negative by that is 0.
        """
        missing: dict[Node, int] = {}  # what the unknown edges at a node sum up to
        unknown: dict[Node, dict[Edge, None]] = {}
        counts = dict(measured)
        for edge in edges:
            for node in self._ends(edge):
                if node != OUTSIDE:
                    missing.setdefault(node, blocks.get(node[1], 0))
                    if edge in measured:
                        missing[node] -= measured[edge]
                    else:
                        unknown.setdefault(node, {})[edge] = None
        ready = deque(node for node, lines in unknown.items() if len(lines) == 1)
        while ready:
            node = ready.popleft()
            if len(unknown[node]) != 1:
                continue
            (edge,) = unknown[node]
            counts[edge] = max(0, missing[node])
            for end in set(self._ends(edge)) - {OUTSIDE}:
                del unknown[end][edge]
                missing[end] -= counts[edge]
                if len(unknown[end]) == 1:
                    ready.append(end)
        return counts
