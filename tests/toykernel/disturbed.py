"""New system calls that are interrupted: at every kernel instruction at which the timer may, once and until the process
has used up its quantum.  Each must end as the old call does that nobody disturbs.

python -m tests.toykernel.disturbed [MOMENTS [MOST]]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from rewriter.certificate import NewCall
from tests.toykernel.lockstep import Pair
from toykernel.machine import Machine, Workload
from toykernel.machine.forks import Ending, Moment, Shower
from tui.system import toy

QUANTUM = 6  # ticks, after which somebody else has his turn
Registers = tuple[int, ...]


class Trials(Protocol):
    """Trials of new calls on a kernel: how many of each, and what was wrong."""

    tried: Counter[str]
    wrong: list[str]

    def run(self, kernel: bytes, work: Workload) -> None: ...

    def row(self, name: str) -> str:
        """A line about one call."""


@dataclass
class Disturbances:
    """Makes trials at `moments` calls of each new call's kind, in a run that is made twice: first to see how many
    instructions each call has that can be interrupted, then to interrupt them, `most` of each, evenly spread."""

    calls: Sequence[NewCall]
    moments: int = 1
    most: int = 400
    chances: dict[int, int] = field(default_factory=dict)  # by the number of the moment
    say: Callable[[str], None] = lambda _: None
    tried: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)
    _number: int = -1
    _now: tuple[NewCall, list[Shower]] | None = None

    def run(self, kernel: bytes, work: Workload) -> None:
        for _ in range(2):
            self._number, self._seen = -1, Counter()
            Machine().what_if(kernel, work, self._ask, self._hear, storm=self._storm)

    def row(self, name: str) -> str:
        return f"{name}: {self.tried[name]:,} trials"

    def _ask(self, moment: Moment) -> Sequence[Registers]:
        self._number += 1
        number, *arguments = moment.registers
        for call in self.calls:
            suits = call.call == number and all(arguments[n] == v for n, v in {**call.implied, **call.guarded}.items())
            if not suits:
                continue
            self._seen[call.name] += 1
            if not spread(self._seen[call.name], self.moments):
                continue
            chances = self.chances.get(self._number, 0)
            at = range(1, chances + 1, max(1, -(-chances // self.most)))
            showers = [Shower(), *(Shower(n, times) for times in (1, QUANTUM) for n in at)]
            self._now = call, showers
            return [moment.registers, *[(call.number, *arguments)] * len(showers)]
        return ()

    def _storm(self, n: int) -> Shower:
        assert self._now is not None
        return self._now[1][n - 1] if n else Shower()

    def _hear(self, moment: Moment, endings: Sequence[Ending]) -> None:
        assert self._now is not None
        call, showers = self._now
        old, *others = endings
        first = self._number not in self.chances
        self.chances[self._number] = others[0].chances
        if first:
            return
        for shower, new in zip(showers, others, strict=True):
            self.tried[call.name] += 1
            if (old.how, old.registers, old.memory) != (new.how, new.registers, new.memory):
                where = (
                    f"interrupted {shower.times} times before instruction {shower.at}" if shower.at else "undisturbed"
                )
                self.wrong.append(f"{call.name} at call {self._number}, {where}: {_difference(old, new)}")
        self.say(f"{call.name} at call {self._number}: {len(showers)} trials, {len(self.wrong)} differences")


def spread(seen: int, moments: int) -> bool:
    """Whether the `seen`-th of a kind is taken: the first one, then later and later ones, 1, 4, 16, 64 …"""
    return seen in {4**n for n in range(moments)}


def _difference(old: Ending, new: Ending) -> str:
    if old.how != new.how:
        return f"{old.how} became {new.how}"
    if old.registers != new.registers:
        before, after = (" ".join(f"{word:x}" for word in each.registers) for each in (old, new))
        return f"registers {before} became {after}"
    return "user memory differs"


def long_run(make: Callable[[Sequence[NewCall], Callable[[str], None]], Trials], *commands: str) -> int:
    """Specialize the kernel for these command lines, make the trials, and print what came out.  1 if there are
    differences."""
    start = time.perf_counter()
    say = partial(print, flush=True)
    say("specializing the kernel")
    pair = Pair.made(*commands)
    known = toy().work(commands)
    found = make(pair.calls, say)
    found.run(pair.specialized, Workload(known.commands, known.files, known.disk, memory=12))
    for name in sorted(found.tried):
        print(found.row(name))
    print(*found.wrong[:20], sep="\n")
    print(f"{found.tried.total():,} trials, {len(found.wrong)} differences, {time.perf_counter() - start:.0f} s")
    return 1 if found.wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="New system calls, interrupted everywhere.")
    parser.add_argument("moments", type=int, nargs="?", default=3, help="of each new call")
    parser.add_argument("most", type=int, nargs="?", default=400, help="instructions of each that are interrupted")
    chosen = parser.parse_args()
    return long_run(lambda calls, say: Disturbances(calls, chosen.moments, chosen.most, say=say), "sh /data/small.sh")


if __name__ == "__main__":
    sys.exit(main())
