"""The programs that make the same few calls again and again: what they print, and what is in the file then."""

from __future__ import annotations

import pytest

from tests.toykernel.boots import boot, needs_qemu, statuses, workload
from toykernel import disk, fsck, image
from toykernel.machine import Machine, Qemu

COMMANDS = ("writeseek /new 1000 5", "writeseek /new 4096 2", "writeseek /disk/new 6000 3", "brief /new 4")


def written(size: int, repetitions: int) -> bytes:
    """What writeseek leaves in its file."""
    words = [at * 2654435761 & 0xFFFFFFFF for at in range(0, size, 4)]
    return b"".join(word.to_bytes(4, "little") for word in [repetitions, *words[1:]])[:size] if repetitions else b""


def checksum(content: bytes) -> int:
    total = len(content)
    for byte in content[::61]:
        total = ((total << 1 | total >> 31) + byte) & 0xFFFFFFFF
    return total


def expected(command: str) -> str:
    """What a command line prints; `brief` has the file before it."""
    program, _, *numbers = command.split()
    if program == "brief":
        times = int(numbers[0])
        same = f"{times} times the same process, {times} times the next descriptor"
        return f"brief: {times} repetitions, {times * 4096} bytes, {same}\n"
    size, repetitions = map(int, numbers)
    return f"writeseek: {size} bytes, {repetitions} repetitions, checksum {checksum(written(size, repetitions)):x}\n"


def test_console() -> None:
    run = boot(*COMMANDS, disk=disk.make({}))
    assert run.console.decode() == "".join(map(expected, COMMANDS))
    assert set(statuses(run)) == {0}


@needs_qemu
def test_console_on_qemu() -> None:
    work = workload(*COMMANDS, disk=disk.make({}))
    assert Qemu().console(image.kernel(), work).decode() == "".join(map(expected, COMMANDS))


@pytest.mark.parametrize(("size", "repetitions"), [(0, 1), (1, 0), (1023, 2), (1024, 1), (65536, 2)])
def test_writeseek_leaves_what_it_wrote(size: int, repetitions: int) -> None:
    work = workload(f"writeseek /disk/new {size} {repetitions}", disk=disk.make({}))
    run = Machine().run(image.kernel(), work)
    assert disk.files(run.disk)["new"] == written(size, repetitions)
    assert fsck.check(run.disk) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("writeseek", "usage: writeseek "),
        ("writeseek /new 65537 1", "usage: writeseek "),
        ("writeseek /new 4 x", "usage: writeseek "),
        ("writeseek /no/new 4 1", "/no/new: error 2\n"),
        ("brief /new", "usage: brief "),
        ("brief /new -1", "usage: brief "),
        ("brief /new 1", "/new: error 2\n"),
    ],
)
def test_what_goes_wrong(command: str, said: str) -> None:
    run = boot(command)
    assert run.console.decode().startswith(said)
    assert statuses(run) == [1]
