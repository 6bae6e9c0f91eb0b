"""What a new system call may take its arguments for: which are implied by its number, which it tests first (§4.2).

What is asked for is not always granted: an argument is refused where the handler reads of its caller what may be
different then, or where its slot may still be read (`arguments`).  An implied one that is refused may be tested for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rewriter.analysis.depths import reads_and_writes
from rewriter.analysis.sites import ARGUMENTS
from rewriter.analysis.summary import NOT_ESP
from rewriter.analysis.value import REGISTERS
from rewriter.edit import copied
from rewriter.passes.arguments import NAME, guard, imply
from rewriter.passes.guards import paying
from rewriter.passes.inline import Inliner
from rewriter.passes.transform import Transformer
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.reasons import Reason, Why
from rewriter.x86.effects import FLAGS, names, register_mask

Known = Mapping[int, int]  # argument → value


class Assumed(NamedTuple):
    """What the new call takes its arguments for, and why not more."""

    implied: Known
    tested: Known
    refused: Mapping[int, Why]


@dataclass(frozen=True, slots=True)
class Assumer:
    """`origins`: the program's registers that each register may depend on where a handler is called (`callers`)."""

    origins: Mapping[str, frozenset[str]]
    transformer: Transformer

    def run(self, work: Work, handler: str, implied: Known, guarded: Known, candidates: Known) -> Assumed:
        """Let arguments be known, and test others: those that became implied, and those that are tested: the `guarded`
        ones, and those `candidates` whose test pays.  There is one remark for each argument."""
        wanted = {**candidates, **guarded, **implied}
        # A register may hold anything where an argument is implied, and a test changes the flags.
        possible, why = self._impliable(work, handler, implied)
        known, still_read = self._imply(work, possible)
        why |= still_read
        others = {n: value for n, value in wanted.items() if n not in known}  # it can still be tested for
        possible, reads = self._testable(work, handler, others)
        tested = {n: value for n, value in possible.items() if n in guarded}
        pays, costs = paying(work, handler, {n: value for n, value in possible.items() if n not in tested})
        tested |= pays
        general = handler
        if tested and known:
            general, both = self._general(work, handler, known)
            tested |= {n: value for n, value in known.items() if n not in both}
            known = both
        if tested:
            self.transformer.one(work, NAME, lambda each: guard(each, general, dict(tested)))
        refused = {n: _final([each[n] for each in (why, reads, costs) if n in each]) for n in wanted}
        assumed = Assumed(known, tested, {n: w for n, w in refused.items() if n not in known and n not in tested})
        for n, value in sorted(wanted.items()):
            _remark(work, n, value, assumed)
        return assumed

    @staticmethod
    def _testable(work: Work, handler: str, arguments: Known) -> tuple[dict[int, int], dict[int, Why]]:
        """All these arguments, unless the handler reads flags of its caller: they are different after a test."""
        read = work.depths.of(handler).reads & FLAGS
        return ({}, dict.fromkeys(arguments, _why(read))) if read else (dict(arguments), {})

    def _impliable(self, work: Work, handler: str, arguments: Known) -> tuple[dict[int, int], dict[int, Why]]:
        """These arguments, but for those on whose registers, which may hold anything then, something may depend that
        is read of the caller: by the handler or, where that cannot be excluded, by its copy for these values, in which
        there are fewer ways."""
        whole, wanted, refused = work.depths.of(handler), dict(arguments), dict[int, Why]()
        if not any(whole.reads & self._depending(n) for n in wanted):
            return wanted, refused
        while wanted:
            trial = work.copy()
            folded, _ = imply(trial, wanted)
            reads, _ = reads_and_writes(trial.values(), whole.clobbers)
            work.index()
            found = {n: _why(read) for n in folded if (read := reads & self._depending(n))}
            if not found:
                break
            refused |= found
            wanted = {n: value for n, value in wanted.items() if n not in found}
        return wanted, refused

    def _depending(self, argument: int) -> int:
        """The registers of a handler's caller that may depend on an argument; eax is made what it was (`renumber`)."""
        everything = frozenset(ARGUMENTS)
        found = 0
        for register in REGISTERS:
            if ARGUMENTS[argument] in self.origins.get(register, everything):
                found |= register_mask(register)
        return found & NOT_ESP & ~register_mask("eax")

    def _imply(self, work: Work, implied: Known) -> tuple[dict[int, int], dict[int, Why]]:
        """The implied arguments that were not refused, and those that were."""
        before = copied(work.function)
        known, refused = imply(work, dict(implied))
        self.transformer.check(work, NAME)
        if implied:
            self.transformer.watch(NAME, before, copied(work.function))
        return known, refused

    def _general(self, work: Work, handler: str, known: Known) -> tuple[str, dict[int, int]]:
        """Add a plain copy of the handler for when a guard fails: what the number implies is implied there, too.
        Its label, and the arguments that could be implied in it."""
        plain = Inliner(work.depths, Profile("")).run(handler, f"{work.name}$general", ())
        copy = Work.on(plain, work.depths, work.contract, work.at_return)
        accepted, _ = imply(copy, self._impliable(copy, handler, known)[0])
        work.depths.index.forget(copy.name)
        work.function.blocks += copy.function.blocks
        work.data += copy.data
        work.clone_of |= copy.clone_of
        work.returns |= copy.returns
        return copy.name, accepted


def _why(read: int) -> Why:
    return Why(Reason.READ_OF_CALLER, ", ".join(names(read)))


def _final(tried: list[Why]) -> Why:
    """The last of several refusals, the others as its detail."""
    *before, last = tried or [Why(Reason.LEFT_OUT)]
    return Why(last.reason, "; ".join([*([last.detail] if last.detail else []), *map(str, before)]))


def _remark(work: Work, argument: int, value: int, assumed: Assumed) -> None:
    """What became of an argument."""
    what, calls = f"argument {argument} is {value:#x}", work.heat.block(work.name)
    if (why := assumed.refused.get(argument)) is not None:
        detail = f"{what}; {why.detail}" if why.detail else what
        work.outcome.refuse(NAME, work.name, work.name, why.reason, detail, executed=calls)
    else:
        reason = Reason.IMPLIED if argument in assumed.implied else Reason.TESTED
        work.outcome.did(NAME, work.name, work.name, reason, what, executed=calls)
