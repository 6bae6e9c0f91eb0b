"""Linux as the oracle: a Linux that runs i386 programs can say what our programs should see."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewriter.elf import emit, load
from tests.toykernel import answers
from tests.toykernel import test_benchmarks as benchmarks
from tests.toykernel import test_training as training
from tests.toykernel.boots import boot
from tests.toykernel.test_kernel import CALLS, DEATHS
from toykernel import data, image

# A 64-bit Linux has larger counts, so that it takes two that we refuse, and it reads up to the very last byte.
DIFFERENT = (
    "  write(fd, buffer, -1) =",
    "  read(fd, buffer, 0x80000000) =",
    "  lseek(writer, 0, SEEK_CUR) =",
    "  100 bytes from 19998:",
    "  1 before the edge:",
    "  5000 bytes from 3900:",
)


def test_calls(on_linux) -> None:
    status, output = on_linux("calls")
    assert status == 0
    differing = [(a, b) for a, b in zip(CALLS.splitlines(), output.splitlines(), strict=True) if a != b]
    assert [next((known for known in DIFFERENT if a.startswith(known)), a) for a, _ in differing] == list(DIFFERENT)


@pytest.mark.parametrize("kind", sorted(set(DEATHS) - {"coprocessor"}))
def test_deaths(on_linux, kind: str) -> None:
    assert on_linux("fault", kind) == (128 - DEATHS[kind], "")


def test_readseek(on_linux) -> None:
    assert on_linux("readseek", "10000", "2") == (0, boot("readseek 10000 2").console.decode())


def test_benchmarks(on_linux) -> None:
    assert [on_linux(*command.split()) for command in benchmarks.COMMANDS] == [
        (0, benchmarks.expected(command)) for command in benchmarks.COMMANDS
    ]


def put_inputs(root: Path, size: str) -> None:
    disk = {f"disk/{name}": raw for name, raw in data.on_disk(size).items()}
    for name, raw in (data.in_memory(size) | disk).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)


@pytest.mark.parametrize("size", data.SIZES)
def test_each_program_of_the_training_set(on_linux, tmp_path: Path, size: str) -> None:
    put_inputs(tmp_path, size)
    commands, expected = training.lines(size)
    ran = [on_linux(*command.split()) for command in commands]
    assert ran == [(0, raw.decode()) for raw in expected]


@pytest.mark.parametrize("size", data.SIZES)
@pytest.mark.parametrize("moved", [False, True], ids=["original", "moved"])
def test_training_set(on_linux, tmp_path: Path, size: str, moved: bool) -> None:
    """All of its programs, connected by the shell."""
    put_inputs(tmp_path, size)
    for name, elf in image.programs().items() if moved else ():
        (tmp_path / "bin" / name).write_bytes(emit(load(elf), move=True))
    assert on_linux("sh", f"/data/{size}.sh") == (0, answers.script(size))
    written = {path.name: path.read_bytes() for path in (tmp_path / "disk").iterdir() if path.is_file()}
    assert answers.left_behind(size, written)


def test_what_goes_wrong(on_linux, tmp_path: Path) -> None:
    put_inputs(tmp_path, "small")
    for line, (said, status) in training.WRONG.items():
        found, console = on_linux(*line.split())
        assert (found, console[: len(said)]) == (status, said), line
