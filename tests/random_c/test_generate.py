"""The generator's own promises: deterministic, well defined, and rich in what it exists for."""

from __future__ import annotations

import subprocess

import pytest

from tests.random_c import native
from tests.random_c.generate import generate

SEEDS = range(0, 12)
needs_gcc = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))
# Traps where the C standard leaves the meaning open, without a run-time library.
SANITIZED = ("-O1", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")


def test_a_seed_is_a_program() -> None:
    assert generate(7) == generate(7)
    assert len({generate(seed) for seed in range(20)}) == 20


def test_what_hurts_occurs() -> None:
    text = "".join(generate(seed) for seed in range(40))
    for construct in (
        "switch (",
        "goto *way",
        "goto *(&&",
        "return f",
        "- 1048576]",
        "fixed_table[",
        "die(",
        "reshape(",
    ):
        assert text.count(construct) > 10, construct


@needs_gcc
@pytest.mark.parametrize("seed", SEEDS)
def test_programs_are_well_defined(seed: int) -> None:
    sources = {"program.c": generate(seed)}
    expected = native.run(native.build(sources, ("-O0",)))
    assert expected.status >= 0
    assert expected.output.count(b"\n") > 5
    assert native.run(native.build(sources, SANITIZED)) == expected, "undefined behavior"
    assert native.run(native.build(sources, native.options(seed))) == expected


@needs_gcc
def test_the_sanitizer_would_see() -> None:
    source = "int one = 1; void _start(void) { one += 0x7fffffff; for (;;); }"
    assert native.run(native.build({"program.c": source}, SANITIZED)).status < 0


@pytest.mark.skipif(native.missing_zig() is not None, reason=str(native.missing_zig()))
def test_both_compilers_agree() -> None:
    sources = {"program.c": generate(3)}
    assert native.run(native.build_with_zig(sources, ("-O2",))) == native.run(native.build(sources, ("-O2",)))


@needs_gcc
def test_the_harness_reports_what_happened() -> None:
    died = native.build({"a.S": ".globl _start\n_start: ud2\n"})
    assert native.run(died) == native.Outcome(b"", -4)
    with pytest.raises(native.BuildError, match="nothing"):
        native.build({"a.S": ".globl _start\n_start: call nothing\n"})
    with pytest.raises(subprocess.TimeoutExpired):
        native.run(native.build({"a.S": ".globl _start\n_start: jmp _start\n"}), seconds=0.2)
