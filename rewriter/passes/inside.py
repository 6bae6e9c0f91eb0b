"""Which arguments of functions inside are worth a test where they are called: `if (x == v) C[x=v] else C` (§4.2).

    push 0x1000                          push 0x1000
    push edi                    ⇒        push edi
    call __copy_to_user                  cmp dword ptr [esp + 8], 0x1000
                                         jne cold
                                         <body of __copy_to_user>
                                         …
                                   cold: call __copy_to_user

The values come from the bounded tables of the calls (`probes.arguments`), and count as shares of all their calls.  A
test costs two instructions on every call, and those that fail it a call more; it pays where the body that knows the
value, the calls in it that are inlined, too, is expected to execute fewer by more than that (Muth et al. 2000), which
is found out by folding a copy of it, alone, and counting: what the code around it learns from the test comes on top.

As published there are none: §4.2 describes them, but for §5, whose figures are reproduced, arguments of system calls
were profiled, and code was specialized on one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from rewriter.analysis.body import Body
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Way
from rewriter.analysis.summary import ALL_REGISTERS
from rewriter.analysis.value import constant
from rewriter.contract import Contract
from rewriter.passes.arguments import slot_of
from rewriter.passes.chains import TEST, call_costs
from rewriter.passes.constants import constants
from rewriter.passes.deadcode import deadcode, unreachable
from rewriter.passes.expected import Expected, Tests
from rewriter.passes.inline import Inlined
from rewriter.passes.paths import Path
from rewriter.passes.work import Work
from rewriter.profile import Arguments, Profile
from rewriter.reasons import Reason, Why
from rewriter.variants import common_numbers
from rewriter.x86.effects import FLAGS


@dataclass(slots=True)
class Inside:
    """Answers what is worth a test at a call.  `inlined` copies a function under a name, along these calls."""

    depths: Depths
    contract: Contract
    profile: Profile
    inlined: Callable[[str, str, tuple[Path, ...]], Inlined]
    _trials: dict[tuple[str, tuple[Path, ...]], Work] = field(default_factory=dict)
    _costs: dict[tuple[str, tuple[Path, ...], tuple[int, int] | None], float] = field(default_factory=dict)

    def at(self, chain: tuple[str, ...], path: Path) -> Expected | tuple[Expected, Why] | None:
        """The best test where a path begins, whatever is around it; or what would have been tested, and why it is not;
        None where nothing is known of the call, or hardly anything stays the same."""
        groups = self.profile.values.get(path.site)
        function = self.depths.index.functions.get(path.callee)
        if not groups or function is None or function.pins or self.depths.of(path.callee).reads & FLAGS:
            return None
        found = _numbers(groups)
        if not found:
            return None
        plain = self._cost(path, None)
        other = plain + call_costs(Body(self.depths, path.callee))
        costs = {test: self._cost(path, test) * test.share + other * (1 - test.share) + TEST for test in found}
        best = min(costs, key=lambda test: (costs[test], test))
        if costs[best] < plain:
            return best
        return best, Why(Reason.GUARD_COSTS, f"{best}: {costs[best]:.1f} instructions, without it {plain:.1f}")

    def _cost(self, path: Path, test: Expected | None) -> float:
        """Instructions of one execution of a body that knows the argument."""
        key = path.callee, path.inner, (test.argument, test.value) if test is not None else None
        if key not in self._costs:
            trial = self._trial(path).copy()
            constants(trial, {slot_of(test.argument): constant(test.value)} if test is not None else None)
            deadcode(trial)
            unreachable(trial)
            self._costs[key] = trial.expected() / max(trial.heat.block(trial.name), 1e-9)
            self.depths.index.forget(trial.name)
        return self._costs[key]

    def _trial(self, path: Path) -> Work:
        key = path.callee, path.inner
        if key not in self._trials:
            made = self.inlined(path.callee, f"{path.callee}$tested", path.inner)
            self._trials[key] = Work.on(made, self.depths, self.contract, ALL_REGISTERS)
        return self._trials[key]


def _numbers(groups: Mapping[Arguments, int]) -> list[Expected]:
    """The arguments that hardly vary and are no addresses."""
    total = sum(groups.values())
    return [Expected(n, value, count / total) for n, (value, count) in sorted(common_numbers(groups).items())]


def contradicted(work: Work, known: Mapping[int, int]) -> frozenset[tuple[str, ...]]:
    """Which tests in inlined code certainly fail where the handler is passed what is `known` (argument → value)."""
    values = work.values({slot_of(n): constant(value) for n, value in known.items()})
    found = set()
    for label, place in work.tests.items():
        if label in values.states and Way.FALL not in {edge.way for edge, _ in values.ways(label)}:
            found.add(place)
    return frozenset(found)


def except_at(tests: Tests, places: Collection[tuple[str, ...]]) -> Tests:
    """The same, but nothing is tested at these places: the functions around a call, and its site."""
    ends = {place[::-1] for place in places}

    def asked(chain: tuple[str, ...], path: Path) -> Expected | tuple[Expected, Why] | None:
        around = (*chain, path.site)[::-1]
        return None if any(around[: len(end)] == end for end in ends) else tests(chain, path)

    return asked
