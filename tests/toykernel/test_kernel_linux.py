"""Linux as the oracle: a Linux that runs i386 programs can say what our programs should see."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.toykernel.boots import boot
from tests.toykernel.test_kernel import CALLS, DEATHS
from toykernel import image

# A 64-bit Linux has larger counts, so that it takes two that we refuse, and it copies up to the very last byte.
DIFFERENT = (
    "  write(fd, buffer, -1) =",
    "  read(fd, buffer, 0x80000000) =",
    "  lseek(writer, 0, SEEK_CUR) =",
    "  100 bytes from 19998:",
    "  1 before the edge:",
    "  5000 bytes from 3900:",
)


@pytest.fixture
def run(tmp_path: Path):
    """Run one of our programs on this Linux, with a directory of its own as the root."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may change the root directory")
    (tmp_path / "bin").mkdir()
    for name, elf in image.programs().items():
        (tmp_path / "bin" / name).write_bytes(elf)
        (tmp_path / "bin" / name).chmod(0o755)

    def run_program(name: str, *arguments: str) -> tuple[int, str]:
        command = ["chroot", str(tmp_path), f"/bin/{name}", *arguments]
        done = subprocess.run(command, input="", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    try:
        status, _ = run_program("hello")
    except OSError:
        status = 127
    if status:
        pytest.skip("this system does not run i386 programs in a changed root")
    return run_program


def test_calls(run) -> None:
    status, output = run("calls")
    assert status == 0
    differing = [(a, b) for a, b in zip(CALLS.splitlines(), output.splitlines(), strict=True) if a != b]
    assert [next((known for known in DIFFERENT if a.startswith(known)), a) for a, _ in differing] == list(DIFFERENT)


@pytest.mark.parametrize("kind", sorted(set(DEATHS) - {"coprocessor"}))
def test_deaths(run, kind: str) -> None:
    assert run("fault", kind) == (128 - DEATHS[kind], "")


def test_readseek(run) -> None:
    assert run("readseek", "10000", "2") == (0, boot("readseek 10000 2").console.decode())
