"""One new system call: its hot calls inlined (`inline`), its arguments known (`assume`), the passes run (§4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rewriter.analysis.callers import current_at_entry, number_in_eax, origins, read_after_handler
from rewriter.analysis.depths import Depths
from rewriter.analysis.explain import Explainer
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.edit import copied
from rewriter.ir import Data, Function, Program
from rewriter.passes.arguments import NAME as ARGUMENTS
from rewriter.passes.arguments import renumber
from rewriter.passes.assume import Assumed, Assumer
from rewriter.passes.expected import Tests
from rewriter.passes.heat import Heat
from rewriter.passes.inline import NAME as INLINE
from rewriter.passes.inline import Inliner
from rewriter.passes.inside import Inside, contradicted, except_at
from rewriter.passes.outcome import Outcome
from rewriter.passes.paths import Path
from rewriter.passes.plain import plain
from rewriter.passes.steps import Steps
from rewriter.passes.tables import NAME as TABLES
from rewriter.passes.tables import Guard, guard_tables
from rewriter.passes.transform import PASSES, Observer, Pass, Transformer, skipped_passes, used_tables
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.reasons import Reason, Why
from rewriter.region.cost import executed, remaining
from rewriter.verify import labels
from rewriter.x86.effects import register_mask

EAX: Final = register_mask("eax")


class Refused(ValueError):
    """No new system call can be made of this handler; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Specialized:
    """A new system call.  `implied` are the arguments that its number stands for (those that were not refused),
    `guarded` those that it tests; `clone_of` maps labels of blocks to those of the original program; `entries`
    are names of places in that, (label, position), where the function goes on; `refused` are other arguments."""

    function: Function
    data: tuple[Data, ...]
    implied: Mapping[int, int]
    guarded: Mapping[int, int]
    heat: Heat
    clone_of: Mapping[str, str]
    outcome: Outcome
    instructions: float = 0.0  # that a call is expected to execute
    plain: Work | None = None  # the call with nothing folded, for who begins anew
    entries: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    wrapper: Function | None = None  # that it needs beside it
    before: float = 0.0  # instructions that the handler is expected to execute
    refused: Mapping[int, Why] = field(default_factory=dict)  # arguments that are not known
    in_place: Specialized | None = None  # the same without the passes beyond: less code, which may execute more


class Specializer:
    """Makes new system calls of one program; what it learned of the program serves them all."""

    def __init__(
        self,
        program: Program,
        contract: Contract,
        profile: Profile,
        *,
        as_published: bool = False,
        depths: Depths | None = None,
    ) -> None:
        self.program = program
        self.contract = contract
        self.profile = profile
        self.as_published = as_published
        self.steps = Steps()  # which applications of passes happen
        self.names = frozenset(labels(program))
        self.depths = depths or Depths(Index(program), contract, facts=not as_published)
        self.at_return = read_after_handler(program, contract, self.depths)
        self.number_in_eax = number_in_eax(program, contract)
        self.origins = origins(program, contract, self.depths)
        self.current = current_at_entry(program, contract, self.depths)
        self.inside = (
            None if as_published else Inside(self.depths, contract, profile, Inliner(self.depths, profile).run)
        )

    def obstacle(self, handler: str, number: int | None = None) -> str | None:
        """Why no new system call can be made of this handler; None if one can.  `number`: that of the call so far.
        It must not read eax of its caller, unless that is known to be the number, and can be made so again."""
        pins = self.depths.index.functions[handler].pins
        if pins:
            return f"pinned: {pins[0]}"
        summary = self.depths.of(handler)
        if summary.pops is None:
            chain = Explainer(self.depths).chain(handler)  # down to the function that is the reason (§5)
            reason = summary.reason.rpartition(": ")[2]
            return f"{' → '.join(chain)}: {reason}" if chain else summary.reason
        known = number is not None and self.number_in_eax
        return "reads eax of its caller" if self.reads_number(handler) and not known else None

    def reads_number(self, handler: str) -> bool:
        """Whether the handler reads eax of its caller, or may leave it as its result."""
        return bool(self.depths.of(handler).before(self.at_return) & EAX)

    def specialize(
        self,
        handler: str,
        name: str,
        paths: tuple[Path, ...],
        *,
        number: int | None = None,
        implied: Mapping[int, int] | None = None,
        guarded: Mapping[int, int] | None = None,
        candidates: Mapping[int, int] | None = None,
        share: float = 1.0,
        without: frozenset[str] = frozenset(),
        most: int | None = None,
        beyond: tuple[tuple[str, Pass], ...] = (),
        observer: Observer | None = None,
    ) -> Specialized:
        """A copy of `handler` called `name`, along the call `paths`, for arguments (argument → value) that are implied
        by its number, and for others that it tests first: `guarded`, and those `candidates` whose test pays.

        `number`: that of the call so far; `share`: the part of the handler's executions that the copy will take over;
        `without`: names of passes to leave out; `most`: how many of the others are run at most, the layout apart;
        `beyond`: more passes, before the layout.  The program is not changed.  Raises Refused where there is an
        `obstacle`.
        """
        reason = self.obstacle(handler, number)
        if reason is not None:
            raise Refused(f"{handler}: {reason}")
        transformer = Transformer(self.names, observer or _nobody, self.steps)
        paths = () if INLINE in without else tuple(self.steps.some(INLINE, name, paths))
        wanted = implied or {}, guarded or {}, candidates or {}
        known = {n: value for each in wanted[::-1] for n, value in each.items()}
        tests = self._tests(handler, name, paths, known) if ARGUMENTS not in without else None
        work = self._inlined(handler, name, paths, share, transformer, tests, left_out=INLINE in without)
        before = remaining(work)[name]
        skipped = skipped_passes(without, self.as_published)
        tables = self._tables(work, transformer) if TABLES not in skipped else ()
        assumed = self._assumed(work, handler, transformer, wanted, left_out=ARGUMENTS in without)
        if number is not None and self.reads_number(handler):
            renumber(work, number)
            transformer.check(work, ARGUMENTS)
        work.current = self.current
        work.early = work.copy() if beyond else None
        work.plain = self._plain(work, handler, paths, share, assumed, number, tables, tests) if beyond else None
        transformer.run(work, [each for each in PASSES[:-1][:most] if each[0] not in skipped])
        small = self._in_place(work, assumed, before, skipped) if beyond else None
        last = (*beyond, *PASSES[-1:])
        transformer.run(work, [each for each in last if each[0] not in skipped])
        return replace(self._result(work, assumed, before), in_place=small)

    def _tables(self, work: Work, transformer: Transformer) -> tuple[Guard, ...]:
        """Test the pointers to tables for which it pays; the tests."""
        made: list[Guard] = []
        transformer.one(work, TABLES, lambda each: made.extend(guard_tables(each, self.profile)))
        return tuple(made)

    def _tests(self, handler: str, name: str, paths: tuple[Path, ...], known: Mapping[int, int]) -> Tests | None:
        """What is tested where calls below the handler are inlined; not what certainly fails where the arguments are
        what is `known`: a value that is common at a call is not so on every way to it."""
        if self.inside is None:
            return None
        tests: Tests = self.inside.at
        while True:
            made = Inliner(self.depths, self.profile, tests=tests).run(handler, name, paths)
            trial = Work.on(made, self.depths, self.contract, self.at_return)
            failing = contradicted(trial, known) if trial.tests else frozenset()
            self.depths.index.forget(name)
            if not failing:
                return tests
            tests = except_at(tests, failing)

    def _assumed(
        self,
        work: Work,
        handler: str,
        transformer: Transformer,
        wanted: tuple[Mapping[int, int], Mapping[int, int], Mapping[int, int]],
        *,
        left_out: bool,
    ) -> Assumed:
        """What the copy may take its arguments for."""
        if any(wanted) and not left_out and self.steps.happens(ARGUMENTS, work.name):
            return Assumer(self.origins, transformer).run(work, handler, *wanted)
        return Assumed({}, {}, {n: Why(Reason.LEFT_OUT) for arguments in wanted for n in arguments})

    def _result(self, work: Work, assumed: Assumed, before: float) -> Specialized:
        return Specialized(
            work.function,
            used_tables(work),
            assumed.implied,
            assumed.tested,
            work.heat,
            dict(work.clone_of),
            work.outcome,
            executed(work),
            work.plain,
            dict(work.entries),
            work.wrapper,
            before,
            assumed.refused,
        )

    def _in_place(self, work: Work, assumed: Assumed, before: float, skipped: frozenset[str]) -> Specialized:
        """The call as it is before the passes beyond, laid out; `work` stays as it is."""
        copy = work.copy()
        unseen = Transformer(self.names, _nobody)
        unseen.run(copy, [each for each in PASSES[-1:] if each[0] not in skipped])
        found = self._result(copy, assumed, before)
        work.index()  # the copy has its name
        return found

    def _plain(
        self,
        work: Work,
        handler: str,
        paths: tuple[Path, ...],
        share: float,
        assumed: Assumed,
        number: int | None,
        tables: tuple[Guard, ...],
        tests: Tests | None,
    ) -> Work | None:
        """The same call with nothing folded, for who begins anew."""
        made = plain(
            self.depths,
            self.contract,
            self.profile,
            self.at_return,
            handler=handler,
            name=work.name,
            paths=paths,
            share=share,
            implied=assumed.implied,
            guarded=assumed.tested,
            number=number if self.reads_number(handler) else None,
            tables=tables,
            tests=tests,
        )
        self.depths.index.add(work.function)
        if made is not None:
            made.current = self.current
        return made

    def _inlined(
        self,
        handler: str,
        name: str,
        paths: tuple[Path, ...],
        share: float,
        transformer: Transformer,
        tests: Tests | None,
        *,
        left_out: bool = False,
    ) -> Work:
        """The handler's copy with its hot calls inlined."""
        inliner = Inliner(self.depths, self.profile, as_published=self.as_published, left_out=left_out, tests=tests)
        original = self.depths.index.functions[handler]
        work = Work.on(inliner.run(handler, name, paths, share), self.depths, self.contract, self.at_return)
        work.moves = not self.as_published
        work.outcome.add(inliner.outcome)
        transformer.check(work, INLINE)
        transformer.watch(INLINE, original, copied(work.function))
        return work


def _nobody(name: str, before: Function, after: Function) -> None:
    """Watches nothing."""
