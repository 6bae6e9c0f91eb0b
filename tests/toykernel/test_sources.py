"""The kernel can be read in an afternoon: its size, its functions' and its files', in the form of clang-format.

`python -m tests.toykernel.test_sources` prints the figures.
"""

from __future__ import annotations

import importlib.util
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from toykernel.metamorphic import FUNCTION

TOYKERNEL = Path(__file__).parents[2] / "toykernel"
LINES, LONGEST_FILE, MEDIAN_FUNCTION = 5000, 400, 15
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def sources(folder: str, *suffixes: str) -> list[Path]:
    return sorted(path for path in (TOYKERNEL / folder).rglob("*") if path.suffix in suffixes)


def code_lines(text: str) -> int:
    """Lines that are neither blank nor comment."""
    return sum(bool(line.strip()) for line in COMMENT.sub("", text).splitlines())


def function_lines(text: str) -> list[int]:
    """Of each function of a C file, from its name to its last brace, comments and blank lines left out."""
    return [code_lines(match.group()) for match in FUNCTION.finditer(text)]


def figures() -> dict[str, int | float]:
    kernel = {path: path.read_text() for path in sources("kernel", ".c", ".h", ".S", ".ld")}
    functions = [lines for path, text in kernel.items() if path.suffix == ".c" for lines in function_lines(text)]
    return {
        "lines of code": sum(code_lines(text) for text in kernel.values()),
        "files": len(kernel),
        "lines of the longest file": max(text.count("\n") for text in kernel.values()),
        "functions": len(functions),
        "lines of the median function": statistics.median(functions),
        "lines of the longest function": max(functions),
    }


def test_the_kernel_is_small(capsys: pytest.CaptureFixture[str]) -> None:
    found = figures()
    with capsys.disabled():
        print("\n" + ", ".join(f"{name}: {value:g}" for name, value in found.items()))
    assert found["lines of code"] <= LINES
    assert found["lines of the longest file"] <= LONGEST_FILE
    assert found["lines of the median function"] <= MEDIAN_FUNCTION
    assert found["functions"] > 200  # else they were not found


def test_lines_are_counted_as_a_reader_would() -> None:
    text = "/* It\n   is. */\nstatic int f(int a,\n             int b)\n{\n    /* sum */\n\n    return a + b; // s\n}\n"
    assert code_lines(text) == 5
    assert function_lines(text) == [5]


@pytest.mark.skipif(importlib.util.find_spec("clang_format") is None, reason="the package clang-format is missing")
@pytest.mark.parametrize("folder", ["kernel", "programs"])
def test_c_is_as_clang_format_leaves_it(folder: str) -> None:
    """Should this fail: `clang-format -i` the files that it names."""
    program = "import sys; from clang_format import clang_format; sys.exit(clang_format())"
    command = [sys.executable, "-c", program, "--dry-run", "-Werror", *map(str, sources(folder, ".c", ".h"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{value:8g} {name}")
