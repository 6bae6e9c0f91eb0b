"""Runs of the pipeline that many tests look at, each made once in a process: see `tests.groups`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from rewriter.options import Options, System
from tests.phases.builds import kernel
from tests.phases.decided import Decided, decided
from tests.phases.matrix import Ground, ground
from toykernel.build import BuildError
from tui.system import toy

SHORT = Options(commands=("readseek 16384 6",))
RUNS = {
    "default": Options(),
    "training set": Options(program="sh", commands=("sh /data/small.sh",), until="retarget"),
    "shuffled": SHORT,  # of another build
    "as published": Options(as_published=True, until="layout"),
}


@cache
def made(name: str) -> Decided:
    """One of these runs.  The training set's leaves out the last phase, which would boot a kernel for every row of its
    ledger."""
    return decided(RUNS[name], other("shuffled") if name == "shuffled" else toy())


@cache
def learned_on(build: str) -> Ground | str:
    """What all combinations of passes on one build share; a reason if it cannot be built here."""
    try:
        return ground(build)
    except BuildError as error:
        if error.status == 3:
            return str(error)
        raise


def let_go() -> None:
    """Of all of them: whoever needs one makes it anew."""
    made.cache_clear()
    learned_on.cache_clear()


def other(build: str) -> System:
    """With another build of the kernel."""
    return replace(toy(), kernel=kernel(build), one_unit=None)
