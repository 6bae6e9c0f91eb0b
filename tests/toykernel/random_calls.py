"""Random system calls on the kernel, and a model that knows what they give: results, files, the disk, no leaks.

python -m tests.toykernel.random_calls [--kernel ELF] [COUNT [SEED…]]
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.toykernel.boots import workload
from tests.toykernel.model.calls import REPORT, World
from toykernel import disk, fsck, image
from toykernel.machine import Machine, Run, Workload

COUNTER = re.compile(r"([a-z_ ]+) (\d+)$")  # a line of /proc/meminfo
CLEAN = (0, 0)  # a run that makes no calls: it removes what the one before has left
WARM = (0, 500)  # so that the kernel has used everything once, and keeps what it keeps
BORROWED = {"free_pages", "cached_pages", "slab_pages"}  # what one of them loses another one has
REMEMBERED = {"unused_inodes", "blocks"}  # what could be read again


@dataclass(frozen=True)
class Trial:
    """Runs of `randomcalls` in one boot, each with a seed and a number of calls."""

    runs: Sequence[tuple[int, int]]

    @property
    def all_runs(self) -> tuple[tuple[int, int], ...]:
        """Counters are looked at behind each CLEAN; what the last run leaves is compared with the disk."""
        return (WARM, CLEAN, *self.runs, CLEAN, self.runs[0])

    def work(self) -> Workload:
        commands: list[str] = []
        for seed, count in self.all_runs:
            commands.append(f"randomcalls {seed} {count}")
            if (seed, count) == CLEAN:
                commands.append("cat /proc/meminfo")
        return workload(*commands, disk=roomy_disk())

    def differences(self, run: Run, kernel: bytes | None = None) -> Iterator[str]:
        """What is not as the model says; the kernel is asked again for the first wrong call."""
        world = World(self.work().files)
        found = iter(without_counters(run.console))
        for seed, count in self.all_runs:
            for line in world.run(seed, count):
                if (got := next(found, "nothing")) != line:
                    yield from (
                        f"randomcalls {seed} {count}: {got}, expected {line}",
                        *_narrowed(kernel or image.kernel(), seed, count, line),
                    )
                    return
        yield from (f"more output: {line}" for line in found)
        yield from leaks(told(run.console))
        yield from (f"the disk: {what}" for what in fsck.check(run.disk))
        if disk.files(run.disk) != world.on_disk():
            yield "the disk has other files than the model"


def roomy_disk() -> bytes:
    """One that the calls do not fill."""
    return disk.make({}, blocks=8192, inodes=1024)


def without_counters(console: bytes) -> list[str]:
    """What the programs said: how much memory there is depends on the machine."""
    return [line for line in console.decode("ascii", "replace").splitlines() if not COUNTER.match(line)]


def told(console: bytes) -> list[tuple[str, str]]:
    """The counters that /proc/meminfo showed, all of them each time."""
    lines = console.decode("ascii", "replace").splitlines()
    return [(match[1], match[2]) for line in lines if (match := COUNTER.match(line))]


def _narrowed(kernel: bytes, seed: int, count: int, line: str) -> Iterator[str]:
    """The first call that gave something else, if the line is a checksum."""
    match = re.match(r"(\d+) calls:", line)
    if not match:
        return
    last = int(match[1])
    show = range(max(1, last - REPORT + 1), last + 1)
    work = workload(f"randomcalls {seed} {last} {show.start} {last}", disk=roomy_disk())
    console = Machine().run(kernel, work).console.decode("ascii", "replace").splitlines()
    for got, wanted in zip(console, World(work.files).run(seed, last, show), strict=False):
        if got != wanted:
            yield from (f"call {got}", f"expected {wanted}")
            return
    yield "alone, it gives what it should"


def leaks(counters: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What is missing in the end.  `counters`: all of them twice, before and after."""
    half = len(counters) // 2
    before, after = ({name: int(value) for name, value in part} for part in (counters[:half], counters[half:]))
    for part in (before, after):
        part["inodes"] -= part["unused_inodes"]
    for name in before.keys() - BORROWED - REMEMBERED:
        if before[name] != after[name]:
            yield f"leak: {name} was {before[name]}, is {after[name]}"
    if (was := sum(before[name] for name in BORROWED)) != (now := sum(after[name] for name in BORROWED)):
        yield f"leak: pages that are free or can be freed: {was}, now {now}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Random system calls, checked by a model.")
    parser.add_argument("--kernel", type=argparse.FileType("rb"), metavar="ELF", help="another kernel than ours")
    parser.add_argument("count", type=int, nargs="?", default=100_000, help="calls of each seed")
    parser.add_argument("seeds", type=int, nargs="*", default=[1])
    chosen = parser.parse_args()
    kernel = chosen.kernel.read() if chosen.kernel else image.kernel()
    for seed in chosen.seeds or [1]:
        start = time.perf_counter()
        trial = Trial(((seed, chosen.count),))
        problems = list(trial.differences(Machine().run(kernel, trial.work()), kernel))
        print(f"seed {seed}: {2 * chosen.count:,} calls, {time.perf_counter() - start:.1f} s", *problems, sep="\n    ")
        if problems:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
