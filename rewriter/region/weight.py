"""How often the pieces of a tree are expected to run, once it is known which paths come back to a loop."""

from __future__ import annotations

from rewriter.region.tree import Again, Branch, Enter, Exit, Node, nodes

_ROUNDS = 200  # of the iteration
_NEARLY = 0.001  # of what comes in: less than that is nothing


def weigh(root: Node) -> None:
    """Let as much come out of every piece as goes in, in the shares of each branch."""
    order = list(nodes(root))
    tops = {id(node.end.top): node.end.top for node in order if isinstance(node.end, Enter | Again)}
    if not tops:
        return
    shares = {id(node): _shares(node) for node in order}
    arriving = dict.fromkeys(tops, 0.0)
    for _ in range(_ROUNDS):
        found = dict.fromkeys(tops, 0.0)
        for node in order:
            for top, weight in _flow(node, shares[id(node)]):
                found[id(top)] += weight
        change = max(abs(found[key] - arriving[key]) for key in found)
        arriving = found
        for key, top in tops.items():
            top.weight = arriving[key]
        if change <= _NEARLY * root.weight:
            break


def _shares(node: Node) -> tuple[float, ...]:
    children = node.children() if isinstance(node.end, Branch) else ()
    total = sum(child.weight for child in children)
    return tuple(child.weight / total if total > 0 else 1 / len(children) for child in children)


def _flow(node: Node, shares: tuple[float, ...]) -> list[tuple[Node, float]]:
    """Give the pieces behind a branch their shares; what goes to a join is returned."""
    if isinstance(node.end, Enter | Again):
        return [(node.end.top, node.weight)]
    if isinstance(node.end, Exit):
        node.end.weight = node.weight
    if isinstance(node.end, Branch):
        for child, share in zip(node.children(), shares, strict=True):
            child.weight = node.weight * share
    return []
