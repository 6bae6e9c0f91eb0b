"""What a phase shows of itself: a sentence, numbers, tables, listings (§2).

The nine phases yield these; the command, the walkthrough and the tests read nothing else of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the nine phases before it has run: its name, the paper's section, what it is for."""

    name: str
    section: str
    title: str


STAGES = (
    Stage("load", "§2", "The binary becomes functions, blocks, instructions"),
    Stage("values", "§2, §4.2", "What programs ask of the kernel"),
    Stage("count", "§3.2", "Where the kernel spends its instructions"),
    Stage("traces", "§3.1–3.3", "How control got there"),
    Stage("inline", "§4.1", "One new system call, its hot path in one body"),
    Stage("specialize", "§4.2", "What is known there need not be computed"),
    Stage("layout", "§2, §5", "Hot code side by side, cold code out of the way"),
    Stage("retarget", "§2", "Programs use the new system calls"),
    Stage("measure", "§5", "The same behavior, at what cost"),
)
PHASES = tuple(stage.name for stage in STAGES)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equally many cells.  A float under a column named `share` is a fraction of one; int cells are
    shown with separators, so what is a name (an address, a number of a system call) is a str.  `detail`: too much to
    be shown where nobody asks for everything."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    detail: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: a row of {len(row)} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Listing:
    """Assembly before and after, one line an instruction or label; `before` is "" where there was nothing.  `detail`:
    as of a table."""

    title: str
    before: str
    after: str
    detail: bool = False
    notes: tuple[str, ...] = ()  # for each line of `after`: where it comes from, if that is not what it was


DIRECT, INDIRECT, JUMPED = "call", "indirect call", "tail call"  # how a function was entered


@dataclass(frozen=True, slots=True)
class Branch:
    """A function that was entered `count` times by one chain of calls, and what it called; `mark` says how it was
    entered itself, `hot` whether that is often enough to matter."""

    name: str
    count: int
    mark: str
    hot: bool
    inner: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """What runs below one entry into the kernel."""

    title: str
    root: Branch


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """What one phase did, and what it refused to do and why.

    `handled` and the values of `refused` count functions of the kernel and all programs, `refused` by reason.
    `summary` holds what JSON can say; these keys go to the top of `hotpath run --json`: `hot_functions` of
    count, `hot_traces` of traces, `static` of layout, `syscalls` and `behavior` of measure.
    `files` are what `--save` writes: name → content (a profile, an image).  `provenance` of layout gives, if asked, a
    row for every instruction of the new kernel: where it comes from.
    """

    name: str
    section: str
    sentence: str
    seconds: float
    handled: int = 0
    refused: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    summary: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    tables: tuple[Table, ...] = ()
    listings: tuple[Listing, ...] = ()
    trees: tuple[Tree, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    provenance: Callable[[], Iterable[Mapping[str, object]]] | None = field(default=None, compare=False)
