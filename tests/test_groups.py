"""Tests are dealt out so that what is shared is made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.groups import APART, FILES, FIRST, SHARED, group, turn
from tests.phases.builds import BUILDS
from tests.phases.runs import RUNS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/elf/test_room.py::test_x[default]", "tests/elf/test_room.py"),
        ("tests/mutants/test_mutants.py::test_x[y]", "tests/mutants/test_mutants.py::test_x[y]"),
        ("tests/phases/test_costs.py::test_x", "tests/phases/test_costs.py"),
        ("tests/phases/test_qemu.py::test_x[moved]", "default"),
        ("tests/phases/test_provenance.py::test_x[training set]", "training set"),
        ("tests/phases/test_metamorphic.py::test_x[gcc shuffled]", "gcc shuffled"),
        ("tests/phases/test_combinations_metamorphic.py::test_x[gcc: the first 3, up to general]", "gcc"),
    ],
)
def test_a_group_is_what_is_shared_else_a_file(test: str, expected: str) -> None:
    assert group(test) == expected


def test_every_name_means_something() -> None:
    assert set(SHARED) == {*BUILDS, *RUNS} - {"as published"}
    for path in (*APART, *FILES, *FIRST[len(SHARED) :]):
        assert (ROOT / path).exists(), path


def test_the_longest_begin_first() -> None:
    assert turn("tests/phases/test_training.py::test_x") < turn("tests/foreign/test_foreign.py::test_x")
    assert turn("tests/foreign/test_foreign.py::test_x") < turn("tests/test_house.py::test_x")
