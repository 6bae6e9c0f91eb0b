"""`hotpath bisect` on programs of this system: what it says, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.random_c import native
from tests.tui.shell import hotpath

ROOT = Path(__file__).parents[2]
needs_gcc = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))
CARRY = """
.globl _start, sum
.type _start, @function
_start:
    movl one, %eax
    movl two, %ebx
    movl $3, %ecx
    call sum
    movl %edx, %ebx
    movl $1, %eax
    int $0x80
.size _start, . - _start
.type sum, @function
sum:
    movl $0, %edx
    cmpl %ebx, %eax
    incl %ecx
    adcl $5, %edx
    ret
.size sum, . - sum
.data
one: .long 7
two: .long 9
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bisect") / "carry"
    path.write_bytes(native.build({"carry.S": CARRY}))
    return path


def broken(mutant: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, by a rewriter with this mistake."""
    breaks = f"from tests.mutants.mutants import MUTANTS; MUTANTS[{mutant!r}].breaks()"
    code = f"{breaks}; import tui.command; tui.command.main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


@needs_gcc
def test_nothing_is_said_of_a_rewriter_that_is_right(program: Path) -> None:
    done = hotpath("bisect", str(program))
    assert (done.returncode, done.stdout, done.stderr) == (0, "no difference\n", "")
    assert json.loads(hotpath("bisect", str(program), "--json").stdout) == {"schema": "hotpath.bisect/1", "same": True}


@needs_gcc
def test_a_mistake_is_told_with_both_programs_side_by_side(program: Path) -> None:
    done = broken("carry_across_inc", "bisect", str(program))
    assert done.returncode == 1
    assert done.stderr.startswith("hotpath: deadcode on _start (step ")
    assert done.stderr.count("\n") == 1
    edit, head, sides = done.stdout.splitlines()
    assert edit.endswith("cmp eax, ebx  ⇒  (nothing)")
    assert head.startswith("first difference, after")
    assert sides.count("adc edx, 5") == 2
    assert "cf=0x1" in sides.partition("|")[0]
    assert "cf=0x0" in sides.partition("|")[2]


def test_a_kernel_is_no_program_of_this_system() -> None:
    """Linux would start it, and it dies either way."""
    kernel = ROOT / "toykernel" / "image" / "kernel.elf"
    ran = hotpath("bisect", str(kernel))
    words = "a kernel, which is no program of this system (--program takes the one built in)"
    assert (ran.returncode, ran.stderr) == (2, f"hotpath: {kernel}: {words}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("no-such-file",), "no-such-file"),
        (("README.md",), "README.md"),
        (("--pass", "no-such-pass", "README.md"), "README.md"),
        (("README.md", "-p", "readseek"), "goes without --program"),
        (("-p", "no-such-program"), "no program is called"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: tuple[str, ...], line: str) -> None:
    done = hotpath("bisect", *arguments)
    assert done.returncode in (2, 3)
    assert line in done.stderr or "no pass is called" in done.stderr
    assert done.stderr.count("\n") == 1
