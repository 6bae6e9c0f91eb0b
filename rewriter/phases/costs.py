"""What system calls cost on two kernels (§6): means over all calls of one name that ended alike.

A call is compared with its counterpart: the n-th of the same process in the other run.  A call that slept, or gave
the processor away, stands in a class of its own; one that did so a different number of times, or faulted a different
number of times, did other work than its counterpart: it is named, and left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean

from rewriter.behavior import Key, keyed, result_class
from rewriter.run import Call, Run

Class = tuple[str, str]  # name of the call, result class
SLEPT = ", slept"  # behind the result class
MOST_USED = 20  # calls, by name, whose costs are shown
TOLERATED = 0.02  # by which a call may be dearer without being named


@dataclass(frozen=True, slots=True)
class Groups:
    """The calls of a run by class, as keys, for its counterpart too; `unlike` counts those that do not compare."""

    members: Mapping[Class, tuple[Key, ...]]
    unlike: Mapping[Class, int]
    used: Mapping[str, int] = field(default_factory=dict)  # calls by name, however they ended

    def measured(self, key: Class) -> tuple[Key, ...]:
        """All of a class but its first call, which belongs to the first repetition and warms caches."""
        members = self.members[key]
        return members[1:] or members

    def commonest(self) -> dict[str, Class]:
        """For every name the class with the most calls, the most used name first."""
        best: dict[str, Class] = {}
        for key, members in self.members.items():
            rank = (len(members), key[1] != "error")
            known = best.get(key[0])
            if known is None or rank > (len(self.members[known]), known[1] != "error"):
                best[key[0]] = key
        return {name: best[name] for name in self.names() if name in best}

    def names(self) -> list[str]:
        """All calls, the most used first."""
        return sorted(self.used, key=lambda name: (-self.used[name], name))


def groups(original: Run, other: Run, names: Mapping[int, str]) -> Groups:
    """Both runs' calls, named and classed as the original's are."""
    counterparts = keyed(other)
    members: dict[Class, list[Key]] = defaultdict(list)
    unlike = Counter[Class]()
    used = Counter[str]()
    for key, call in keyed(original).items():
        name = names.get(call.number, str(call.number))
        used[name] += 1
        counterpart = counterparts.get(key)
        ended = result_class(call) + (SLEPT if call.switches else "")
        if counterpart is None or (call.switches, call.faults) != (counterpart.switches, counterpart.faults):
            unlike[name, ended] += 1
        else:
            members[name, ended].append(key)
    return Groups({key: tuple(found) for key, found in sorted(members.items())}, dict(sorted(unlike.items())), used)


def of(calls: Mapping[Key, Call], keys: Iterable[Key]) -> list[Call]:
    """These calls; a kernel that behaves otherwise may have fewer."""
    return [calls[key] for key in keys if key in calls]


def mean(values: Iterable[int]) -> float:
    found = list(values)
    return round(fmean(found), 3) if found else 0.0


@dataclass(frozen=True, slots=True)
class Dearer:
    """A program's calls of one name cost more on the other kernel, in the mean."""

    program: str
    name: str
    calls: int
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after / self.before - 1


def dearer(original: Run, other: Run, grouped: Groups) -> Iterator[Dearer]:
    """Every (program, call) that is dearer by more than is tolerated."""
    first, second = keyed(original), keyed(other)
    costs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for (name, _), keys in grouped.members.items():
        for key in keys:
            costs[first[key].program, name].append((first[key].instructions, second[key].instructions))
    for (program, name), pairs in sorted(costs.items()):
        before, after = mean(a for a, _ in pairs), mean(b for _, b in pairs)
        if after > before * (1 + TOLERATED):
            yield Dearer(program, name, len(pairs), before, after)
