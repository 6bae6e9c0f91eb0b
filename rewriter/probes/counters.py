"""Count how often every block and every edge of a program is executed (§2 step 2, §3.2).

Every block of every function that may be changed gets a 64-bit counter.  An edge gets one only where the block
counts leave it open: of the two ways out of a branch at most one, of a loop one, of most code none (see
`Conservation`, which also derives the others, and `edges` for how a counter gets onto an edge).

    sys_lseek.3:                        sys_lseek.3:
        test eax, eax                       add dword ptr ss:[__hotpath_counts + 24], 1
        js   sys_lseek.5          ⇒         adc dword ptr ss:[__hotpath_counts + 28], 0
                                            test eax, eax
                                            js   sys_lseek.5

Refused, and counted by reason: pinned functions, and those that run where virtual addresses mean nothing.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from rewriter.analysis.graph import Index, Way
from rewriter.contract import Contract
from rewriter.ir import DATA_IN_TEXT, Block, Function, Program
from rewriter.probes.areas import ProbeError, add_zeroed, register
from rewriter.probes.conservation import Conservation
from rewriter.probes.edges import Graph, graph_of, lead_through
from rewriter.probes.flags import LiveFlags
from rewriter.probes.increment import COUNTER, delays_interrupts, increment, place
from rewriter.probes.physical import physical_functions
from rewriter.profile import Edge

COUNTS = "__hotpath_counts"
NO_PLACE = "a block may not be interrupted anywhere"


@dataclass(frozen=True, slots=True)
class Counters:
    """What was inserted, and how to read it.  All labels are those of the program before."""

    blocks: tuple[str, ...]  # the order of the counters: blocks first
    measured: tuple[Edge, ...]  # edges with counters
    edges: tuple[Edge, ...]  # all edges out of counted blocks
    conservation: Conservation
    types: tuple[int, ...]  # kprofile's types that write the counters out; the first is preferred
    handled: int  # functions with counters
    refused: Mapping[str, int]  # functions without, by reason

    @property
    def size(self) -> int:
        """Bytes of all counters."""
        return COUNTER * (len(self.blocks) + len(self.measured))

    def read(self, frames: Mapping[int, bytes]) -> tuple[dict[str, int], dict[Edge, int]]:
        """Block and edge counts from what kprofile wrote out, by type.  Raises ProbeError where it is not there."""
        for number in self.types:
            if number in frames:
                return self.decode(frames[number])
        raise ProbeError("kprofile wrote neither blocks nor edges")

    def decode(self, raw: bytes) -> tuple[dict[str, int], dict[Edge, int]]:
        """Block and edge counts from the bytes of `__hotpath_counts`.  Raises ProbeError."""
        if len(raw) != self.size:
            raise ProbeError(f"{len(raw)} bytes of counters, expected {self.size}")
        values = [value for (value,) in struct.iter_unpack("<Q", raw)]
        blocks = dict(zip(self.blocks, values, strict=False))
        measured = dict(zip(self.measured, values[len(blocks) :], strict=True))
        solved = self.conservation.solve(blocks, measured, self.edges)
        return blocks, {edge: solved[edge] for edge in self.edges}

    def unfinished(self, blocks: Mapping[str, int], edges: Mapping[Edge, int]) -> dict[str, int]:
        """Flow to the virtual exit: how much more often a block was entered than left by an edge, where that is
        not 0.  Calls that never return, calls under way at the read-out, faults; below 0 where counting began
        inside of a call.  Blocks that end without an edge (`ret`) are not meant."""
        left = {source: 0 for source, _ in self.edges}
        for (source, _), taken in edges.items():
            left[source] += taken
        return {label: blocks[label] - n for label, n in left.items() if blocks[label] != n}


def insert_counters(program: Program, contract: Contract) -> Counters:
    """Insert counters into the program, in place.  Raises ProbeError."""
    index = Index(program)
    refused = _refusals(program, index)
    counted = [function for function in program.functions if function.name not in refused]
    graph = graph_of(program, index, {function.name for function in counted})
    blocks = tuple(block.label for function in counted for block in function.blocks)
    conservation = Conservation(blocks, graph.entered, graph.left)
    measured = tuple(conservation.to_count(graph.dearest_first()))
    _Insertion(program, index, counted).insert(blocks, measured, graph)
    data = add_zeroed(program, COUNTS, COUNTER * (len(blocks) + len(measured)))
    # Both types name all counters: edges follow from blocks, so that one snapshot must hold both.
    numbers = (register(program, contract, kind, data) for kind in ("edges", "blocks"))
    return Counters(
        blocks,
        measured,
        tuple(graph.edges),
        conservation,
        tuple(number for number in numbers if number is not None),
        len(counted),
        dict(sorted(Counter(reason for reason in refused.values() if reason != DATA_IN_TEXT).items())),
    )


def _refusals(program: Program, index: Index) -> dict[str, str]:
    """Functions that get no counters, with the reason."""
    refused = physical_functions(program, index)
    refused |= {function.name: function.pins[0] for function in program.functions if function.pins}
    for label in sorted(_shadowed(program) & index.blocks.keys()):
        block = index.blocks[label]
        if place(block, [0] * (len(block.insns) + 1), shadowed=True) is None:
            refused.setdefault(index.owners[label].name, NO_PLACE)
    return refused


def _shadowed(program: Program) -> set[str]:
    """Labels that are entered from an instruction which delays interrupts by one instruction."""
    return {
        block.falls_to
        for function in program.functions
        for block in function.blocks
        if block.falls_to and block.insns and delays_interrupts(block.insns[-1])
    }


class _Insertion:
    """Puts increments where their flags allow it; flags are those of the program before."""

    def __init__(self, program: Program, index: Index, counted: list[Function]) -> None:
        self.program = program
        self.index = index
        self.counted = counted
        self.live = LiveFlags(program, index)
        self.shadowed = _shadowed(program)
        self.taken = set(index.blocks)

    def insert(self, blocks: tuple[str, ...], measured: tuple[Edge, ...], graph: Graph) -> None:
        offsets = {label: COUNTER * i for i, label in enumerate(blocks)}
        live = {label: self.live.before(self.index.blocks[label]) for label in blocks}
        for label in blocks:
            self._count_block(self.index.blocks[label], live[label], offsets[label])
        following: dict[str, Block] = {}
        last: dict[str, list[Block]] = {}
        for i, edge in enumerate(measured, len(blocks)):
            owner, ways = self.index.owners[edge[0]].name, graph.edges[edge]
            new = Block(self._fresh(edge[0]), increment(COUNTS, COUNTER * i, self.live.at(edge[1])))
            lead_through(self.program, self.index, edge, ways, new)
            if Way.FALL in ways or Way.RETURN in ways:
                following[edge[0]] = new
            else:
                last.setdefault(owner, []).append(new)
        for function in self.counted:
            pairs = [(block, following.get(block.label)) for block in function.blocks]
            function.blocks = [b for pair in pairs for b in pair if b] + last.get(function.name, [])

    def _fresh(self, source: str) -> str:
        """A new label for a block on an edge out of `source`."""
        label = next(name for n in count() if (name := f"{source}.edge{n}") not in self.taken)
        self.taken.add(label)
        return label

    def _count_block(self, block: Block, live: list[int], offset: int) -> None:
        at = place(block, live, block.label in self.shadowed)
        assert at is not None
        block.insns[at:at] = increment(COUNTS, offset, live[at])
