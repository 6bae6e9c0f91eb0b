"""Combinations of passes keep behavior, on our kernel; `matrix` tries all of them on more work."""

from __future__ import annotations

import pytest

from rewriter.options import Options
from rewriter.phases import layout
from tests.phases.matrix import CALLS, Ground, combinations, everybody, ground, tried

COMBINATIONS = {title: options for title, options in combinations(Options()) if not title.startswith("the first")}


@pytest.fixture(scope="module")
def base() -> Ground:
    return ground(CALLS)


@pytest.mark.parametrize("title", COMBINATIONS)
def test_the_kernels_behave_the_same(title: str, base: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "fitting", everybody)
    new_calls, used, found = tried(base, COMBINATIONS[title])
    assert found == []
    assert new_calls >= 3
    assert used > 20
