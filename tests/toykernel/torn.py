"""Copies that fault in the middle: buffers of new system calls laid across every border of the program's memory, so
that each byte of a copy is the first that is absent, read-only or not there yet.  The old call and the new one must
leave the same registers and the same bytes everywhere.

python -m tests.toykernel.torn [MOMENTS [STRIDE]]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rewriter.certificate import NewCall, Registers, difference_between
from tests.toykernel.disturbed import long_run, spread
from toykernel.machine import Machine, Workload
from toykernel.machine.forks import Ending, Moment

PAGE = 4096
KERNEL = 0xC0000000
LENGTHS = (1, 3, 4, 7, 64, 67)
REACH = 72  # bytes before a border, and a little behind it


@dataclass
class Tears:
    """Trials at `moments` calls of each new call's kind; of the places about a border every `stride`-th."""

    calls: Sequence[NewCall]
    moments: int = 1
    stride: int = 1
    say: Callable[[str], None] = lambda _: None
    tried: Counter[str] = field(default_factory=Counter)
    faulted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)
    _now: tuple[NewCall, list[Registers]] | None = None

    def run(self, kernel: bytes, work: Workload) -> None:
        Machine().what_if(kernel, work, self._ask, self._hear)

    def row(self, name: str) -> str:
        return f"{name}: {self.tried[name]:,} trials, {self.faulted[name]:,} of them EFAULT"

    def _ask(self, moment: Moment) -> Sequence[Registers]:
        number, *arguments = moment.registers
        for call in self.calls:
            suits = call.call == number and all(arguments[n] == value for n, value in call.implied.items())
            trials = list(_trials(call, arguments, moment, self.stride)) if suits else []
            self._seen[call.name] += bool(trials)
            if trials and spread(self._seen[call.name], self.moments):
                self._now = call, trials
                return trials
        return ()

    def _hear(self, moment: Moment, endings: Sequence[Ending]) -> None:
        assert self._now is not None
        call, trials = self._now
        for at in range(0, len(trials), 2):
            old, new = endings[at : at + 2]
            self.tried[call.name] += 1
            self.faulted[call.name] += bool(old.registers) and old.registers[0] == 0xFFFFFFFF - 13
            why = difference_between((trials[at], trials[at + 1]), old, new)
            if why is not None:
                shown = " ".join(f"{word:#x}" for word in trials[at + 1])
                self.wrong.append(f"{call.name} at {moment.site:#x} with {shown}: {why}")
        self.say(f"{call.name} at {moment.site:#x}: {len(trials) // 2} trials, {len(self.wrong)} differences")


def _trials(call: NewCall, arguments: Sequence[int], moment: Moment, stride: int) -> Iterator[Registers]:
    """The old call and the new one, in turn, with each pointer among the arguments led across each border."""
    for n, value in enumerate(arguments[:3]):
        if n in call.implied or not PAGE <= value < KERNEL:
            continue
        for border in _borders(moment):
            for place in range(border - REACH, border + 8, stride):
                changed = [*arguments]
                changed[n] = place
                for length in (None, LENGTHS[place % len(LENGTHS)]):
                    if length is not None and (n != 1 or 2 in call.implied):
                        continue
                    changed[2] = length or arguments[2]
                    yield (call.call, *changed)
                    yield (call.number, *changed)


def _borders(moment: Moment) -> list[int]:
    """Where memory that can be written ends, and where it begins: behind one is nothing, or it may not be written, or
    it has yet to be brought; before the other there is text, which can only be read."""
    pages = set(moment.pages)
    ends = [page + PAGE for page in moment.pages if page + PAGE not in pages]
    starts = [page for page in moment.pages if page - PAGE not in pages]
    return [*ends, *starts]


def main() -> int:
    parser = argparse.ArgumentParser(description="Buffers of new system calls across borders of memory.")
    parser.add_argument("moments", type=int, nargs="?", default=4, help="of each new call")
    parser.add_argument("stride", type=int, nargs="?", default=1, help="bytes from one place to the next")
    chosen = parser.parse_args()
    return long_run(
        lambda calls, say: Tears(calls, chosen.moments, chosen.stride, say=say), "readseek 9000 2", "randomcalls 3 600"
    )


if __name__ == "__main__":
    sys.exit(main())
