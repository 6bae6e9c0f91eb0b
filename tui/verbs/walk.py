"""`hotpath` without a verb: the walkthrough where a person sits, the phases in short where nobody does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from rewriter.options import Options
from rewriter.report import PhaseResult
from tui import system
from tui.verbs import run

PATIENCE = 2.0  # seconds that the work has to stop once one has quit


def walk() -> int:
    """Walk through the default run; the exit status."""
    options = Options(forgiving=True)
    if (
        not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty())
        or os.environ.get("TERM", "dumb") == "dumb"
    ):
        return run.short(options)
    from tui.app import Walkthrough

    app = Walkthrough(phases(options), subject(options))
    status = app.run() or 0
    if not app.settled(PATIENCE):
        os._exit(status)  # Python's own way out is not safe while a thread is in the simulator
    return status


def subject(options: Options) -> str:
    """One line about a run's choices."""
    return f"{'; '.join(options.commands)} · θ {options.theta:g} · N {options.table_size}"


def phases(options: Options) -> Callable[[Callable[[str], None], Callable[[], bool]], Iterator[PhaseResult]]:
    """The pipeline on the toy kernel, for the walkthrough to drive."""

    def start(progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Iterator[PhaseResult]:
        from rewriter import pipeline

        return pipeline.run(options, system.toy(), progress, cancelled)

    return start
