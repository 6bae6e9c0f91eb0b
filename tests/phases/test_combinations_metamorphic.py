"""Each prefix of the passes keeps behavior, each on another build of the same sources; so does each pass alone."""

from __future__ import annotations

import pytest

from rewriter.options import Options
from rewriter.phases import layout
from tests.phases.builds import BUILDS
from tests.phases.matrix import combinations, everybody, tried
from tests.phases.runs import learned_on

COMBINATIONS = {
    f"{list(BUILDS)[n % len(BUILDS)]}: {title}": options
    for n, (title, options) in enumerate(combinations(Options()))
    if title.startswith("the first") or title.endswith(" alone")
}


@pytest.mark.parametrize("title", COMBINATIONS)
def test_the_kernels_behave_the_same(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "fitting", everybody)
    shared = learned_on(title.partition(":")[0])
    if isinstance(shared, str):
        pytest.skip(shared)
    new_calls, used, found = tried(shared, COMBINATIONS[title])
    assert found == []
    assert new_calls >= 2
    assert used > 20
