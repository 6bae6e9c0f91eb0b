"""What the stack walk found, in the labels of the original program (§3.1, §3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.analysis.callgraph import CallGraph
from rewriter.probes.areas import ProbeError
from rewriter.probes.table import BoundedTable, Key, Shape, Totals, read_tables
from rewriter.profile import Trace

__all__ = ["Stacks", "Totals", "plausible"]


@dataclass(frozen=True, slots=True)
class Stacks:
    """How to read what kprofile's type `stacks` writes out: one table T_f for each function, in order."""

    functions: tuple[str, ...]
    sites: tuple[str, ...]  # labels of blocks that end with a call; site i has number i + 1 in a key
    shape: Shape
    type: int | None  # kprofile's type number, None where the kernel has no kprofile
    refused: Mapping[str, int]  # functions without a probe, by reason

    @property
    def size(self) -> int:
        """Bytes of all tables."""
        return self.shape.size * len(self.functions)

    def read(self, frame: bytes) -> list[Trace]:
        """All traces, function by function, in the order of the tables.  Raises ProbeError."""
        return [
            Trace(name, self._trace(slot.key), slot.count)
            for name, table in self.tables(frame).items()
            for slot in table.occupied
        ]

    def totals(self, frame: bytes) -> dict[str, Totals]:
        """How many entries each function saw, and how many of them no trace tells of.  Raises ProbeError."""
        return {name: table.totals for name, table in self.tables(frame).items()}

    def tables(self, frame: bytes) -> dict[str, BoundedTable]:
        """The tables as they lay in memory, by function.  Raises ProbeError."""
        return read_tables(self.shape, self.functions, frame)

    def _trace(self, key: Key) -> tuple[str, ...]:
        """The walk pushes what it finds: the innermost site is the last word, unused words come first."""
        numbers = [word for word in reversed(key) if word]
        if any(number > len(self.sites) for number in numbers):
            raise ProbeError(f"a trace names call site {max(numbers)} of {len(self.sites)}")
        return tuple(self.sites[number - 1] for number in numbers)


def plausible(trace: Trace, calls: CallGraph) -> bool:
    """Whether each site's call can reach the function that holds the site below it, the innermost the traced
    function itself.  `calls`: of the program that was probed, before its probes.

    A stale return address left in a frame, or a code address that looks like one, makes a trace implausible.
    """
    index, inner = calls.index, trace.function
    for site in trace.sites:
        if site not in index.blocks or inner not in calls.entered_by(index.blocks[site]):
            return False
        inner = index.owners[site].name
    return True
