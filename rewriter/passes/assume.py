"""What a new system call may take its arguments for: which are implied by its number, which it tests first (§4.2).

What is asked for is not always granted: an argument is refused where the handler reads of its caller what may be
different then, or where its slot may still be read (`arguments`).  An implied one that is refused may be tested for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from rewriter.x86.effects import FLAGS, names, register_mask

Known = Mapping[int, int]  # argument → value


@dataclass(frozen=True, slots=True)
class Assumer:
    """`origins`: the program's registers that each register may depend on where a handler is called (`callers`)."""

    origins: Mapping[str, frozenset[str]]
    transformer: Transformer

    def run(
        self, work: Work, handler: str, implied: Known, guarded: Known, candidates: Known
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Let arguments be known, and test others: those that became implied, and those that are tested: the `guarded`
        ones, and those `candidates` whose test pays."""
        # A register may hold anything where an argument is implied, and a test changes the flags.
        known = self._imply(work, self._accepted(work, handler, implied, tested=False))
        refused = {n: value for n, value in implied.items() if n not in known}  # it can still be tested for
        wanted = self._accepted(work, handler, {**guarded, **candidates, **refused}, tested=True)
        tested = {n: value for n, value in wanted.items() if n in guarded}
        tested |= paying(work, handler, {n: value for n, value in wanted.items() if n not in tested})
        general = handler
        if tested and known:
            general, both = _general(work, handler, known)
            tested |= {n: value for n, value in known.items() if n not in both}
            known = both
        if tested:
            self.transformer.one(work, NAME, lambda each: guard(each, general, dict(tested)))
        return known, tested

    def _accepted(self, work: Work, handler: str, arguments: Known, tested: bool) -> dict[int, int]:
        """These arguments, but for those where the handler reads of its caller what may be different then: the flags
        after a test; what may depend on an implied argument's register, which may hold anything."""
        accepted = {}
        for argument, value in arguments.items():
            read = work.depths.of(handler).reads & (FLAGS if tested else self._depending(argument))
            if read:
                reason = f"argument {argument}: the handler reads {', '.join(names(read))} of its caller"
                work.outcome.refuse(NAME, work.name, work.name, reason)
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
        return found & NOT_ESP & ~register_mask("eax")

    def _imply(self, work: Work, implied: Known) -> dict[int, int]:
        """The implied arguments that were not refused."""
        before = copied(work.function)
        known = imply(work, dict(implied))
        self.transformer.check(work, NAME)
        if implied:
            self.transformer.watch(NAME, before, copied(work.function))
        return known


def _general(work: Work, handler: str, known: Known) -> tuple[str, dict[int, int]]:
    """Add a plain copy of the handler for when a guard fails: what the number implies is implied there, too.
    Its label, and the arguments that could be implied in it."""
    plain = Inliner(work.depths, Profile("")).run(handler, f"{work.name}$general", ())
    copy = Work.on(plain, work.depths, work.contract, work.at_return)
    accepted = imply(copy, dict(known))
    work.depths.index.forget(copy.name)
    work.function.blocks += copy.function.blocks
    work.data += copy.data
    work.clone_of |= copy.clone_of
    work.returns |= copy.returns
    return copy.name, accepted
