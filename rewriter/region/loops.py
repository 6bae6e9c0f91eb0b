"""Natural loops of the code that is lifted, as they were seen to go round; and an order of its blocks in which what
leads to a block comes before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.analysis.values import Values
from rewriter.passes.heat import Heat


@dataclass(frozen=True, slots=True)
class Cycle:
    """A natural loop of the code: blocks from which its top is reached again; how often the top runs for each time that
    the loop is entered."""

    body: frozenset[str]
    rounds: float


def cycles(values: Values, heat: Heat) -> dict[str, Cycle]:
    """The loops that were seen to go round, by the label of their top."""
    sources: dict[str, list[str]] = {label: [] for label in values.states}
    for label in values.states:
        for edge, _ in values.ways(label):
            if edge.target in sources:
                sources[edge.target].append(label)
    found = {}
    for top in _tops(values):
        body = _body(top, sources, heat, values.entry)
        entered = sum(heat.edge(source, top) for source in sources[top] if source not in body)
        if body and heat.block(top) > entered > 0:
            found[top] = Cycle(frozenset(body), heat.block(top) / entered)
    return found


def _tops(values: Values) -> list[str]:
    """Blocks that a depth-first walk comes back to while it is below them."""
    found: dict[str, None] = {}
    above, seen = {values.entry}, {values.entry}
    stack: list[tuple[str, Iterator[str]]] = [(values.entry, _next(values, values.entry))]
    while stack:
        label, rest = stack[-1]
        for target in rest:
            if target in above:
                found[target] = None
            elif target not in seen and target in values.states:
                seen.add(target)
                above.add(target)
                stack.append((target, _next(values, target)))
                break
        else:
            stack.pop()
            above.remove(label)
    return list(found)


def _next(values: Values, label: str) -> Iterator[str]:
    return iter([edge.target for edge, _ in values.ways(label)])


def _body(top: str, sources: dict[str, list[str]], heat: Heat, entry: str) -> set[str]:
    """Blocks from which the top is reached again, and that are reached through it only."""
    body: set[str] = set()
    for source in sources[top]:
        found, pending = {top}, [source]
        while pending:
            label = pending.pop()
            if label not in found and heat.block(label) > 0:
                found.add(label)
                pending += sources[label]
        if entry not in found or entry == top:
            body |= found if source in found else set()
    return body


def order(values: Values, loops: dict[str, Cycle]) -> dict[str, int]:
    """Positions of blocks: behind all that lead to them, but for loops; what a loop leaves for comes behind it."""
    bodies = sorted((cycle.body for cycle in loops.values()), key=len)
    done: list[str] = []
    seen = {values.entry}
    stack = [(values.entry, _outwards(values, values.entry, bodies))]
    while stack:
        label, rest = stack[-1]
        for target in rest:
            if target not in seen and target in values.states:
                seen.add(target)
                stack.append((target, _outwards(values, target, bodies)))
                break
        else:
            stack.pop()
            done.append(label)
    return {label: number for number, label in enumerate(reversed(done))}


def _outwards(values: Values, label: str, bodies: list[frozenset[str]]) -> Iterator[str]:
    """Where a block leads, out of its loop first."""
    around = next((body for body in bodies if label in body), frozenset())
    return iter(sorted(dict.fromkeys(_next(values, label)), key=lambda target: target in around))
