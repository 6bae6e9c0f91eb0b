"""The micro-benchmarks of address spaces and of opening files: what they print, on our kernel and on Linux."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toykernel.boots import needs_qemu, statuses
from tests.toykernel.test_kernel_linux import put_inputs
from tests.toykernel.test_training import work
from toykernel import data, image
from toykernel.machine import Machine, Qemu

PAGE = 4096


def answer(line: str) -> str:
    """What a command line prints, from the descriptions of the programs alone."""
    program, *arguments = line.split()
    if program == "opening":
        return f"opening: {arguments[0]}, {arguments[1]} repetitions\n"
    pages, touched, repetitions = map(int, arguments[:3])
    file = data.inputs("small")["text"] if arguments[3:] else b""
    total = 0
    for _ in range(repetitions):
        found = 0
        for page in range(touched):
            found = found * 31 + (file[page * PAGE :] + b"\0")[0]
        total += found
    return f"mapping: {pages} pages, {touched} touched, {repetitions} repetitions, checksum {total & 0xFFFFFFFF:x}\n"


LINES = (
    "mapping 1 0 0",
    "mapping 4 0 3",
    "mapping 7 7 3",
    "mapping 1030 3 2",
    "mapping 3 2 5 /data/small/text",
    "mapping 2 2 2 /disk/small/text",
    "opening /data/small/text 3",
    "opening /disk/small/text 3",
    "opening / 0",
)
WRONG = {
    **dict.fromkeys(
        ("mapping", "mapping 1 2 3", "mapping 0 0 1", "mapping 4097 0 1", "mapping 1 1 x"), "usage: mapping "
    ),
    **dict.fromkeys(("opening", "opening /", "opening / -1"), "usage: opening "),
    "mapping 1 1 1 /nothing": "mapping: cannot open /nothing: error 2\n",
    "mapping 1 1 1 /bin": "mapping: error 19\n",
    "opening /nothing 2": "opening: /nothing: error 2\n",
}


def test_what_they_print() -> None:
    run = Machine().run(image.kernel(), work(LINES))
    assert run.console.decode() == "".join(map(answer, LINES))
    assert set(statuses(run)) == {0}


@pytest.mark.parametrize("line", WRONG)
def test_what_they_refuse(line: str) -> None:
    run = Machine().run(image.kernel(), work([line]))
    assert run.console.decode().startswith(WRONG[line])
    assert statuses(run) == [2 if WRONG[line].startswith("usage") else 1]


def test_every_call_succeeds() -> None:
    """As many as were asked for, each with what a program may expect: a new page is zero, and given back."""
    run = Machine().run(image.kernel(), work(["mapping 3 3 5"]))
    maps = [call.result for call in run.calls if call.number == 192]
    assert maps == [maps[0]] * 5
    assert [call.result for call in run.calls if call.number == 91] == [0] * 5


@needs_qemu
def test_on_qemu() -> None:
    assert Qemu().console(image.kernel(), work(LINES)).decode() == "".join(map(answer, LINES))


def test_on_linux(on_linux, tmp_path: Path) -> None:
    put_inputs(tmp_path, "small")
    for line in LINES:
        assert on_linux(*line.split()) == (0, answer(line))
    for line, said in WRONG.items():
        status, console = on_linux(*line.split())
        assert (status, console[: len(said)]) == (2 if said.startswith("usage") else 1, said), line
