"""Small programs, each about one trap: natively, the rewritten image does what the original does (DESIGN §5).

A program's first lines say what it is about, `contract: …` what bytes cannot say, and `stays: function: reason` for
each function that may not move.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rewriter.contract import Contract
from rewriter.elf import emit, load
from tests.random_c import native
from tests.random_c.shuffle import shuffle

PROGRAMS = Path(__file__).with_name("programs")
NAMES = sorted(path.name for path in PROGRAMS.iterdir() if path.name != "check.h")
REWRITES: dict[str, Callable[[bytes, Contract], bytes]] = {
    "identity": lambda image, contract: emit(load(image, contract)),
    "moved": lambda image, contract: emit(load(image, contract), move=True),
    "moved twice": lambda image, contract: emit(load(emit(load(image, contract), move=True), contract), move=True),
    "shuffled": lambda image, contract: emit(shuffle(load(image, contract), 1)),
    "shuffled and moved": lambda image, contract: emit(shuffle(load(image, contract), 2), move=True),
}
pytestmark = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))


def sources(name: str) -> dict[str, str]:
    """The files of a program: one, or a folder of them."""
    path = PROGRAMS / name
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_text(encoding="utf-8") for file in [PROGRAMS / "check.h", *files]}


def expected_pins(name: str) -> dict[str, str]:
    """Reason by function, as the program's comments say; an empty one stands for any."""
    parts = [line.partition(": ") for line in remarks(name, "stays")]
    return {function: reason for function, _, reason in parts}


def contract(name: str) -> Contract:
    return Contract.parse("\n".join(remarks(name, "contract")))


def remarks(name: str, about: str) -> list[str]:
    lines = [line for text in sources(name).values() for line in text.splitlines()]
    return [line.removeprefix(f"// {about}: ") for line in lines if line.startswith(f"// {about}: ")]


def image(name: str) -> bytes:
    return native.build(sources(name), ("-O2",))


def _stable(name: str) -> str:
    """Code without a symbol is named by its address, which depends on the linker."""
    return re.sub(r"^\.text_[0-9a-f]+$", ".text_…", name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rewrite", REWRITES)
def test_the_trap_does_not_close(name: str, rewrite: str) -> None:
    original = image(name)
    assert native.run(original) == native.Outcome(b"", 0)
    assert native.run(REWRITES[rewrite](original, contract(name))) == native.Outcome(b"", 0)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(".c")])
def test_only_what_must_stay_stays(name: str) -> None:
    pins = {_stable(f.name): f.pins for f in load(image(name), contract(name)).functions if f.pins}
    expected = expected_pins(name)
    assert pins.keys() == expected.keys()
    for function, reason in expected.items():
        assert any(reason in pin for pin in pins[function]), pins[function]


@pytest.mark.parametrize("name", ["differences.S", "own_address.S", "sorted.S", "stubs.S"])
def test_without_pins_the_trap_closes(name: str) -> None:
    """Else the tests above would say nothing about pins."""
    program = load(image(name))
    for function in program.functions:
        function.pins = ()
    assert native.run(emit(shuffle(program, 1), move=True)) != native.Outcome(b"", 0)


@pytest.mark.parametrize("name", ["copied.S", "stubs_promised.S"])
def test_without_its_contract_the_trap_closes(name: str) -> None:
    """Bytes cannot say it."""
    assert native.run(emit(shuffle(load(image(name)), 1), move=True)) != native.Outcome(b"", 0)
