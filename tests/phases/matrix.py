"""Every combination of passes keeps behavior: one profile, many kernels, the same work on each.

    python -m tests.phases.matrix [--jobs N] [--only TEXT] [WORK …]

prints each combination with its verdict.  The work is the `training` set, call by call; the kernel's `tests` and random
calls, of which consoles, exits and files are compared (how much memory is left depends on the kernel's size); or a
micro-benchmark and `calls` of all kinds, also on each build of `builds`.  The programs are retargeted.  New
calls get a place whether they are worth their bytes or not.  Exit status 1 where something differs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

from rewriter.behavior import differences
from rewriter.options import Options, System
from rewriter.phases import layout
from rewriter.phases.order import ALL_PASSES, prefixes
from rewriter.pipeline import Learned, finished, learn, make
from rewriter.run import Run
from tests.phases.builds import BUILDS, built
from tests.toykernel.random_calls import roomy_disk
from toykernel import build, image
from toykernel.machine import Machine, Workload
from tui.system import toy

TRAINING, TESTS, CALLS = "training", "tests", "calls"
LITTLE = ("readseek 9000 3", "calls", "cat /data/small/text")
WORK = {TRAINING: ("sh /data/small.sh",), TESTS: ("usertests", "randomcalls 3 2000"), CALLS: LITTLE}
ROUGHLY = ("console", "exit", "files")
PATIENCE = 1_000_000_000  # instructions of one system call, on kernels that watch themselves


@dataclass(frozen=True)
class Ground:
    """What all combinations of one kernel share."""

    system: System
    options: Options
    learned: Learned
    original: Run
    exact: bool  # whether calls are compared one by one


def combinations(options: Options) -> Iterator[tuple[str, Options]]:
    """All passes; each left out, also where there is no region; every second one left out; each alone, and alone on
    inlined calls; each prefix."""
    every = frozenset(ALL_PASSES)
    yield "all", options
    yield "as published", replace(options, as_published=True)
    for name in ALL_PASSES:
        yield f"without {name}", replace(options, without=frozenset({name}))
    for name in ALL_PASSES:
        if name != "region":
            yield f"without region and {name}", replace(options, without=frozenset({"region", name}))
    first_two = ("inline", "arguments")
    behind = [name for name in ALL_PASSES if name not in first_two]
    others = [name for name in behind if name != "region"]
    for first in (0, 1):
        half = frozenset(others[first::2])
        yield f"without every second, {others[first]} the first", replace(options, without=half)
        yield f"without region and every second, {others[first]} the first", replace(options, without=half | {"region"})
    for name in ALL_PASSES:
        yield f"{name} alone", replace(options, without=every - {name})
    for name in behind:
        yield f"inline, arguments and {name}", replace(options, without=every - {*first_two, name})
    yield "none", replace(options, first=0)
    for n, name in prefixes(options):
        yield f"the first {n}, up to {name}", replace(options, first=n)


def everybody(offered: Any, *_: Any) -> Any:
    """Instead of the calls that are worth their bytes."""
    return offered


def ground(name: str) -> Ground:
    """Learn from the work, and do it on the original kernel."""
    own = toy()
    machine: Any = Machine(stack_size=own.contract.stack_size, budget=PATIENCE)
    kernel = built(name) if name in BUILDS else image.kernel()
    system = replace(own, machine=machine, kernel=kernel, one_unit=None)
    if name == TESTS:
        system = replace(system, workload=_small(own))
    lines = WORK.get(name, LITTLE)
    options = Options(program=lines[-1].split()[0], commands=lines)
    learned = finished(learn(options, system, lambda _: None, lambda: False))
    return Ground(system, options, learned, _run(system, options, kernel, {}, name != TESTS), name != TESTS)


def tried(base: Ground, options: Options) -> tuple[int, int, list[str]]:
    """How many new calls there are, how many calls of the work were of them, and what was different."""
    options = replace(base.options, without=options.without, first=options.first, as_published=options.as_published)
    made = finished(make(options, base.system, base.learned, lambda _: None, lambda: False))
    run = _run(base.system, options, made.image.kernel, made.changed.programs, base.exact)
    numbers = {variant.number for variant in made.image.variants}
    found = [
        f"{each.what}: {each.detail}" for each in differences(base.original, run) if base.exact or each.what in ROUGHLY
    ]
    return len(numbers), sum(call.number in numbers for call in run.calls), found


def _small(own: System) -> Any:
    """Little memory, so that using it up does not take long; room on the disk."""

    def made(commands: Any, files: Any) -> Workload:
        work: Any = own.workload(commands, files)
        return Workload(work.commands, work.files, work.disk or roomy_disk(), memory=12)

    return made


def _run(system: System, options: Options, kernel: bytes, programs: Any, exact: bool) -> Run:
    return system.machine.run(kernel, system.work(options.commands, programs), check=exact)


_base: Ground | None = None  # of the processes below


def _one(combination: tuple[str, Options]) -> tuple[str, float, str, bool]:
    title, options = combination
    start = time.perf_counter()
    assert _base is not None
    try:
        calls, used, found = tried(_base, options)
        verdict = "; ".join(found) or f"the same; {calls} new calls, used {used:,} times"
    except Exception as error:
        found = [verdict := f"{type(error).__name__}: {error}"]
    return title, time.perf_counter() - start, verdict, not found


def main() -> int:
    global _base
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="combinations whose title has this in it")
    parser.add_argument("work", nargs="*", default=[*WORK, *BUILDS], help=", ".join((*WORK, *BUILDS)))
    chosen = parser.parse_args()
    layout.fitting = everybody  # type: ignore[assignment]
    wrong = 0
    for name in chosen.work:
        try:
            _base = ground(name)
        except build.BuildError as error:
            print(f"{name}: {error}", flush=True)
            continue
        todo = [each for each in combinations(_base.options) if chosen.only in each[0]]
        with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("fork")) as processes:
            for title, seconds, verdict, same in processes.map(_one, todo):
                wrong += not same
                print(f"{name}, {title} ({seconds:.0f} s): {verdict}", flush=True)
    print(f"{wrong} combinations differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
