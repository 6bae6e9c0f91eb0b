"""Which new system calls are worth their bytes: those that save most instructions for each, until the text has grown
by as much as it may (§4.1: inlining is budgeted by heat and size).

A call that gets no number of its own may use another one's, if what that takes for granted holds at its sites, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewriter.variants import Variant


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to make a new call: its code has that many bytes, and saves each caller that many instructions."""

    variant: Variant
    size: int
    saved: float
    form: int = 0  # of several ways to make the same call, which


def choose(offers: Sequence[Offer], room: int) -> list[Offer]:
    """At most one offer for each call, the best for its size first, as long as there is room for it."""
    wanted = {offer.variant.number: offer.variant for offer in offers}
    chosen: list[Offer] = []
    while True:
        left = room - sum(offer.size for offer in chosen)
        best, rate = None, 0.0
        for offer in offers:
            others = [other for other in chosen if other.variant.number != offer.variant.number]
            more = offer.size - sum(other.size for other in chosen if other not in others)
            gain = _saved([*others, offer], wanted) - _saved(chosen, wanted)
            if gain > 0 and more <= left and (more <= 0 or gain / more > rate):
                best, rate = [*others, offer], gain / more if more > 0 else float("inf")
        if best is None:
            return chosen
        chosen = best


def served(chosen: Sequence[Offer], wanted: Sequence[Variant]) -> dict[int, int]:
    """Which number of those chosen each call uses, by its own."""
    found = {}
    for variant in wanted:
        suitable = [offer for offer in chosen if _suits(offer.variant, variant) and offer.saved > 0]
        if suitable:
            own = variant.number
            found[own] = max(suitable, key=lambda o: (o.saved, o.variant.number == own)).variant.number
    return found


def _saved(chosen: Sequence[Offer], wanted: Mapping[int, Variant]) -> float:
    return sum(
        variant.calls * max((offer.saved for offer in chosen if _suits(offer.variant, variant)), default=0.0)
        for variant in wanted.values()
    )


def _suits(given: Variant, wanted: Variant) -> bool:
    """Whether what a number stands for is proved of the other's sites, and what it tests mostly so."""
    proved, seen = set(wanted.implied), {*wanted.implied, *wanted.guarded}
    return given.call == wanted.call and set(given.implied) <= proved and set(given.guarded) <= seen
