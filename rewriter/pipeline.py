"""The nine phases in order, as a generator of results: all that the walkthrough, the command and the tests drive.

Load; values; count; traces: beyond this point nothing more is learned.  Inline; specialize; layout: beyond this
point no code changes.  Retarget; measure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from rewriter.options import Options, System
from rewriter.phases import count, inline, layout, load, measure, retarget, specialize, traces, values
from rewriter.report import PhaseResult

T = TypeVar("T")


class Cancelled(Exception):
    """Somebody asked to stop; nothing was left half-done."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What the first four phases found out, for any number of kernels."""

    loaded: load.Loaded
    observed: values.Values
    counted: count.Counted
    traced: traces.Traced


@dataclass(frozen=True, slots=True)
class Made:
    """A specialized kernel and the programs that use it."""

    image: layout.Laid
    changed: retarget.Retargeted


def run(
    options: Options,
    system: System,
    progress: Callable[[str], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[PhaseResult]:
    """Yield the result of one phase after the other, up to `options.until`.

    `progress` hears what is being done; `cancelled` is polled, also while a machine runs or a call is specialized,
    and ends the generator with Cancelled.  Raises ElfError, MachineError, ProbeError: each with one line.
    """
    results = _phases(options, system, progress, cancelled)
    while True:
        if cancelled():
            raise Cancelled
        start = time.perf_counter()
        with stopped(cancelled):
            result = next(results, None)
        if result is None:
            return
        yield replace(result, seconds=round(time.perf_counter() - start, 3))
        if result.name == options.until:
            return


def _phases(
    options: Options, system: System, progress: Callable[[str], None], cancelled: Callable[[], bool]
) -> Iterator[PhaseResult]:
    learned = yield from learn(options, system, progress, cancelled)
    made = yield from make(options, system, learned, progress, cancelled)
    _, result = measure.run(
        options,
        system,
        made.image,
        made.changed.programs,
        made.image.variants,
        learned.observed.names,
        progress,
        cancelled,
    )
    yield result


def learn(
    options: Options, system: System, progress: Callable[[str], None], cancelled: Callable[[], bool]
) -> Generator[PhaseResult, None, Learned]:
    """Load to traces."""
    poll = _polled(cancelled)
    progress("load")
    loaded, result = load.run(system, poll)
    yield result
    progress("values: running the training set")
    observed, result = values.run(options, system, loaded, cancelled, poll)
    yield result
    progress("count: running the training set with counters")
    counted, result = count.run(options, system, loaded, cancelled)
    yield result
    progress("traces: running the training set with stack walks")
    traced, result = traces.run(options, system, loaded, observed, counted, cancelled)
    yield result
    return Learned(loaded, observed, counted, traced)


def make(
    options: Options,
    system: System,
    learned: Learned,
    progress: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Generator[PhaseResult, None, Made]:
    """Inline to retarget."""
    poll, loaded, observed = _polled(cancelled), learned.loaded, learned.observed
    progress("inline")
    inlined, result = inline.run(options, system, loaded, observed, learned.counted, learned.traced, poll)
    yield result
    progress("specialize")
    specialized, result = specialize.run(options, system, loaded, observed, inlined)
    yield result
    progress("layout")
    image, result = layout.run(options, system, loaded, learned.counted, specialized, poll)
    yield result
    progress("retarget")
    changed, result = retarget.run(loaded, observed, image.variants, image.identity, poll)
    yield result
    return Made(image, changed)


def finished(phases: Generator[PhaseResult, None, T]) -> T:
    """Run them for what they hand on, and keep none of their results."""
    while True:
        try:
            next(phases)
        except StopIteration as end:
            value: T = end.value
            return value


@contextmanager
def stopped(cancelled: Callable[[], bool]) -> Iterator[None]:
    """Whatever ends the block once somebody asked to stop, it is Cancelled: a machine that was stopped says so in its
    own way."""
    try:
        yield
    except Exception:
        if cancelled():
            raise Cancelled from None
        raise


def _polled(cancelled: Callable[[], bool]) -> Callable[[], None]:
    def poll() -> None:
        if cancelled():
            raise Cancelled

    return poll
