"""Every command of every chapter is run, in order, in one empty folder, and prints what the chapter says.

A command stands in a block marked `console`, behind `$ `; its output follows.  A line `…` stands for any lines, a `…`
within a line for any text; runs of blanks count as one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CHAPTERS = sorted((ROOT / "tutorials").glob("*/README.md"))


@dataclass(frozen=True)
class Step:
    """A command and the lines that it should print."""

    command: str
    output: tuple[str, ...]


def steps(chapter: str) -> Iterator[Step]:
    for block in re.findall(r"^```console\n(.*?)^```", chapter, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *output = part.splitlines()
            yield Step(command, tuple(output))


def pattern(output: tuple[str, ...]) -> str:
    """A regular expression for the whole output."""
    return "".join(r"(?:.*\n)*" if line == "…" else f"{_line(line)}\n" for line in output)


def _line(line: str) -> str:
    return ".*".join(re.escape(" ".join(part.split())).replace(r"\ ", " *") for part in re.split(" *… *", line))


def squeezed(text: str) -> str:
    return "".join(" ".join(line.split()) + "\n" for line in text.splitlines())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH on which `hotpath` is this tree's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "hotpath"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tui "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.parent.name)
def test_commands_print_what_the_chapter_says(chapter: Path, environment: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for step in steps(chapter.read_text(encoding="utf-8")):
        ran = subprocess.run(
            ["sh", "-c", step.command],
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, f"$ {step.command}\n{ran.stdout}"
        assert re.fullmatch(pattern(step.output), squeezed(ran.stdout)), f"$ {step.command}\n{ran.stdout}"


def test_there_are_chapters_with_commands() -> None:
    assert CHAPTERS
    assert all(list(steps(chapter.read_text(encoding="utf-8"))) for chapter in CHAPTERS)


@pytest.mark.parametrize(
    ("output", "printed", "same"),
    [
        (("a  1", "b 2"), "a 1\nb    2\n", True),
        (("a 1",), "a 1\nb 2\n", False),
        (("a 1", "…"), "a 1\nb 2\nc 3\n", True),
        (("…", "c 3"), "a 1\nb 2\nc 3\n", True),
        (("…", "d 4"), "a 1\nb 2\nc 3\n", False),
        (("a … z (1)",), "a b c z (1)\n", True),
        (("a … z",), "a b c y\n", False),
        ((), "", True),
        ((), "surplus\n", False),
    ],
)
def test_the_check_itself(output: tuple[str, ...], printed: str, same: bool) -> None:
    assert bool(re.fullmatch(pattern(output), squeezed(printed))) is same
