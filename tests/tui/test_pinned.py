"""`hotpath pinned`: every function that stays is listed with a reason, and they are few."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.foreign import build
from tests.tui.shell import hotpath
from tui.verbs.pinned import by_reason

MOST = 0.03  # of all functions


def report(*arguments: str) -> dict[str, dict[str, object]]:
    done = hotpath("pinned", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def check(found: dict[str, dict[str, object]]) -> None:
    pinned = found["pinned"]
    assert pinned
    assert all(pinned.values())
    assert sum(int(str(count)) for count in found["reasons"].values()) == len(pinned)
    assert len(pinned) < MOST * int(str(found["functions"]))


def test_of_the_toy_kernel() -> None:
    check(report())


def test_of_a_program_with_a_c_library(tmp_path: Path) -> None:
    if reason := build.missing():
        pytest.skip(reason)
    path = tmp_path / "words"
    path.write_bytes(build.build("words.c", "-O2"))
    check(report(str(path)))


def test_for_people() -> None:
    lines = hotpath("pinned").stdout.splitlines()
    assert "irq_stubs: equal-sized stubs are reached by counting from irq_stubs" in lines
    assert lines[-1].endswith("%)")


def test_a_contract_without_an_image() -> None:
    done = hotpath("pinned", "--contract", "any.toml")
    assert (done.returncode, done.stdout) == (2, "")


def test_names_are_left_out_of_reasons() -> None:
    pins = {"f": ("g, which stays, falls into it",), "h": ("f+0x12, which stays, falls into it",), "g": ("says so",)}
    assert by_reason(pins, {"f", "g", "h"}) == {"…, which stays, falls into it": 2, "says so": 1}
