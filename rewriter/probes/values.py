"""The value profile of system calls: which arguments, alone and in groups, a program passes where (§2, §4.2).

Everything is derived from one exact count of whole argument tuples, by site, so that single arguments (the
paper's choice) and groups of them (its outlook, §5) can never disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from rewriter.profile import Arguments, Site
from rewriter.run import Call


@dataclass(frozen=True, slots=True)
class Group:
    """`count` calls passed these constants: (argument's index, value) pairs, by index."""

    constants: tuple[tuple[int, int], ...]
    count: int


def profile_calls(calls: Iterable[Call]) -> dict[Site, dict[Arguments, int]]:
    """Count the argument tuples of each site, sorted: the `arguments` of a Profile."""
    counts: dict[Site, Counter[Arguments]] = {}
    for call in calls:
        site = Site(call.program, call.site, call.number)
        counts.setdefault(site, Counter())[tuple(call.arguments)] += 1
    return {site: dict(sorted(counts[site].items())) for site in sorted(counts)}


def marginal(arguments: Mapping[Arguments, int], indices: tuple[int, ...]) -> dict[Arguments, int]:
    """How often each combination of values of the arguments `indices` was passed, commonest first."""
    counts: Counter[Arguments] = Counter()
    for values, count in arguments.items():
        counts[tuple(values[i] for i in indices)] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def single(arguments: Mapping[Arguments, int], index: int) -> dict[int, int]:
    """How often each value of one argument was passed, commonest first."""
    return {values[0]: count for values, count in marginal(arguments, (index,)).items()}


def groups(arguments: Mapping[Arguments, int], share: float, used: Collection[int] | None = None) -> tuple[Group, ...]:
    """Combinations of constants that at least `share` (0 to 1) of the calls passed; most constants first.

    A group is left out where adding another argument loses no call: `(whence=0)` beside `(offset=0, whence=0)`
    with the same count says nothing new.  `used`: the indices of arguments that the call reads; the other
    registers hold whatever the program left in them.
    """
    total = sum(arguments.values())
    width = min((len(values) for values in arguments), default=0)
    indices = [i for i in range(width) if used is None or i in used]
    found = [
        Group(tuple(zip(chosen, values, strict=True)), count)
        for size in range(len(indices), 0, -1)
        for chosen in combinations(indices, size)
        for values, count in marginal(arguments, chosen).items()
        if count >= share * total
    ]
    closed = [group for group in found if not any(_says_more(other, group) for other in found)]
    return tuple(sorted(closed, key=lambda group: (-len(group.constants), -group.count, group.constants)))


def _says_more(other: Group, group: Group) -> bool:
    return other.count == group.count and set(other.constants) > set(group.constants)
