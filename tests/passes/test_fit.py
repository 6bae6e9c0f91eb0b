"""Counts of one context: what flows in flows out, and through known blocks flows what is known."""

from __future__ import annotations

import pytest

from rewriter.passes.fit import Edge, fitted

# A cache: asked, found, or missed and filled; both ways meet again.
CACHE: dict[Edge, float] = {
    ("asked", "found"): 384,
    ("asked", "missed"): 16,
    ("missed", "filled"): 15,
    ("missed", "full"): 1,
    ("found", "back"): 384,
    ("filled", "back"): 15,
}
LOOP: dict[Edge, float] = {("top", "head"): 10, ("head", "body"): 30, ("body", "head"): 30, ("head", "out"): 10}


def test_who_always_misses_finds_nothing() -> None:
    blocks, edges = fitted("asked", 16, CACHE, {"filled": 16})
    assert edges["asked", "found"] == pytest.approx(0, abs=0.5)
    assert blocks["filled"] == pytest.approx(16)
    assert blocks["full"] == pytest.approx(0, abs=0.1)


def test_who_never_misses_finds_everything() -> None:
    blocks, edges = fitted("asked", 16, CACHE, {"filled": 0})
    assert blocks["filled"] == 0
    assert edges["asked", "missed"] == pytest.approx(edges["missed", "full"])
    assert edges["asked", "found"] + edges["asked", "missed"] == pytest.approx(16)


def test_what_is_known_of_nothing_keeps_the_shares() -> None:
    _, edges = fitted("asked", 40, CACHE, {})
    assert edges == pytest.approx({edge: count / 10 for edge, count in CACHE.items()})


def test_a_loop_goes_round_as_often_as_its_body_is_known_to_run() -> None:
    blocks, edges = fitted("top", 10, LOOP, {"body": 70})
    assert blocks["body"] == pytest.approx(70)
    assert blocks["head"] == pytest.approx(80, rel=0.02)
    assert edges["head", "out"] == pytest.approx(10, rel=0.1)


def test_what_cannot_be_stays_as_it_was() -> None:
    """No edge leads to the known block."""
    _, edges = fitted("asked", 400, CACHE, {"elsewhere": 5})
    assert edges == pytest.approx(CACHE)
