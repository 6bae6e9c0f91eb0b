"""Programs with a whole C library in them do the same, however they are rewritten.  All of them at every level:
`python -m tests.foreign`."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rewriter.elf import emit, load
from rewriter.ir import Frame, Program
from tests.foreign import build
from tests.foreign.rewrites import differences
from tests.random_c import native

QUICK = (
    ("jumps.c", "-Os"),
    ("jumping.c", "-O0"),
    ("threads.c", "-O2"),
    ("thrown.cc", "-O1"),
)
PINNED = 0.03  # of all functions, at most


def skip_without(name: str) -> None:
    if reason := build.missing(build.compiler(name)):
        pytest.skip(reason)


@pytest.mark.parametrize(("name", "level"), QUICK)
def test_nobody_sees_a_difference(name: str, level: str) -> None:
    skip_without(name)
    assert list(differences(name, level, deep=name == "jumps.c")) == []


def test_hardly_anything_is_pinned() -> None:
    skip_without("words.c")
    functions = load(build.build("words.c", "-O2")).functions
    pinned = [f for f in functions if f.pins]
    assert len(pinned) < PINNED * len(functions), {f.name: f.pins for f in pinned}


def test_every_program_is_about_something() -> None:
    for name in build.NAMES:
        assert build.sources(name)[0].read_text(encoding="utf-8").startswith("// "), name


def late(program: Program) -> None:
    """Every frame believed to begin where the next one does."""
    assert program.unwinding is not None
    frames = program.unwinding.all
    wrong = [Frame(f.start, f.end, f.lead, f.kind, after.rows, f.handlers) for f, after in pairwise(frames)]
    program.unwinding.all = (*wrong, frames[-1])


def uncaught(program: Program) -> None:
    """No call site of any handler found."""
    assert program.unwinding is not None
    program.unwinding.all = tuple(Frame(f.start, f.end, f.lead, f.kind, f.rows, None) for f in program.unwinding.all)


@pytest.mark.parametrize("broken", [late, uncaught])
def test_wrong_unwinding_tables_are_seen(broken: object) -> None:
    """Else the tests above would say nothing about them."""
    skip_without("thrown.cc")
    image = build.build("thrown.cc", "-O1")
    program = load(image)
    assert callable(broken)
    broken(program)
    assert native.run(emit(program)) != native.run(image)
