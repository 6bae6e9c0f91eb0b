"""Linux as the oracle: a Linux that runs i386 programs can say what our programs should see."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewriter.elf import emit, load
from tests.toykernel import answers
from tests.toykernel.boots import boot
from tests.toykernel.test_kernel import CALLS, DEATHS
from toykernel import data, image

# A 64-bit Linux has larger counts, so that it takes two that we refuse, and it copies up to the very last byte.
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


@pytest.mark.parametrize("size", data.SIZES)
@pytest.mark.parametrize("moved", [False, True], ids=["original", "moved"])
def test_training_set(on_linux, tmp_path: Path, size: str, moved: bool) -> None:
    """All of its programs, connected by the shell."""
    programs = {f"bin/{name}": emit(load(elf), move=True) for name, elf in image.programs().items()} if moved else {}
    for name, raw in (data.files() | programs).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    assert on_linux("sh", f"/data/{size}.sh") == (0, answers.script(size))
    files, disk = answers.inputs(size), tmp_path / "disk"
    assert (disk / "sorted").read_bytes() == answers.ordered(files["records"])
    assert (disk / "adpcm").read_bytes() == answers.adpcm_encode(files["sound"])
    packed = (disk / "text.lz").read_bytes()
    assert answers.unpacked(packed) == files["text"]
    assert len(packed) < 0.6 * len(files["text"])
    assert sorted(path.name for path in disk.iterdir()) == ["adpcm", "copy", "sorted", "text.lz"]
