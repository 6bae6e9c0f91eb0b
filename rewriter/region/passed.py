"""Which values are used at all, once the whole tree is there: words of a loop that nobody asks for are dropped, and
what a callee may leave alone in a register is there before the call, if it is used behind it."""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.region.tree import Again, Effect, Enter, Node, exits, nodes
from rewriter.region.value import Value


def pass_on(root: Node) -> None:
    """Find them, from those that are used for themselves to those that these come from."""
    every = list(nodes(root))
    bound: dict[Value, list[Value]] = {}
    for node in every:
        for word, value in node.end.bindings.items() if isinstance(node.end, Enter | Again) else ():
            bound.setdefault(word, []).append(value)
    through: dict[Value, tuple[Effect, str]] = {
        effect.results[register]: (effect, register)
        for node in every
        for effect in node.effects
        for register in effect.passed
    }
    used: set[Value] = set()
    pending = list(_certain(root, every))
    while pending:
        value = pending.pop()
        if value in used:
            continue
        used.add(value)
        pending += [*value.parts, *bound.get(value, ())]
        if value in through:
            effect, register = through[value]
            effect.inputs[register] = effect.passed[register]
            pending.append(effect.passed[register])
    for node in every:
        if isinstance(node.end, Enter | Again):
            node.end.bindings = {word: value for word, value in node.end.bindings.items() if word in used}


def _certain(root: Node, every: list[Node]) -> Iterator[Value]:
    """Values that an effect, an exit, a branch or a return uses."""
    for node in every:
        for effect in node.effects:
            yield from effect.uses()
        if node.end is not None and not isinstance(node.end, Enter | Again):
            yield from node.end.uses()
    for way_out in exits(root):
        yield from way_out.uses()
