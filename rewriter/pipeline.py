"""The nine phases in order, as a generator of results: all that the walkthrough, the command and the tests drive.

Load; values; count; traces: beyond this point nothing more is learned.  Inline; specialize; layout: beyond this
point no code changes.  Retarget; measure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from rewriter.options import Options, System
from rewriter.phases import count, inline, layout, load, measure, retarget, specialize, traces, values
from rewriter.report import PhaseResult

T = TypeVar("T")


class Cancelled(Exception):
    """Somebody asked to stop; nothing was left half-done."""


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
        try:
            result = next(results, None)
        except Exception:
            if cancelled():  # a machine that was stopped says so in its own way
                raise Cancelled from None
            raise
        if result is None:
            return
        yield replace(result, seconds=round(time.perf_counter() - start, 3))
        if result.name == options.until:
            return


def _phases(
    options: Options, system: System, progress: Callable[[str], None], cancelled: Callable[[], bool]
) -> Iterator[PhaseResult]:
    def poll() -> None:
        if cancelled():
            raise Cancelled

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
    progress("inline")
    inlined, result = inline.run(options, system, loaded, observed, counted, traced, poll)
    yield result
    progress("specialize")
    specialized, result = specialize.run(options, system, loaded, observed, inlined)
    yield result
    progress("layout")
    image, result = layout.run(options, system, loaded, counted, specialized, poll)
    yield result
    progress("retarget")
    changed, result = retarget.run(loaded, observed, image.variants, image.identity, poll)
    yield result
    _, result = measure.run(
        options, system, image, changed.programs, image.variants, observed.names, progress, cancelled
    )
    yield result
