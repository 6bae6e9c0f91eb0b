"""One worklist for every data-flow problem (§4.2): a problem is its start, its flow and its join."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

N = TypeVar("N", bound=Hashable)
S = TypeVar("S")


def solve(
    start: Iterable[tuple[N, S]],
    flow: Callable[[N, S], Iterable[tuple[N, S]]],
    join: Callable[[N, S | None, S], S],
    order: Mapping[N, int] | None = None,
) -> dict[N, S]:
    """The least state of every node that is reached.

    `flow(node, state)` says what the node hands on, and to whom: successors in a forward problem, predecessors in
    a backward one.  An edge that it leaves out is never taken, which makes constant propagation conditional.
    `join(node, old, new)` is what the node knows when `new` arrives beside `old` (None at the first arrival);
    it must grow towards knowing less, else there is no end.
    `order`: a node that stands before others is looked at before them, which spares work where states flow that
    way; without, it is first come, first served.
    """
    states: dict[N, S] = {}
    pending: dict[N, None] = {}  # an ordered set: results must not depend on hashes

    def deliver(arrivals: Iterable[tuple[N, S]]) -> None:
        for node, new in arrivals:
            old = states.get(node)
            joined = join(node, old, new)
            if old is None or joined != old:
                states[node] = joined
                pending[node] = None

    deliver(start)
    while pending:
        node = next(iter(pending)) if order is None else min(pending, key=lambda n: order.get(n, -1))
        del pending[node]
        deliver(flow(node, states[node]))
    return states
