"""Which new system calls are worth their bytes: those that save most instructions for each, until the text has grown
by as much as it may (§4.1: inlining is budgeted by heat and size); and a few choices that differ in one of them.

A call that gets no number of its own may use another one's, if what that takes for granted holds at its sites, too.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """At most one offer for each call, the best for its size first, as long as there is room for it; or what that
    comes to where one offer is taken first, or one that was chosen is not, if it saves more in all."""
    market = _Market(offers, room)
    best = market.filled([])
    others = [market.filled([offer]) for offer in offers if offer not in best and offer.size <= room]
    others += [market.filled([], without=offer) for offer in best]
    return max([best, *others], key=market.saved)


class _Market:
    """What any choice saves."""

    def __init__(self, offers: Sequence[Offer], room: int) -> None:
        self.offers = offers
        self.room = room
        wanted = {offer.variant.number: offer.variant for offer in offers}
        self._calls = [variant.calls for variant in wanted.values()]
        self._saves = {
            id(offer): [max(offer.saved, 0.0) if _suits(offer.variant, variant) else 0.0 for variant in wanted.values()]
            for offer in offers
        }

    def saved(self, chosen: Sequence[Offer]) -> float:
        """Each call uses the best of those that suit it."""
        rows = [self._saves[id(offer)] for offer in chosen]
        return sum(calls * max((row[n] for row in rows), default=0.0) for n, calls in enumerate(self._calls))

    def filled(self, chosen: list[Offer], without: Offer | None = None) -> list[Offer]:
        """These and others, as long as there is room: always what saves most for its size."""
        while True:
            left = self.room - sum(offer.size for offer in chosen)
            best, rate, now = None, 0.0, self.saved(chosen)
            for offer in self.offers:
                others = [other for other in chosen if other.variant.number != offer.variant.number]
                more = offer.size - sum(other.size for other in chosen if other not in others)
                gain = self.saved([*others, offer]) - now
                fits = offer is not without and gain > 0 and more <= left
                if fits and (more <= 0 or gain / more > rate):
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


def _suits(given: Variant, wanted: Variant) -> bool:
    """Whether what a number stands for is proved of the other's sites, and what it tests mostly so."""
    proved, seen = set(wanted.implied), {*wanted.implied, *wanted.guarded}
    return given.call == wanted.call and set(given.implied) <= proved and set(given.guarded) <= seen
