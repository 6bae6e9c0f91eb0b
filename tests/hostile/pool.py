"""Many cases at once, each in a child of one of a few processes, and what came of them all."""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
import signal
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import rewriter
import tui
from rewriter.elf import emit, load
from tests.hostile import cases
from tests.hostile.trial import REFUSED, Answer, attempt


def answers(seeds: Iterable[int], kind: str | None = None, jobs: int = 2) -> Iterator[Answer]:
    """In the order of the seeds."""
    _warm()
    if jobs == 1:
        yield from map(partial(_answer, kind), seeds)
        return
    with multiprocessing.get_context("fork").Pool(jobs, _ignore_interrupts) as pool:
        yield from pool.imap(partial(_answer, kind), seeds, chunksize=1)


def _ignore_interrupts() -> None:
    """Ctrl-C is for the one that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _answer(kind: str | None, seed: int) -> Answer:
    found = attempt(cases.case(seed, kind))
    plain = replace(found.case, files={}, check=cases.nothing, work=None)  # functions do not go through a pipe
    return replace(found, case=plain)


def _warm() -> None:
    """Import what the children need, once."""
    for package in (rewriter, tui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    cases.profile()
    cases.thrower()
    emit(load(cases.kernel(), cases.contract()))


@dataclass
class Row:
    accepted: int = 0
    refused: int = 0
    failed: int = 0  # of kernels and programs that were run
    faults: int = 0
    seconds: float = 0.0
    memory: int = 0


@dataclass
class Totals:
    """By kind."""

    rows: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))

    def add(self, answer: Answer) -> None:
        row = self.rows[answer.case.kind]
        row.faults += answer.fault is not None
        row.accepted += answer.fault is None and answer.status == 0
        row.refused += answer.fault is None and answer.status in REFUSED
        row.failed += answer.fault is None and answer.status not in (0, *REFUSED)
        row.seconds = max(row.seconds, answer.seconds)
        row.memory = max(row.memory, answer.memory)

    @property
    def faults(self) -> int:
        return sum(row.faults for row in self.rows.values())

    @property
    def count(self) -> int:
        return sum(row.accepted + row.refused + row.failed + row.faults for row in self.rows.values())

    def table(self) -> str:
        lines = [f"{'':9}{'files':>8}{'accepted':>10}{'refused':>9}{'failed':>8}{'wrong':>7}{'s':>7}{'MiB':>6}"]
        for kind, row in sorted(self.rows.items()):
            files = row.accepted + row.refused + row.failed + row.faults
            counts = f"{files:>8}{row.accepted:>10}{row.refused:>9}{row.failed:>8}{row.faults:>7}"
            lines.append(f"{kind:9}{counts}{row.seconds:>7.1f}{row.memory >> 20:>6}")
        lines.append(f"{self.count} files, {self.faults} answered wrongly")
        return "\n".join(lines)
