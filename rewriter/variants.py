"""Which new system calls are worth a number: frequent calls whose arguments hardly vary (§2, §4.2).

An argument is *implied* by the new number where every site that will use it provably passes that constant; it is
*guarded* where it was only observed.  Free slots of the system-call table give the numbers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rewriter.analysis.sites import CallSite
from rewriter.probes.arguments import WORDS, is_number
from rewriter.probes.values import single
from rewriter.profile import Arguments, Site
from rewriter.reasons import Reason, Why

FREQUENT = 0.02  # share of all system calls that makes one frequent
LEAST = 5  # calls that are worth a number of their own, however few there are
COMMON = 0.9  # share of a site's calls that makes a value worth a guard

Constants = tuple[tuple[int, int], ...]  # (index of the argument, value), by index
SiteName = tuple[str, int]  # program, address of the int 0x80


@dataclass(frozen=True, slots=True)
class Variant:
    """A new system call: `call` with some arguments known."""

    call: int  # the original number
    number: int  # the new one
    implied: Constants
    guarded: Constants
    calls: int  # of the training set that will use it
    sites: tuple[SiteName, ...]

    @property
    def constants(self) -> dict[int, int]:
        return dict(sorted((*self.implied, *self.guarded)))


@dataclass(slots=True)
class Choice:
    """The new calls, and why the other sites do without."""

    variants: list[Variant] = field(default_factory=list)
    refusals: dict[Site, Why] = field(default_factory=dict)

    @property
    def refused(self) -> Counter[str]:
        """How many sites, by reason."""
        return Counter(str(why.reason) for why in self.refusals.values())


def choose(
    arguments: Mapping[Site, Mapping[Arguments, int]],
    sites: Mapping[str, Sequence[CallSite]],
    arity: Mapping[int, int],
    free: Sequence[int],
    *,
    single_argument: bool = False,
) -> Choice:
    """The new system calls for a value profile.

    `arity`: how many arguments the handler of a number can read; numbers that have no handler are left out.
    `free`: numbers that no handler uses.  `single_argument`: one constant at most, as published (§5).
    """
    choice = Choice()
    known = {(program, site.address): site for program, found in sites.items() for site in found}
    total = sum(sum(groups.values()) for groups in arguments.values())
    frequent = _frequent(arguments, total)
    users: dict[tuple[int, Constants, Constants], list[tuple[Site, int]]] = defaultdict(list)  # calls by site
    for name, groups in arguments.items():
        site = known.get((name.program, name.address))
        why = _unsuitable(name, site, arity, frequent)
        if site is not None and why is None and contradicted(site, groups):
            why = Why(Reason.CONTRADICTED)
        if site is None or why is not None:
            choice.refusals[name] = why or Why(Reason.NO_PROGRAM)
            continue
        implied, guarded = _constants(site, groups, arity[name.number], single_argument)
        users[name.number, implied, guarded].append((name, sum(groups.values())))
    numbers = iter(free)
    for (call, implied, guarded), found in sorted(users.items(), key=lambda item: (-_calls(item[1]), item[0])):
        rare = _calls(found) < max(FREQUENT * total, LEAST)
        number = None if rare else next(numbers, None)
        if number is None:
            why = Why(Reason.RARE_ARGUMENTS if rare else Reason.NO_NUMBER)
            choice.refusals |= {site: why for site, _ in found}
            continue
        places = tuple(sorted((site.program, site.address) for site, _ in found))
        choice.variants.append(Variant(call, number, implied, guarded, _calls(found), places))
    return choice


def _calls(found: Sequence[tuple[Site, int]]) -> int:
    return sum(count for _, count in found)


def _frequent(arguments: Mapping[Site, Mapping[Arguments, int]], total: int) -> set[int]:
    calls: Counter[int] = Counter()
    for site, groups in arguments.items():
        calls[site.number] += sum(groups.values())
    return {number for number, count in calls.items() if count >= FREQUENT * total}


def _unsuitable(name: Site, site: CallSite | None, arity: Mapping[int, int], frequent: set[int]) -> Why | None:
    """Why a site does not get a new number; None where it may."""
    if name.number not in frequent:
        return Why(Reason.RARE_CALL)
    if name.number not in arity:
        return Why(Reason.NO_HANDLER)
    if site is None:
        return Why(Reason.NO_PROGRAM)
    return Why(Reason.NO_SITE, site.refused) if site.refused else None


def dominant(groups: Mapping[Arguments, int], arity: int) -> dict[int, tuple[int, int]]:
    """The arguments of a site that hardly vary: the value of each, and how often it was passed."""
    total = sum(groups.values())
    found = {i: next(iter(single(groups, i).items())) for i in range(arity)}
    return {i: (value, count) for i, (value, count) in found.items() if count >= COMMON * total}


def common_numbers(groups: Mapping[Arguments, int]) -> dict[int, tuple[int, int]]:
    """The arguments of a call inside that are numbers and hardly vary: the value of each, and how often it was passed;
    of all calls, those that are in its table no more among them."""
    known = {group[:WORDS]: count for group, count in groups.items() if group}
    total = sum(groups.values())
    found = {i: next(iter(single(known, i).items())) for i in range(min(map(len, known), default=0))}
    return {i: each for i, each in found.items() if is_number(each[0]) and each[1] >= max(1, COMMON * total)}


def contradicted(site: CallSite, groups: Mapping[Arguments, int]) -> bool:
    """Whether a call passed something else than what was proved of its site; then nothing about it is believed."""
    return any(values[i] != constant for values in groups for i, constant in site.constants.items())


def _constants(
    site: CallSite, groups: Mapping[Arguments, int], arity: int, single_argument: bool
) -> tuple[Constants, Constants]:
    """What is known of a site's arguments: proved constants, and others that hardly vary."""
    proved = {i: value for i, value in site.constants.items() if i < arity}
    common = {i: value for i, (value, _) in dominant(groups, arity).items() if i not in proved}
    if single_argument:
        proved, common = _best(proved, common)
    return tuple(sorted(proved.items())), tuple(sorted(common.items()))


def _best(proved: dict[int, int], common: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
    """One argument: a proved one before a guarded one, a flag or a length (the last) before a descriptor."""
    if proved:
        last = max(proved)
        return {last: proved[last]}, {}
    return {}, {last: common[last] for last in sorted(common)[-1:]}
