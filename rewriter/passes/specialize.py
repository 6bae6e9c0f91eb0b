"""One new system call: inline, specialize, straighten (§4); the order of the passes is this literal tuple.

Valid before, valid after: `verify` runs behind every pass, and an observer sees the function before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rewriter.analysis.callers import read_after_handler
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.edit import copied
from rewriter.ir import Data, Function, Program
from rewriter.passes.arguments import guard, imply
from rewriter.passes.constants import constants
from rewriter.passes.deadcode import deadcode, unreachable
from rewriter.passes.duplicate import duplicate
from rewriter.passes.flatten import flatten
from rewriter.passes.guards import paying
from rewriter.passes.heat import Heat
from rewriter.passes.inline import Inliner
from rewriter.passes.layout import layout
from rewriter.passes.outcome import Outcome
from rewriter.passes.paths import Path
from rewriter.passes.peephole import peephole
from rewriter.passes.sink import sink
from rewriter.passes.straighten import straighten
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.verify import labels, verify_function

Observer = Callable[[str, Function, Function], None]
Pass = Callable[[Work], None]

# Behind `inline` and `arguments`, which every specialized call begins with.
PASSES: Final[tuple[tuple[str, Pass], ...]] = (
    ("duplicate", duplicate),
    ("constants", constants),
    ("deadcode", deadcode),
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
NAMES: Final = ("inline", "arguments", *dict.fromkeys(name for name, _ in PASSES))
BEYOND_THE_PAPER: Final = frozenset({"duplicate", "sink"})


class Broken(RuntimeError):
    """A pass left an invalid function behind: a defect of the pass.  One line."""


@dataclass(frozen=True, slots=True)
class Specialized:
    """A new system call.  `implied` are the arguments that its number stands for (those that were not refused),
    `guarded` those that it tests; `clone_of` maps labels of blocks to those of the original program."""

    function: Function
    data: tuple[Data, ...]
    implied: Mapping[int, int]
    guarded: Mapping[int, int]
    heat: Heat
    clone_of: Mapping[str, str]
    outcome: Outcome


class Specializer:
    """Makes new system calls of one program; what it learned of the program serves them all."""

    def __init__(self, program: Program, contract: Contract, profile: Profile, *, as_published: bool = False) -> None:
        self.program = program
        self.contract = contract
        self.profile = profile
        self.as_published = as_published
        self.names = labels(program)
        self.depths = Depths(Index(program), contract, facts=not as_published)
        self.at_return = read_after_handler(program, contract, self.depths)

    def specialize(
        self,
        handler: str,
        name: str,
        paths: tuple[Path, ...],
        *,
        implied: Mapping[int, int] | None = None,
        guarded: Mapping[int, int] | None = None,
        candidates: Mapping[int, int] | None = None,
        share: float = 1.0,
        without: frozenset[str] = frozenset(),
        observer: Observer | None = None,
    ) -> Specialized:
        """A copy of `handler` called `name`, along the call `paths`, for arguments (argument → value) that are implied
        by its number, and for others that it tests first: `guarded`, and those `candidates` whose test pays.

        `share`: the part of the handler's executions that the copy will take over; `without`: names of passes to
        leave out.  The program is not changed.
        """
        watch = observer or (lambda *_: None)
        inliner = Inliner(self.depths, self.profile, as_published=self.as_published)
        original = self.depths.index.functions[handler]
        inlined = inliner.run(handler, name, () if "inline" in without else paths, share)
        work = Work.on(inlined, self.depths, self.contract, self.at_return)
        work.outcome.add(inliner.outcome)
        self._check(work, "inline")
        watch("inline", original, copied(work.function))
        known: dict[int, int] = {}
        tested: dict[int, int] = {}
        if "arguments" not in without:
            known = self._imply(work, implied or {}, watch)
            tested = {**(guarded or {}), **paying(work, handler, candidates or {})}
            self._guard(work, handler, tested, watch)
        skipped = without | (BEYOND_THE_PAPER if self.as_published else frozenset())
        for pass_name, transform in PASSES:
            if pass_name not in skipped:
                before = copied(work.function)
                transform(work)
                self._check(work, pass_name)
                watch(pass_name, before, copied(work.function))
        return Specialized(
            work.function,
            self._data(work),
            known,
            tested,
            work.heat,
            dict(work.clone_of),
            work.outcome,
        )

    def _imply(self, work: Work, implied: Mapping[int, int], watch: Observer) -> dict[int, int]:
        """The implied arguments that were not refused."""
        before = copied(work.function)
        known = imply(work, dict(implied))
        self._check(work, "arguments")
        if implied:
            watch("arguments", before, copied(work.function))
        return known

    def _guard(self, work: Work, handler: str, guarded: Mapping[int, int], watch: Observer) -> None:
        if guarded:
            before = copied(work.function)
            guard(work, handler, dict(guarded))
            self._check(work, "arguments")
            watch("arguments", before, copied(work.function))

    @staticmethod
    def _data(work: Work) -> tuple[Data, ...]:
        """The jump tables that are still used."""
        named = {ref.target for insn in work.function.insns() for ref in insn.refs}
        return tuple(data for data in work.data if data.name in named)

    def _check(self, work: Work, pass_name: str) -> None:
        data = self._data(work)
        names = {*self.names, *(d.name for d in data), *(b.label for b in work.function.blocks)}
        faults = verify_function(work.function, names)
        if faults:
            raise Broken(f"after {pass_name}: {work.name}: {faults[0]}")
