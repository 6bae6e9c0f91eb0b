"""Random system calls on two kernels in lock step: an original, and what the rewriter made of it.

python -m tests.toykernel.lockstep [CALLS [SEED]]

Both run `randomcalls` with the same seed, and the n-th call of a process on one is compared with its n-th on the other:
result, registers, all user memory; at the end the console, the files, the disk's bytes, and what the kernel counts of
its objects.  On the specialized kernel most calls that a new number may stand for are made by that number.  Besides,
calls are made that no program would make, by new numbers, by old ones, and by numbers that nobody has, with hostile
arguments; what a number implies is told to the original call alone, and the new one finds anything in that register.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from random import Random
from typing import Any

from rewriter.analysis.gates import handlers
from rewriter.behavior import keyed
from rewriter.certificate import NewCall
from rewriter.elf import load
from rewriter.options import Options, System
from rewriter.pipeline import run as phases
from rewriter.report import PhaseResult
from tests.toykernel.random_calls import BORROWED, Trial, told
from toykernel.machine import Call, Machine, MachineError, Run, Turn, Workload
from tui.system import toy

WORD = 0xFFFFFFFF
REGISTERS = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eflags")
SLOTS = 256  # of the system-call table
NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 13, 63, 64, 65, 511, 512, 1000, 4095, 4096, 4097, 65536, 0x7FFFFFFF, 0x80000000)
NOWHERE = (0, 1, 0x1000, 0x08048000, 0xBFFFF000, 0xBFFFFFFD, 0xC0000000, 0xC0100000, 0xC0100FFE, 0xFFFFF000, WORD)
ABSENT = (SLOTS - 1, SLOTS, SLOTS + 1, 0x7FFFFFFF, 0x80000000, WORD, WORD - 1)
MOST = 5  # calls before one of the program's
PAGES = re.compile(rb"(" + "|".join(sorted(BORROWED)).encode() + rb") \d+")  # fewer for a larger kernel
PROGRAM = "randomcalls"
FCNTL = 55  # makes a new pipe one on which nobody waits: who reads from it before that waits for ever
# These would end the program, put another in its place, or wait for what never comes.
LEFT_OUT = frozenset({"exit", "fork", "vfork", "clone", "execve", "pause", "waitpid", "wait4", "nanosleep", "reboot"})
LEFT_OUT |= {"sigreturn", "kill", "ptrace", "sigsuspend", "sigprocmask", "sigaction", "signal", "alarm", "select"}


class Fuzzer:
    """Says at each turn which call is made.  Two of the same seed, one of them `new`, make calls that must do the same.

    `calls`: the new system calls; `free`: numbers in the table that are nobody's."""

    def __init__(self, seed: int, calls: Sequence[NewCall], free: Sequence[int], new: bool, *, wild: bool) -> None:
        self._random, self._new, self._wild = Random(seed), new, wild
        self._calls = [call for call in calls if call.name.removeprefix("sys_").partition("$")[0] not in LEFT_OUT]
        self._all, self._free = list(calls), list(free)
        self.extra = self.renumbered = 0

    def __call__(self, turn: Turn) -> tuple[tuple[int, ...], bool]:
        may = self._wild and turn.program == PROGRAM and turn.extra < MOST and turn.registers[0] != FCNTL
        if may and self._random.random() < 0.4:
            self.extra += 1
            return self._hostile(turn), True
        return self._own(turn), False

    def _own(self, turn: Turn) -> tuple[int, ...]:
        """The program's call, by a new number that suits it."""
        number, *arguments = turn.registers
        fitting = [c for c in self._all if c.call == number and all(arguments[n] == v for n, v in c.implied.items())]
        if not fitting or self._random.random() < 0.2:
            return turn.registers
        self.renumbered += 1
        call = self._random.choice(fitting)
        return (call.number if self._new else number, *arguments)

    def _hostile(self, turn: Turn) -> tuple[int, ...]:
        arguments = [self._argument(turn) for _ in range(6)]
        if arguments[0] < 3:
            arguments[0] += 3  # the console
        if any(turn.esp - 0x10000 < each < turn.esp for each in arguments):  # nothing may get as far as the frames
            arguments = [each & 4095 if 4096 < each < 0x08000000 or each >> 31 else each for each in arguments]
        if not self._calls or self._random.random() < 0.1:
            return (self._random.choice((*self._free, *ABSENT)), *arguments)
        call = self._random.choice(self._calls)
        for n, value in call.guarded.items():
            if self._random.random() < 0.5:
                arguments[n] = value
        garbage = [self._argument(turn) for _ in range(6)]
        if self._new:
            return (call.number, *(garbage[n] if n in call.implied else each for n, each in enumerate(arguments)))
        return (call.call, *(call.implied.get(n, each) for n, each in enumerate(arguments)))

    def _argument(self, turn: Turn) -> int:
        """A number, a descriptor, an address: nowhere, in the text, below the stack's end and near that of a page."""
        kind, draw = self._random.randrange(6), self._random
        if kind == 0:
            return draw.choice(NUMBERS) * draw.choice((1, 1, 1, -1)) & WORD
        if kind == 1:
            return draw.choice(NOWHERE)
        if kind == 2:
            return 3 + draw.randrange(13)
        if kind == 3:
            return turn.site - draw.randrange(64)
        if kind == 4:
            return turn.esp - 4200 - draw.randrange(9000)
        return (turn.esp - 8192 & -4096) - draw.randrange(80)


@dataclass(frozen=True)
class Pair:
    """Two kernels, and the new calls of the second."""

    original: bytes
    specialized: bytes
    calls: Sequence[NewCall]
    free: Sequence[int]

    @staticmethod
    def of(system: System, layout: PhaseResult) -> Pair:
        """A kernel, and what the phase made of it."""
        rows: Any = layout.summary["new_calls"]
        calls = [NewCall.of(row) for row in rows]
        return Pair(system.kernel, layout.files["kernel.specialized.elf"], calls, _free(system, calls))

    @staticmethod
    def made(*commands: str, growth: float = 9.0) -> Pair:
        """The toy kernel specialized for these command lines; each call that is worth it has a place."""
        system = toy()
        options = Options(program=commands[-1].split()[0], commands=commands, growth=growth, until="layout")
        (layout,) = (result for result in phases(options, system) if result.name == options.until)
        return Pair.of(system, layout)

    def boot(self, seed: int, work: Workload, *, wild: bool, new: bool) -> tuple[Run | str, Fuzzer]:
        """One of them; what it says where it dies."""
        fuzzer = Fuzzer(seed, self.calls, self.free, new, wild=wild)
        try:
            run = Machine(steer=fuzzer).run(self.specialized if new else self.original, work, check=True)
        except MachineError as error:
            return str(error), fuzzer
        return run, fuzzer


def _free(system: System, calls: Sequence[NewCall]) -> list[int]:
    """Numbers in the table that stand for nothing, those beside the new ones first."""
    names = handlers(load(system.kernel, system.contract), system.contract)
    taken = {*names, *(call.number for call in calls)}
    near = [call.number + beside for call in calls for beside in (-1, 1)]
    return [number for number in dict.fromkeys((*near, *range(SLOTS))) if number not in taken][:16]


@dataclass(frozen=True)
class Report:
    """What came of one seed: calls that were compared, those of them that were made besides the program's own, and
    those that were made by a new number; one line for each difference."""

    seed: int
    calls: int
    extra: int
    renumbered: int
    problems: tuple[str, ...]


def lockstep(pair: Pair, seed: int, count: int) -> Report:
    """Run both kernels; a `count` of calls, twice.  Where the seed is even the calls are the program's alone, and a
    model says what they give, too."""
    wild = bool(seed % 2)
    trial = Trial(((seed, count),))
    (one, _), (two, fuzzer) = (pair.boot(seed, trial.work(), wild=wild, new=new) for new in (False, True))
    if isinstance(one, str) or isinstance(two, str):
        outcome = [run if isinstance(run, str) else "ends" for run in (one, two)]
        same = outcome[0] == outcome[1]
        return Report(seed, 0, 0, 0, () if same else (f"the original {outcome[0]}, the other {outcome[1]}",))
    problems = list(differences(one, two))
    if not wild and not problems:
        problems = list(trial.differences(two, pair.specialized))
    return Report(seed, len(one.calls), fuzzer.extra, fuzzer.renumbered, tuple(problems))


def differences(one: Run, two: Run) -> Iterator[str]:
    """All that is not the same, the first call that is not."""
    others = keyed(two)
    for n, (key, call) in enumerate(keyed(one).items()):
        why = _differs(call, others[key]) if key in others else "was not made"
        if why is not None:
            arguments = " ".join(f"{word:#x}" for word in others.get(key, call).arguments)
            number = others[key].number if key in others else "-"
            yield f"call {n} of {call.program} at {call.site:#x}, {call.number} or {number} with {arguments}: {why}"
            break
    if len(one.calls) != len(two.calls):
        yield f"{len(one.calls)} calls became {len(two.calls)}"
    if PAGES.sub(b"", one.console) != PAGES.sub(b"", two.console):
        yield "the console differs"
    if tuple(one.exits) != tuple(two.exits):
        yield f"exits {one.exits} became {two.exits}"
    if one.disk != two.disk or one.files != two.files:
        yield "the disk differs"
    for (name, was), (_, now) in zip(told(one.console), told(two.console), strict=False):
        if name not in BORROWED and was != now:
            yield f"the kernel's {name}: {was} became {now}"


def _differs(old: Call, new: Call) -> str | None:
    expected = [*old.registers]
    for n, (told_it, found) in enumerate(zip(old.arguments, new.arguments, strict=True), 1):
        if told_it != found and expected and expected[n] == told_it:
            expected[n] = found  # what is implied comes back as it was
    if (old.program, old.process, old.site) != (new.program, new.process, new.site):
        return f"is one of {new.program} at {new.site:#x}"
    if tuple(expected) != new.registers:
        pairs = zip(REGISTERS, expected, new.registers, strict=False)
        wrong = [f"{name} {was:#x} became {now:#x}" for name, was, now in pairs if was != now]
        return ", ".join(wrong) or "only one of them returned"
    if old.program != PROGRAM:
        return None  # `cat` has read the counters, which know how large the kernel is
    return None if old.memory == new.memory else "user memory differs"


def reports(pair: Pair, calls: int, first: int, count: int = 1000, jobs: int | None = None) -> Iterator[Report]:
    """Of one seed after the other, until so many calls were compared."""
    done, seed = 0, first
    with ProcessPoolExecutor(jobs) as pool:
        running: set[Future[Report]] = set()
        try:
            while done < calls:
                while len(running) < 2 * (jobs or 4):
                    running.add(pool.submit(lockstep, pair, seed, count))
                    seed += 1
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    done += future.result().calls
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random system calls on two kernels in lock step.")
    parser.add_argument("calls", type=int, nargs="?", default=1_000_000, help="to be compared, at least")
    parser.add_argument("seed", type=int, nargs="?", default=1, help="the first one")
    parser.add_argument("--jobs", type=int, default=None, help="processes")
    chosen = parser.parse_args()
    start, total, failed = time.perf_counter(), 0, 0
    print("specializing the kernel", flush=True)
    pair = Pair.made("randomcalls 3 600")
    print("new calls:", ", ".join(call.name for call in pair.calls), flush=True)
    try:
        for report in reports(pair, chosen.calls, chosen.seed, jobs=chosen.jobs):
            total += report.calls
            failed += bool(report.problems)
            kinds = f"{report.renumbered:,} of the program by a new number, {report.extra:,} hostile"
            print(f"seed {report.seed}: {report.calls:,} calls, {kinds}", *report.problems, sep="\n    ", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
    print(f"{total:,} calls, {failed} seeds with differences, {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
