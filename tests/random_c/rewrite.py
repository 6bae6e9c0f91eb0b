"""One random program, compiled, rewritten and run natively: what must be the same, and what was seen instead."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rewriter.elf import emit, load
from tests.elf.structure import structure
from tests.random_c import native
from tests.random_c.generate import generate
from tests.random_c.shuffle import shuffle

IMAGES: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda image: emit(load(image)),
    "moved": lambda image: emit(load(image), move=True),
    "moved twice": lambda image: emit(load(emit(load(image), move=True)), move=True),
    "shuffled": lambda image: emit(shuffle(load(image), len(image))),
}


@dataclass(frozen=True)
class Difference:
    """A rewritten program that did something else; `what` says it in one line."""

    compiler: str
    image: str
    what: str


def compiled(seed: int) -> Iterator[tuple[str, bytes]]:
    """The seed's program by gcc with the seed's options, and every eighth by clang too where there is one."""
    sources = {"program.c": generate(seed)}
    yield f"gcc {' '.join(native.options(seed))}", native.build(sources, native.options(seed))
    if seed % 8 == 0 and native.missing_zig() is None:
        level = native.LEVELS[seed // 8 % len(native.LEVELS)]
        yield f"zig {level}", native.build_with_zig(sources, (level,))


def differences(seed: int) -> Iterator[Difference]:
    """All that the rewriter got wrong on this seed."""
    for compiler, image in compiled(seed):
        expected = native.run(image)
        for name, rewrite in IMAGES.items():
            try:
                again = rewrite(image)
                found = native.run(again)
            except subprocess.TimeoutExpired:
                yield Difference(compiler, name, "does not end")
                continue
            except Exception as error:
                yield Difference(compiler, name, f"{type(error).__name__}: {error}")
                continue
            if found != expected:
                yield Difference(compiler, name, f"{_summary(found)}, expected {_summary(expected)}")
            if name != "shuffled" and structure(load(image)) != structure(load(again)):
                yield Difference(compiler, name, "is read as another program")


def _summary(outcome: native.Outcome) -> str:
    return f"{len(outcome.output.splitlines())} lines and status {outcome.status}"
