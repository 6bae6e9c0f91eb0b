"""Combinations of passes keep behavior, on our kernel: each pass is left out where its neighbors run.

`matrix` tries all of them on more work, those with one pass left out among them, which take longest;
`test_combinations_metamorphic.py` each prefix and each pass alone.
"""

from __future__ import annotations

import pytest

from rewriter.options import Options
from rewriter.phases import layout
from tests.phases.matrix import CALLS, Ground, combinations, everybody, ground, tried

WHOLE = ("all", "as published", "none", "without region", "without entry", "without inline")
COMBINATIONS = {
    title: options
    for title, options in combinations(Options())
    if title in WHOLE or "every second" in title or title.startswith("inline, arguments and")
}


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
