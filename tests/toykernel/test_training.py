"""The training set: each program, and all of them connected, print what Python computes from the same inputs."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping

import pytest

from tests.toykernel import answers
from tests.toykernel.boots import boot, needs_qemu, statuses, workload
from tests.toykernel.test_build import needs_gcc
from toykernel import build, data, image
from toykernel.machine import Qemu

Inputs = Mapping[str, bytes]

# A command line on the files of a size, and what it prints.
COMMANDS: dict[str, Callable[[Inputs], bytes | str]] = {
    "cat /data/{}/graph /data/{}/routes": lambda f: f["graph"] + f["routes"],
    "head 1500 /data/{}/text": lambda f: f["text"][:1500],
    "wc /data/{}/text": lambda f: answers.wc(f["text"]),
    "sha1 /data/{}/sound": lambda f: answers.sha1(f["sound"]),
    "bitcount /data/{}/noise": lambda f: answers.bitcount(f["noise"]),
    "crc32 /data/{}/sound": lambda f: answers.crc32(f["sound"], "/data/{}/sound"),
    "look 07 /data/{}/sorted": lambda f: answers.look(b"07", f["records"]),
}


def files(size: str) -> dict[str, bytes]:
    return {**data.files(), f"data/{size}/sorted": answers.ordered(answers.inputs(size)["records"])}


def lines(size: str) -> tuple[list[str], bytes]:
    """The command lines, and what they print together."""
    found = [answer(answers.inputs(size)) for answer in COMMANDS.values()]
    raw = [part.replace("{}", size).encode() if isinstance(part, str) else part for part in found]
    return [command.replace("{}", size) for command in COMMANDS], b"".join(raw)


@pytest.mark.parametrize("size", data.SIZES)
def test_each_program_gives_the_right_answer(size: str) -> None:
    commands, expected = lines(size)
    run = boot(*commands, files=files(size))
    assert run.console == expected
    assert statuses(run) == [0] * len(commands)


@needs_qemu
def test_each_program_on_qemu() -> None:
    commands, expected = lines("large")
    assert Qemu().console(image.kernel(), workload(*commands, files=files("large"))) == expected


@needs_gcc
def test_programs_of_another_compiler() -> None:
    commands, expected = lines("small")
    others = {f"bin/{name}": elf for name, elf in build.programs("gcc", "-Os").items()}
    assert boot(*commands, files=files("small") | others).console == expected


@pytest.mark.parametrize("line", ["head", "head x", "look 1", "tee", "search", "adpcm", "lz both"])
def test_wrong_usage(line: str) -> None:
    run = boot(line)
    assert run.console.startswith(b"usage: " + line.split()[0].encode())
    assert statuses(run) == [1]


@pytest.mark.parametrize("line", ["cat", "wc", "crc32", "sha1", "bitcount", "sort", "dijkstra", "patricia", "sh"])
def test_a_file_that_is_not_there(line: str) -> None:
    run = boot(f"{line} /nothing")
    assert run.console == b"/nothing: error 2\n"
    assert statuses(run) == [1]


def test_inputs_are_those_of_the_seed() -> None:
    """The same everywhere: numbers in documents depend on them."""
    found = [answers.inputs(size)[name] for size in data.SIZES for name in data.FILES]
    assert zlib.crc32(b"".join(found)) == 0x7C4B8508


def test_large_is_larger() -> None:
    small, large = answers.inputs("small"), answers.inputs("large")
    assert all(len(large[name]) > 6 * len(small[name]) for name in data.FILES)


def test_our_model_of_adpcm_is_the_usual_one() -> None:
    """Python had it up to 3.12."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    sound = answers.inputs("small")["sound"]
    codes, _ = audioop.lin2adpcm(sound, 2, None)
    assert answers.adpcm_encode(sound) == codes
    assert answers.adpcm_decode(codes) == audioop.adpcm2lin(codes, 2, None)[0]
