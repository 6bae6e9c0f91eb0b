"""Each prefix of the passes keeps behavior, each on another build of the same sources; so does each pass alone."""

from __future__ import annotations

from functools import cache

import pytest

from rewriter.options import Options
from rewriter.phases import layout
from tests.phases.builds import BUILDS
from tests.phases.matrix import Ground, combinations, everybody, ground, tried
from toykernel import build

COMBINATIONS = {
    f"{list(BUILDS)[n % len(BUILDS)]}: {title}": options
    for n, (title, options) in enumerate(combinations(Options()))
    if title.startswith("the first") or title.endswith(" alone")
}


@cache
def base(kernel: str) -> Ground | str:
    """What all combinations of one build share; a reason if it cannot be built here."""
    try:
        return ground(kernel)
    except build.BuildError as error:
        if error.status == 3:
            return str(error)
        raise


@pytest.mark.parametrize("title", COMBINATIONS)
def test_the_kernels_behave_the_same(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "fitting", everybody)
    shared = base(title.partition(":")[0])
    if isinstance(shared, str):
        pytest.skip(shared)
    new_calls, used, found = tried(shared, COMBINATIONS[title])
    assert found == []
    assert new_calls >= 2
    assert used > 20
