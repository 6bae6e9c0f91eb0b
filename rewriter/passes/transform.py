"""The passes in their order, and what must hold behind each: a valid function, a stack that is not deeper (§4).

The order is the literal tuple `PASSES`.  `verify` runs behind every pass, and an observer sees the function before and
after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rewriter.analysis.frames import deepest
from rewriter.edit import copied, stamp
from rewriter.ir import Data, Function
from rewriter.passes.constants import constants
from rewriter.passes.deadcode import deadcode, unreachable
from rewriter.passes.duplicate import duplicate
from rewriter.passes.flatten import flatten
from rewriter.passes.general import general
from rewriter.passes.layout import layout
from rewriter.passes.peephole import peephole
from rewriter.passes.sink import sink
from rewriter.passes.steps import Steps
from rewriter.passes.straighten import straighten
from rewriter.passes.thread import thread
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.verify import Either, verify_function

Observer = Callable[[str, Function, Function], None]
Pass = Callable[[Work], None]

# Behind `inline`, `tables` and `arguments`, which every specialized call begins with.
PASSES: Final[tuple[tuple[str, Pass], ...]] = (
    ("general", general),
    ("duplicate", duplicate),
    ("constants", constants),
    ("deadcode", deadcode),
    ("unreachable", unreachable),
    ("straighten", straighten),
    ("thread", thread),
    ("unreachable", unreachable),
    ("straighten", straighten),
    ("constants", constants),
    ("deadcode", deadcode),
    ("flatten", flatten),
    ("constants", constants),
    ("deadcode", deadcode),
    ("straighten", straighten),
    ("sink", sink),
    ("constants", constants),
    ("deadcode", deadcode),
    ("sink", sink),
    ("peephole", peephole),
    ("deadcode", deadcode),
    ("unreachable", unreachable),
    ("straighten", straighten),
    ("layout", layout),
)
NAMES: Final = ("inline", "tables", "arguments", *dict.fromkeys(name for name, _ in PASSES))
BEYOND_THE_PAPER: Final = frozenset({"tables", "duplicate", "sink"})


def skipped_passes(without: frozenset[str], as_published: bool) -> frozenset[str]:
    """The passes that are not run: `duplicate` does what `general` does, and more; without it `tables` tell nobody."""
    skipped = without | (BEYOND_THE_PAPER if as_published else frozenset())
    return skipped | {"tables" if "duplicate" in skipped else "general"}


class Broken(RuntimeError):
    """A pass left an invalid function behind: a defect of the pass.  One line."""


@dataclass(frozen=True, slots=True)
class Transformer:
    """Runs passes.  `names` are the labels of the program; `watch` hears of every pass; `steps` says which applications
    of passes happen."""

    names: frozenset[str]
    watch: Observer
    steps: Steps = field(default_factory=Steps)

    def run(self, work: Work, transforms: Sequence[tuple[str, Pass]]) -> None:
        """Each must leave a valid function behind, and all of them a stack that is not deeper.  Raises Broken."""
        depth = deepest(work.values())
        bases = [base for base in (work.plain, work.early) if base is not None]
        if bases and depth is not None:
            depth = max(depth, *(deepest(base.values()) or 0 for base in bases))
            work.depths.index.add(work.function)
        for pass_name, transform in transforms:
            self.one(work, pass_name, transform)
        _check_depth(work, depth)

    def one(self, work: Work, pass_name: str, transform: Pass) -> None:
        before = copied(work.function)
        self.steps.run(pass_name, work, transform)
        stamp(work.function, before, pass_name, Reason.WRITTEN)
        self.check(work, pass_name)
        self.watch(pass_name, before, copied(work.function))

    def check(self, work: Work, pass_name: str) -> None:
        own = [block.label for f in (work.function, work.wrapper) if f is not None for block in f.blocks]
        tables = [data.name for data in used_tables(work)]
        faults = verify_function(work.function, Either(self.names, {*tables, *own, *work.entries}))
        if faults:
            raise Broken(f"after {pass_name}: {work.name}: {faults[0]}")


def used_tables(work: Work) -> tuple[Data, ...]:
    """The jump tables that are still used."""
    named = {ref.target for insn in work.function.insns() for ref in insn.refs}
    return tuple(data for data in work.data if data.name in named)


def _check_depth(work: Work, before: int | None) -> None:
    """The stack must not get deeper than the calls made it that were inlined (§5.4)."""
    after = deepest(work.values())
    if before is not None and (after is None or after > before):
        raise Broken(f"the stack of {work.name} is {after} bytes deep, was {before}")
