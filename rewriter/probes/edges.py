"""The edges of a program, and how a counter gets onto one: a new block between its ends (§2, edge profiles).

On a fall-through edge the new block follows its source and costs no jump.  On a taken branch, a jump or the way
to a fixup it goes behind the function's other blocks, and jumps on.  An edge of a jump table gets a table of
its own, in which the entries of that target lead to the new block: others may read the original table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from rewriter.analysis.graph import EXCEPTIONAL, WORD, Index, Way, branch_target, jump_table
from rewriter.ir import Block, Data, Program, Ref, RefKind
from rewriter.profile import Edge
from rewriter.x86.flow import CALLS, Flow, flow

# What a counter costs, dearest first: those edges should rather follow from other counts.
_COST = (Way.RETURN, Way.TABLE, Way.FAULT, Way.THROW, Way.JUMP, Way.TAKEN, Way.FALL)
_OPEN = (*CALLS, Flow.RETURN, Flow.IRET, Flow.STOP)  # control may go elsewhere
_BRANCHES = (Flow.JUMP, Flow.BRANCH)

Word = tuple[str, int]  # data, offset


@dataclass(frozen=True, slots=True)
class Graph:
    """The edges out of the counted functions, and the blocks where flow is not conserved (see `Conservation`)."""

    edges: Mapping[Edge, frozenset[Way]]
    entered: frozenset[str]
    left: frozenset[str]

    def dearest_first(self) -> list[Edge]:
        """The edges in the order in which they should be spared a counter."""
        return sorted(self.edges, key=lambda edge: min(_COST.index(way) for way in self.edges[edge]))


def graph_of(program: Program, index: Index, counted: Collection[str]) -> Graph:
    """The graph of the functions whose names are `counted`."""
    edges: dict[Edge, set[Way]] = {}
    entered = set(index.functions) | {program.entry}
    left: set[str] = set()
    starts = _named_words(program)
    tables: set[Word] = set()
    for function in program.functions:
        for block in function.blocks:
            words = table_words(block, index, starts)
            tables |= set(words)
            ways: list[tuple[str, Way]] = [
                (edge.target, edge.way) for edge in index.edges(block) if edge.way is not Way.TABLE
            ]
            ways += [(index.data[name].refs[offset].target, Way.TABLE) for name, offset in words]
            if function.name not in counted:
                entered |= {target for target, _ in ways}
                continue
            for target, way in ways:
                edges.setdefault((block.label, target), set()).add(way)
            if _leaves_otherwise(block, words):
                left.add(block.label)
    entered |= set(_named(program, tables))
    return Graph({edge: frozenset(ways) for edge, ways in edges.items()}, frozenset(entered), frozenset(left))


def _named_words(program: Program) -> set[Word]:
    """The places in data that instructions name: there, one jump table ends and another begins."""
    return {(ref.target, ref.addend) for f in program.functions for insn in f.insns() for ref in insn.refs}


def table_words(block: Block, index: Index, ends: Collection[Word] = ()) -> list[Word]:
    """The words of the jump table that ends the block, and all behind that name blocks, up to the first of `ends`:
    the table may end before the last of them, but not later."""
    ref = jump_table(block.insns[-1]) if block.insns else None
    words: list[Word] = []
    if ref is None or ref.target not in index.data:
        return words
    refs, word = index.data[ref.target].refs, (ref.target, ref.addend)
    while (entry := refs.get(word[1])) and entry.target in index.blocks and (not words or word not in ends):
        words.append(word)
        word = (ref.target, word[1] + WORD)
    return words


def _leaves_otherwise(block: Block, words: Collection[Word]) -> bool:
    """Whether control may leave the block by a way that is no edge."""
    kind = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
    if kind is Flow.JUMP_INDIRECT:
        return not words
    if kind in _BRANCHES:
        return branch_target(block.insns[-1]) is None
    return kind in _OPEN


def _named(program: Program, tables: Collection[Word]) -> Iterator[str]:
    """Labels which something other than a jump, a branch or a known jump table names."""
    if program.unwinding is not None:
        yield from program.unwinding.pads()
    for data in program.data:
        yield from (ref.target for offset, ref in data.refs.items() if (data.name, offset) not in tables)
    for function in program.functions:
        for insn in function.insns():
            if insn.refs and (insn.refs[0].kind is RefKind.ABS32 or flow(insn.raw) not in _BRANCHES):
                yield from (ref.target for ref in insn.refs)


def lead_through(program: Program, index: Index, edge: Edge, ways: Collection[Way], new: Block) -> None:
    """Make every way from the edge's source to its target pass the block `new`; the caller places it."""
    source, target = edge
    block = index.blocks[source]
    index.blocks[new.label] = new
    new.falls_to = target
    if Way.TABLE in ways:
        _clone_table(program, index, block, target, new.label)
    if Way.JUMP in ways or Way.TAKEN in ways:
        (ref,) = block.insns[-1].refs
        block.insns[-1] = replace(block.insns[-1], refs=(replace(ref, target=new.label),))
    if any(way in EXCEPTIONAL for way in ways):
        block.insns[-1] = replace(block.insns[-1], faults_to=new.label)
    if Way.FALL in ways or Way.RETURN in ways:
        block.falls_to = new.label


def _clone_table(program: Program, index: Index, block: Block, target: str, label: str) -> None:
    """Give the block's jump a table of its own, in which `label` stands for `target`.  It has every word that the
    old one may have, since a table too short would lead anywhere."""
    old = jump_table(block.insns[-1])
    assert old is not None
    words = table_words(block, index)
    entries = [index.data[name].refs[offset] for name, offset in words]
    clone = Data(f"{block.label}.counted_table", None, bytes(WORD * len(words)), writable=False)
    for i, ref in enumerate(entries):
        led = label if ref.target == target and not ref.addend else ref.target
        clone.refs[WORD * i] = Ref(WORD * i, ref.kind, led, ref.addend)
    program.data = [data for data in program.data if data.name != clone.name] + [clone]
    index.data[clone.name] = clone
    block.insns[-1] = replace(block.insns[-1], refs=(Ref(old.offset, old.kind, clone.name),))
