"""Linux as the oracle: a Linux that runs i386 programs can say what our programs should see."""

from __future__ import annotations

import pytest

from tests.toykernel.boots import boot
from tests.toykernel.test_kernel import CALLS, DEATHS

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
