"""What a path is while it is lifted: where it can go on, and the piece that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rewriter.region.joins import Join
from rewriter.region.state import State
from rewriter.region.tree import Again, Node


@dataclass(slots=True)
class Leaf:
    """Where a path can go on: `node` is to be filled from the top of block `label`; `inside` these loops; `under` the
    last join before it, after so many tries; `begins`: it is that join."""

    node: Node
    label: str
    state: State
    seen: dict[str, int]
    inside: tuple[Join, ...] = ()
    under: tuple[Join, int] | None = None
    begins: bool = False

    @property
    def stale(self) -> bool:
        """Whether the join that it comes from has been begun anew since."""
        return self.under is not None and (self.under[0].dead or self.under[0].tries != self.under[1])


@dataclass(slots=True)
class Path:
    """The piece that is being lifted.  A checkpoint is a place before flags were made that are not a value."""

    leaf: Leaf
    node: Node
    checkpoints: list[tuple[int, str, int, State]] = field(default_factory=list)


def reached(root: Node) -> Iterator[Node]:
    """All nodes, those behind joins included."""
    pending, tops = [root], set[int]()
    while pending:
        node = pending.pop()
        yield node
        pending += node.children()
        if isinstance(node.end, Again) and id(node.end.top) not in tops:
            tops.add(id(node.end.top))
            pending.append(node.end.top)


def leads(node: Node, top: Node) -> bool:
    """Whether a piece ends at this join."""
    return isinstance(node.end, Again) and node.end.top is top
