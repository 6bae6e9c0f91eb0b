"""Conditions of which one must hold: `sete cl; setb al; or al, cl; jne away` leaves for `away` where either does, and
nobody has to make a word of that."""

from __future__ import annotations

from rewriter.region.flag import Condition
from rewriter.region.value import Value


def either(asked: Condition) -> tuple[Condition, ...]:
    """Conditions of which one holds exactly where this one does; itself where there are no others."""
    flags = asked.flags
    if asked.code != "ne" or flags.kind != "cmp" or flags.left is None or flags.right is None:
        return (asked,)
    found = _asked(flags.left) if flags.right.constant == 0 else None
    return (asked,) if found is None else tuple(dict.fromkeys(found))


def _asked(word: Value) -> tuple[Condition, ...] | None:
    """Those that a word of ones and zeros was made of; None if it is none."""
    if word.op == "set":
        (held,) = word.args
        assert isinstance(held, Condition)
        return None if held.flags.kind == "effect" else (held,)
    if word.op != "or":
        return None
    sides = [_asked(side) for side in word.parts]
    if len(sides) != 2 or sides[0] is None or sides[1] is None:
        return None
    return sides[0] + sides[1]
