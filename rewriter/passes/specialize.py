"""One new system call: inline, specialize, straighten (§4); the order of the passes is this literal tuple.

Valid before, valid after: `verify` runs behind every pass, and an observer sees the function before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rewriter.analysis.callers import current_at_entry, number_in_eax, origins, read_after_handler
from rewriter.analysis.depths import Depths
from rewriter.analysis.frames import deepest
from rewriter.analysis.graph import Index
from rewriter.analysis.sites import ARGUMENTS
from rewriter.analysis.summary import NOT_ESP
from rewriter.analysis.value import REGISTERS
from rewriter.contract import Contract
from rewriter.edit import copied
from rewriter.ir import Data, Function, Program
from rewriter.passes.arguments import guard, imply, renumber
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
from rewriter.passes.plain import plain
from rewriter.passes.sink import sink
from rewriter.passes.straighten import straighten
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.region.cost import executed, remaining
from rewriter.verify import labels, verify_function
from rewriter.x86.effects import FLAGS, names, register_mask

Observer = Callable[[str, Function, Function], None]
Pass = Callable[[Work], None]
EAX: Final = register_mask("eax")

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


class Refused(ValueError):
    """No new system call can be made of this handler; the message says why, in one line."""


class Broken(RuntimeError):
    """A pass left an invalid function behind: a defect of the pass.  One line."""


@dataclass(frozen=True, slots=True)
class Specialized:
    """A new system call.  `implied` are the arguments that its number stands for (those that were not refused),
    `guarded` those that it tests; `clone_of` maps labels of blocks to those of the original program; `entries`
    are names of places in that, (label, position), where the function goes on."""

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
        self.names = labels(program)
        self.depths = depths or Depths(Index(program), contract, facts=not as_published)
        self.at_return = read_after_handler(program, contract, self.depths)
        self.number_in_eax = number_in_eax(program, contract)
        self.origins = origins(program, contract, self.depths)
        self.current = current_at_entry(program, contract, self.depths)

    def obstacle(self, handler: str, number: int | None = None) -> str | None:
        """Why no new system call can be made of this handler; None if one can.  `number`: that of the call so far.
        It must not read eax of its caller, unless that is known to be the number, and can be made so again."""
        pins = self.depths.index.functions[handler].pins
        if pins:
            return f"pinned: {pins[0]}"
        summary = self.depths.of(handler)
        if summary.pops is None:
            return summary.reason
        known = number is not None and self.number_in_eax
        return "reads eax of its caller" if self.reads_number(handler) and not known else None

    def reads_number(self, handler: str) -> bool:
        """Whether the handler reads eax of its caller, or may leave it as its result."""
        return bool(self.depths.of(handler).before(self.at_return) & EAX)

    def _accepted(self, work: Work, handler: str, arguments: Mapping[int, int], tested: bool) -> dict[int, int]:
        """These arguments, but for those where the handler reads of its caller what may be different then: the flags
        after a test; what may depend on an implied argument's register, which may hold anything."""
        accepted = {}
        for argument, value in arguments.items():
            read = self.depths.of(handler).reads & (FLAGS if tested else self._depending(argument))
            if read:
                reason = f"argument {argument}: the handler reads {', '.join(names(read))} of its caller"
                work.outcome.refuse("arguments", work.name, work.name, reason)
            else:
                accepted[argument] = value
        return accepted

    def _depending(self, argument: int) -> int:
        """The registers of a handler's caller that may depend on an argument; eax is made what it was (`renumber`)."""
        everything = frozenset(ARGUMENTS)
        found = 0
        for register in REGISTERS:
            if ARGUMENTS[argument] in self.origins.get(register, everything):
                found |= register_mask(register)
        return found & NOT_ESP & ~EAX

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
        beyond: tuple[tuple[str, Pass], ...] = (),
        observer: Observer | None = None,
    ) -> Specialized:
        """A copy of `handler` called `name`, along the call `paths`, for arguments (argument → value) that are implied
        by its number, and for others that it tests first: `guarded`, and those `candidates` whose test pays.

        `number`: that of the call so far; `share`: the part of the handler's executions that the copy will take over;
        `without`: names of passes to leave out; `beyond`: more passes, before the layout.  The program is not changed.
        Raises Refused where there is an `obstacle`.
        """
        reason = self.obstacle(handler, number)
        if reason is not None:
            raise Refused(f"{handler}: {reason}")
        watch = observer or (lambda *_: None)
        paths = () if "inline" in without else paths
        work = self._inlined(handler, name, paths, share, watch)
        before = remaining(work)[name]
        known, tested = dict[int, int](), dict[int, int]()
        if "arguments" not in without:
            known, tested = self._arguments(work, handler, implied or {}, guarded or {}, candidates or {}, watch)
        if number is not None and self.reads_number(handler):
            renumber(work, number)
            self._check(work, "arguments")
        work.current = self.current
        work.early = work.copy() if beyond else None
        work.plain = self._plain(work, handler, paths, share, known, tested, number) if beyond else None
        skipped = without | (BEYOND_THE_PAPER if self.as_published else frozenset())
        self._transform(work, [each for each in PASSES[:-1] if each[0] not in skipped], watch)
        small = None
        if beyond:
            copy = work.copy()
            self._transform(copy, [each for each in PASSES[-1:] if each[0] not in skipped], lambda *_: None)
            small = self._result(copy, known, tested, before)
            work.index()
        last = (*beyond, *PASSES[-1:])
        self._transform(work, [each for each in last if each[0] not in skipped], watch)
        return replace(self._result(work, known, tested, before), in_place=small)

    def _result(self, work: Work, known: Mapping[int, int], tested: Mapping[int, int], before: float) -> Specialized:
        return Specialized(
            work.function,
            self._data(work),
            known,
            tested,
            work.heat,
            dict(work.clone_of),
            work.outcome,
            executed(work),
            work.plain,
            dict(work.entries),
            work.wrapper,
            before,
        )

    def _plain(
        self,
        work: Work,
        handler: str,
        paths: tuple[Path, ...],
        share: float,
        known: Mapping[int, int],
        tested: Mapping[int, int],
        number: int | None,
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
            implied=known,
            guarded=tested,
            number=number if self.reads_number(handler) else None,
        )
        self.depths.index.add(work.function)
        if made is not None:
            made.current = self.current
        return made

    def _inlined(self, handler: str, name: str, paths: tuple[Path, ...], share: float, watch: Observer) -> Work:
        """The handler's copy with its hot calls inlined."""
        inliner = Inliner(self.depths, self.profile, as_published=self.as_published)
        original = self.depths.index.functions[handler]
        work = Work.on(inliner.run(handler, name, paths, share), self.depths, self.contract, self.at_return)
        work.outcome.add(inliner.outcome)
        self._check(work, "inline")
        watch("inline", original, copied(work.function))
        return work

    def _arguments(
        self,
        work: Work,
        handler: str,
        implied: Mapping[int, int],
        guarded: Mapping[int, int],
        candidates: Mapping[int, int],
        watch: Observer,
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Let arguments be known, and test others: those that became implied, and those that are guarded."""
        # A register may hold anything where an argument is implied, and a test changes the flags.
        known = self._imply(work, self._accepted(work, handler, implied, tested=False), watch)
        refused = {n: value for n, value in implied.items() if n not in known}  # it can still be tested for
        wanted = self._accepted(work, handler, {**guarded, **candidates, **refused}, tested=True)
        tested = {n: value for n, value in wanted.items() if n in guarded}
        tested |= paying(work, handler, {n: value for n, value in wanted.items() if n not in tested})
        general = handler
        if tested and known:
            general, both = self._general(work, handler, known)
            tested |= {n: value for n, value in known.items() if n not in both}
            known = both
        self._guard(work, general, tested, watch)
        return known, tested

    def _transform(self, work: Work, transforms: Sequence[tuple[str, Pass]], watch: Observer) -> None:
        """Run the passes; each must leave a valid function behind, and all of them a stack that is not deeper."""
        depth = deepest(work.values())
        if work.plain is not None and depth is not None:
            depth = max(depth, deepest(work.plain.values()) or 0)
            self.depths.index.add(work.function)
        for pass_name, transform in transforms:
            before = copied(work.function)
            transform(work)
            self._check(work, pass_name)
            watch(pass_name, before, copied(work.function))
        self._check_depth(work, depth)

    def _imply(self, work: Work, implied: Mapping[int, int], watch: Observer) -> dict[int, int]:
        """The implied arguments that were not refused."""
        before = copied(work.function)
        known = imply(work, dict(implied))
        self._check(work, "arguments")
        if implied:
            watch("arguments", before, copied(work.function))
        return known

    def _general(self, work: Work, handler: str, known: Mapping[int, int]) -> tuple[str, dict[int, int]]:
        """Add a plain copy of the handler for when a guard fails: what the number implies is implied there, too.
        Its label, and the arguments that could be implied in it."""
        inliner = Inliner(self.depths, Profile(self.profile.kernel), as_published=self.as_published)
        plain = inliner.run(handler, f"{work.name}$general", ())
        copy = Work.on(plain, self.depths, self.contract, self.at_return)
        accepted = imply(copy, dict(known))
        self.depths.index.forget(copy.name)
        work.function.blocks += copy.function.blocks
        work.data += copy.data
        work.clone_of |= copy.clone_of
        work.returns |= copy.returns
        return copy.name, accepted

    def _guard(self, work: Work, general: str, guarded: Mapping[int, int], watch: Observer) -> None:
        if guarded:
            before = copied(work.function)
            guard(work, general, dict(guarded))
            self._check(work, "arguments")
            watch("arguments", before, copied(work.function))

    @staticmethod
    def _data(work: Work) -> tuple[Data, ...]:
        """The jump tables that are still used."""
        named = {ref.target for insn in work.function.insns() for ref in insn.refs}
        return tuple(data for data in work.data if data.name in named)

    @staticmethod
    def _check_depth(work: Work, before: int | None) -> None:
        """The stack must not get deeper than the calls made it that were inlined (§5.4)."""
        after = deepest(work.values())
        if before is not None and (after is None or after > before):
            raise Broken(f"the stack of {work.name} is {after} bytes deep, was {before}")

    def _check(self, work: Work, pass_name: str) -> None:
        data = self._data(work)
        own = [block.label for f in (work.function, work.wrapper) if f is not None for block in f.blocks]
        faults = verify_function(work.function, {*self.names, *(d.name for d in data), *own, *work.entries})
        if faults:
            raise Broken(f"after {pass_name}: {work.name}: {faults[0]}")
