"""One program by csmith, rewritten in every way that needs no contract: what came of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.passes.everywhere import NAMES, everywhere
from rewriter.probes.counters import insert_counters
from rewriter.verify import verify
from tests.csmith import programs
from tests.random_c import native


def counted(image: bytes) -> bytes:
    program = load(image)
    insert_counters(program, Contract())
    return emit(program)


def passed(image: bytes, *names: str) -> bytes:
    program = load(image)
    everywhere(program, names)
    faults = verify(program)
    if faults:
        raise ValueError(f"not valid: {faults[0]}")
    return emit(program)


def rewrites(seed: int) -> dict[str, Callable[[bytes], bytes]]:
    """All images to be made of a seed's program: every pass, and one of them alone."""
    one = NAMES[seed % len(NAMES)]
    return {
        "identity": lambda image: emit(load(image)),
        "moved": lambda image: emit(load(image), move=True),
        "counted": counted,
        "all passes": lambda image: passed(image, *NAMES),
        f"{one} alone": lambda image: passed(image, one),
    }


@dataclass(frozen=True)
class Report:
    """`skipped`: why there was nothing to compare; `wrong`: one line for each image that did something else;
    `functions`, `pinned`: of the program."""

    seed: int
    skipped: str = ""
    wrong: tuple[str, ...] = ()
    images: int = 0
    functions: int = 0
    pinned: int = 0


def report(seed: int) -> Report:
    """Generate, build, run, rewrite, run again."""
    source = programs.generate(seed)
    if source is None:
        return Report(seed, "csmith does not end")
    image = programs.build(seed, source)
    try:
        expected = native.run(image, programs.SECONDS)
    except subprocess.TimeoutExpired:
        return Report(seed, "the program does not end")
    wrong = []
    ways = rewrites(seed)
    for name, rewrite in ways.items():
        try:
            found = native.run(rewrite(image), 10 * programs.SECONDS)
        except subprocess.TimeoutExpired:
            wrong.append(f"{name}: does not end")
        except Exception as error:
            wrong.append(f"{name}: {type(error).__name__}: {error}")
        else:
            if found != expected:
                wrong.append(f"{name}: {_summary(found)}, expected {_summary(expected)}")
    functions = load(image).code
    pinned = sum(bool(function.pins) for function in functions)
    return Report(seed, "", tuple(wrong), len(ways), len(functions), pinned)


def _summary(outcome: native.Outcome) -> str:
    lines = outcome.output.splitlines()
    return f"{len(lines)} lines, the last {lines[-1] if lines else b''!r}, and status {outcome.status}"
