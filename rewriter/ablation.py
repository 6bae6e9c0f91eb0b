"""What each pass buys: the same calls on kernels that are made without it, and by the first passes of the order alone.

The profile is collected once.  Every kernel is made anew, with the programs that use it, and does the work that the
original did: behavior first, then instructions, of the same calls in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from rewriter.behavior import differences, keyed
from rewriter.options import Options, System
from rewriter.phases.costs import Groups, groups, mean, of
from rewriter.phases.order import ALL_PASSES, left_out, prefixes
from rewriter.pipeline import Learned, finished, learn, make, stopped
from rewriter.run import Run

ORIGINAL, ALL, WITHOUT, UP_TO = "original", "all passes", "without", "up to"


@dataclass(frozen=True, slots=True)
class Row:
    """One kernel.  `kind` is one of the four above, `name` a pass; `instructions` are the means of each call, by name;
    `different`: in how many ways it behaves otherwise than the original, the first of them in words."""

    kind: str
    name: str
    new_calls: int
    instructions: Mapping[str, float]
    different: tuple[str, ...]


def variations(options: Options) -> Iterator[tuple[str, str, Options]]:
    """(kind, pass, options): all passes; each of them left out; each prefix of their order, none at first."""
    yield ALL, "", options
    run = [name for _, name in prefixes(options)]
    for name in ALL_PASSES:
        if name in run and name not in left_out(options):
            yield WITHOUT, name, replace(options, without=options.without | {name})
    for first, name in list(prefixes(options))[:-1]:
        yield UP_TO, name, replace(options, first=first)


def ablation(
    options: Options, system: System, progress: Callable[[str], None], cancelled: Callable[[], bool]
) -> Iterator[Row]:
    """The original's row, then one a variation.  Raises Cancelled, and what `pipeline.run` does."""
    with stopped(cancelled):
        learned = finished(learn(options, system, progress, cancelled))
    progress("original kernel")
    original = _boot(options, system, system.kernel, {}, cancelled)
    grouped: Groups | None = None
    for kind, name, varied in variations(options):
        progress(f"{kind} {name}".strip())
        run, new_calls = _made(varied, system, learned, cancelled)
        if grouped is None:  # all passes: the calls that are compared from now on
            grouped = groups(original, run, learned.observed.names)
            yield Row(ORIGINAL, "", 0, _means(original, grouped), ())
        found = tuple(f"{each.what}: {each.detail}" for each in differences(original, run))
        yield Row(kind, name, new_calls, _means(run, grouped), found)


def _made(options: Options, system: System, learned: Learned, cancelled: Callable[[], bool]) -> tuple[Run, int]:
    """What the programs do on the kernel that these options make, and how many new calls it has."""
    made = finished(make(options, system, learned, lambda _: None, cancelled))
    return _boot(options, system, made.image.kernel, made.changed.programs, cancelled), len(made.image.variants)


def _boot(
    options: Options,
    system: System,
    kernel: bytes,
    programs: Mapping[str, bytes],
    cancelled: Callable[[], bool],
) -> Run:
    with stopped(cancelled):
        work = system.work(options.commands, programs)
        return system.machine.run(kernel, work, measure=True, check=True, cancelled=cancelled)


def _means(run: Run, grouped: Groups) -> dict[str, float]:
    """By name, the most used call first: over the calls that ended as most of them did."""
    calls = keyed(run)
    return {
        name: mean(call.instructions for call in of(calls, grouped.measured(key)))
        for name, key in grouped.commonest().items()
    }
