"""Figure 4: the hot call paths of every system call, as one tree a call.

A trace tells one way to one function.  All traces that came through the gate's call of a handler, laid over each
other, are the tree of what runs below that system call; each leaf that is entered often enough ends a hot path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rewriter.analysis.callgraph import CallGraph
from rewriter.analysis.gates import is_indirect
from rewriter.analysis.graph import Index
from rewriter.profile import Trace
from rewriter.report import DIRECT, INDIRECT, JUMPED, Branch, Tree

HOT = 1 / 100  # of a call's entries: what is entered less often lies on none of its hot paths

Step = tuple[str, str]  # the site of a call, and the function that was entered there


@dataclass(slots=True)
class _Node:
    """One function, entered by one chain of calls."""

    most: int  # entries of the function, whoever called it
    count: int = 0  # of its own traces
    inner: dict[Step, _Node] = field(default_factory=dict)

    @property
    def entries(self) -> int:
        """Where the function has no table of its own: as often as what it calls, for all that is known."""
        return self.count or min(self.most, max((node.entries for node in self.inner.values()), default=0))


@dataclass(frozen=True, slots=True)
class Way:
    """One hot path: the functions from the gate inwards, and how each but the first was entered."""

    functions: tuple[str, ...]
    marks: tuple[str, ...]
    count: int

    def row(self) -> dict[str, object]:
        indirect = [mark == INDIRECT for mark in self.marks]
        return {"functions": list(self.functions), "indirect": indirect, "count": self.count}


def call_trees(
    traces: Iterable[Trace], names: Mapping[str, str], graph: CallGraph, entries: Mapping[str, int]
) -> dict[str, Tree]:
    """The tree of every system call, the most frequent call first.  `names`: of the calls, by their handlers;
    `entries`: how often each function was entered."""
    found: dict[Step, _Node] = {}
    for trace in traces:
        steps = _steps(trace, graph.index)
        gate = next((n for n, s in enumerate(steps) if s[1] in names and is_indirect(graph.index.blocks[s[0]])), None)
        if gate is not None:
            node = found.setdefault(steps[gate], _Node(entries.get(steps[gate][1], 0)))
            for step in steps[gate + 1 :]:
                node = node.inner.setdefault(step, _Node(entries.get(step[1], 0)))
            node.count += trace.count
    order = sorted(found, key=lambda step: (-found[step].entries, step))
    return {names[step[1]]: _tree(step, found[step], names[step[1]], graph) for step in order}


def _steps(trace: Trace, index: Index) -> list[Step]:
    """The calls that were active, outermost first."""
    entered = [trace.function, *(index.owners[site].name for site in trace.sites)]
    return list(zip(trace.sites[::-1], entered[-2::-1], strict=True))


def _tree(gate: Step, node: _Node, name: str, graph: CallGraph) -> Tree:
    handler = _branch(gate, node, node.entries * HOT, graph)
    root = Branch(graph.index.owners[gate[0]].name, handler.count, DIRECT, True, (handler,))
    found = ways(root)
    paths = "1 hot path" if len(found) == 1 else f"{len(found)} hot paths"
    longest = max(len(way.functions) for way in found)
    return Tree(f"{name}: {paths}, the longest through {longest} functions", root)


def _branch(step: Step, node: _Node, least: float, graph: CallGraph) -> Branch:
    """What a function calls stands in the order of its code, what one call enters by frequency."""
    place = {block.label: n for n, block in enumerate(graph.index.functions[step[1]].blocks)}
    order = sorted(node.inner, key=lambda s: (place.get(s[0], len(place)), -node.inner[s].entries, s))
    inner = tuple(_branch(s, node.inner[s], least, graph) for s in order)
    return Branch(step[1], node.entries, _mark(step, graph), node.entries >= least, inner)


def _mark(step: Step, graph: CallGraph) -> str:
    if is_indirect(graph.index.blocks[step[0]]):
        return INDIRECT
    return DIRECT if graph.index.callee(graph.index.blocks[step[0]].insns[-1]) == step[1] else JUMPED


def ways(root: Branch) -> list[Way]:
    """The hot paths of a tree, in the order of their leaves."""
    return list(_ways(root, ()))


def _ways(branch: Branch, above: tuple[Branch, ...]) -> Iterator[Way]:
    path = (*above, branch)
    hot = [inner for inner in branch.inner if inner.hot]
    for inner in hot:
        yield from _ways(inner, path)
    if not hot:
        yield Way(tuple(b.name for b in path), tuple(b.mark for b in path[1:]), branch.count)
