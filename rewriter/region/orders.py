"""What a condition on two words tells about others: `le` that does not hold leaves nothing for `s` of `cmp x, 0`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rewriter.region.flag import Condition
from rewriter.region.value import WORD

# How two words can compare, with signs and without.
ORDERS: Final = frozenset((("l", "b"), ("l", "a"), ("e", "e"), ("g", "b"), ("g", "a")))
_SIGNED: Final = {"e": "e", "ne": "lg", "l": "l", "ge": "eg", "le": "le", "g": "g"}
_UNSIGNED: Final = {"b": "b", "ae": "ea", "be": "be", "a": "a"}
_AGAINST_ZERO: Final = {"s": "l", "ns": "eg"}  # without a sign nothing is below 0


def implied(asked: Condition, facts: Iterable[tuple[Condition, bool]]) -> bool | None:
    """Whether a condition holds, if others do or do not; None if that does not tell."""
    held = _holding(asked)
    if held is None:
        return None
    zero = _zero(asked)
    possible = {order for order in ORDERS if not zero or order[1] != "b"}
    for fact, truth in facts:
        known = _holding(fact) if fact.flags == asked.flags else None
        if known is not None:
            possible &= known if truth else ORDERS - known
    if not possible or (possible & held and possible - held):
        return None
    return bool(possible & held)


def _holding(asked: Condition) -> frozenset[tuple[str, str]] | None:
    """The orders in which a condition holds; None where that is not all that it asks for."""
    if asked.flags.kind != "cmp" or asked.flags.size != WORD:
        return None
    signed = _SIGNED | _AGAINST_ZERO if _zero(asked) else _SIGNED
    if asked.code in signed:
        return frozenset(order for order in ORDERS if order[0] in signed[asked.code])
    if asked.code in _UNSIGNED:
        return frozenset(order for order in ORDERS if order[1] in _UNSIGNED[asked.code])
    return None


def _zero(asked: Condition) -> bool:
    return asked.flags.right is not None and asked.flags.right.constant == 0
