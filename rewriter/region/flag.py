"""Flags as values: what set them, and conditions on them in their simplest form (§5.6).

The flags of `and`, `or`, `xor` and `test` are those of `cmp(result, 0)`.  Narrow comparisons are made of extended
words, which agree with 32-bit ones in every condition that is let through.
"""

from __future__ import annotations

from typing import NamedTuple

from rewriter.analysis.arithmetic import CONDITIONS, compute
from rewriter.reasons import Reason, Why
from rewriter.region.algebra import binary, equated, may_be_set, part, shifted, signed_part
from rewriter.region.value import WORD, Pool, Value
from rewriter.x86.effects import CF, FLAGS, PF, ZF


class Unsupported(Exception):
    """The instruction is not lifted: the path ends before it.  The message says why."""

    reason = Reason.UNSUPPORTED

    @property
    def why(self) -> Why:
        return Why(self.reason, str(self))


class CallEnds(Unsupported):
    """The same of a call."""

    reason = Reason.CALL


class Flags(NamedTuple):
    """All flags of one operation on the lowest `size` bytes.

    cmp(left, right)    add(left, right)    adc, sbb(left, right, condition: the carry that comes in)
    result(left)        ZF, SF and PF alone are known: those of this word
    effect              as instruction number `effect` left them in the processor
    """

    kind: str
    left: Value | None = None
    right: Value | None = None
    size: int = WORD
    carry: Condition | None = None
    effect: int = -1

    @property
    def words(self) -> tuple[Value, ...]:
        """What the operation takes, the carry apart."""
        return tuple(word for word in (self.left, self.right) if word is not None)


class Condition(NamedTuple):
    """`code` (e, b, le …) holds of these flags."""

    code: str
    flags: Flags

    @property
    def opposite(self) -> Condition:
        return Condition(CONDITIONS[CONDITIONS.index(self.code) ^ 1], self.flags)


_UNSIGNED = ("e", "ne", "b", "ae", "be", "a", "p", "np")
_OR_EQUAL = {"b": "be", "be": "be", "a": "ae", "ae": "ae", "l": "le", "le": "le", "g": "ge", "ge": "ge"}
_MIRRORED = {"b": "a", "a": "b", "be": "ae", "ae": "be", "l": "g", "g": "l", "le": "ge", "ge": "le"}
_OF_RESULT = ("e", "ne", "s", "ns", "p", "np")
_AGAINST_ZERO: dict[str, bool | str] = {
    "b": False,
    "ae": True,
    "o": False,
    "no": True,
    "be": "e",
    "a": "ne",
    "l": "s",
    "ge": "ns",
}


def compared(pool: Pool, left: Value, right: Value, size: int = WORD) -> Flags:
    """The flags of `cmp left, right`; both are extended by zeros."""
    return Flags("cmp", left, right, size)


def of_result(pool: Pool, value: Value, size: int = WORD) -> Flags:
    """The flags of and, or, xor, test with this result."""
    return Flags("cmp", value, pool.const(0), size)


def condition(pool: Pool, code: str, flags: Flags | None) -> Condition | bool:
    """A condition in its simplest form; a truth value where it is decided.  Raises Unsupported."""
    if flags is None:
        raise Unsupported("flags that are not known")
    if flags.kind == "effect":
        return Condition(code, flags)
    assert flags.left is not None
    if flags.kind in ("add", "adc", "sbb", "result") and code in _OF_RESULT:
        return condition(pool, code, of_result(pool, part(pool, result_of(pool, flags), 0, flags.size), flags.size))
    if flags.kind == "result" or flags.right is None:
        raise Unsupported(f"condition {code} of a result")
    if flags.kind != "cmp":
        return _added(pool, code, flags)
    return _compared(pool, code, *_extended(pool, code, flags.left, flags.right, flags.size))


def result_of(pool: Pool, flags: Flags) -> Value:
    """The word that the operation made; of a narrow one, more than its lowest bytes."""
    assert flags.left is not None
    if flags.kind == "result":
        return flags.left
    assert flags.right is not None
    if flags.kind == "add":
        return binary(pool, "add", flags.left, flags.right)
    return pool.make(flags.kind, flags.left, flags.right, flags.carry)


def _added(pool: Pool, code: str, flags: Flags) -> Condition | bool:
    """Of a sum.  Where no bit is set in both terms, there is no carry."""
    assert flags.left is not None
    assert flags.right is not None
    if flags.size != WORD:
        return Condition(code, Flags(flags.kind, *_at_the_top(pool, flags.left, flags.right, flags.size)))
    if flags.kind == "add" and code in ("b", "ae") and not may_be_set(flags.left) & may_be_set(flags.right):
        return code == "ae"
    return Condition(code, flags)


def _at_the_top(pool: Pool, left: Value, right: Value, size: int) -> tuple[Value, Value]:
    """Narrow operands in the highest bytes of words: carry, overflow, sign and zero are then those of the words."""
    up = 8 * (WORD - size)
    return shifted(pool, "shl", left, up), shifted(pool, "shl", right, up)


def _extended(pool: Pool, code: str, left: Value, right: Value, size: int) -> tuple[Value, Value]:
    if size == WORD or code in _UNSIGNED:
        return left, right
    if code in ("l", "ge", "le", "g") or (code in ("s", "ns") and right.constant == 0):
        return signed_part(pool, left, size), signed_part(pool, right, size)
    return _at_the_top(pool, left, right, size)


def _compared(pool: Pool, code: str, left: Value, right: Value) -> Condition | bool:
    if left is right:
        return _known(code, 0, 0)
    if left.constant is not None and right.constant is not None:
        return _known(code, left.constant, right.constant)
    if left.offset is not None and right.offset is not None and code in ("e", "ne"):
        return _known(code, left.offset, right.offset)
    if right.constant == 0 and code in _AGAINST_ZERO:
        found = _AGAINST_ZERO[code]
        return found if isinstance(found, bool) else _compared(pool, found, left, right)
    if left.op == "set" and right.constant == 0 and code in ("e", "ne"):
        (held,) = left.args
        assert isinstance(held, Condition)
        return held if code == "ne" else held.opposite
    if code in ("e", "ne"):
        left, right = equated(pool, left, right)
        if left.constant is not None and right.constant is not None:
            return _known(code, left.constant, right.constant)
        if _different(pool, left, right):
            return code == "ne"
    return Condition(code, Flags("cmp", left, right))


def _known(code: str, left: int, right: int) -> bool:
    found = compute("cmp", left, right, WORD, None)
    holds = found[1].holds(code) if found else None
    assert holds is not None
    return holds


def alternatives(pool: Pool, asked: Condition) -> tuple[Condition, ...]:
    """Conditions of which one holds where `asked` does, an equation with a word that was selected:
    `(x ≠ 0 ? x : default) = default` is `x = default or x = 0`; with another number than the default, `x = number`;
    `(x < most ? x : most) = most` is `x ≥ most`."""
    whole, number = asked.flags.left, asked.flags.right
    if asked.flags.kind != "cmp" or asked.code != "e" or whole is None or whole.op != "select":
        return (asked,)
    test, chosen, other = whole.args
    assert isinstance(test, Condition)
    assert isinstance(chosen, Value)
    assert isinstance(other, Value)
    assert number is not None
    if other is number:
        found = condition(pool, "e", Flags("cmp", chosen, number))
        if isinstance(found, bool) or test.flags.kind == "effect" or chosen not in (test.flags.left, test.flags.right):
            return (asked,)  # what the test is of would be computed for that alone
        both = _or_equal(test.opposite, found.flags)
        return (found, test.opposite) if both is None else (both,)
    not_zero = test == condition(pool, "ne", Flags("cmp", chosen, pool.const(0)))
    if not_zero and _different(pool, other, number) and _different(pool, number, pool.const(0)):
        found = condition(pool, "e", Flags("cmp", chosen, number))
        return (asked,) if isinstance(found, bool) else (found,)
    return (asked,)


def _or_equal(asked: Condition, flags: Flags) -> Condition | None:
    """A condition on the same two words, in this order or the other, that also holds where they are equal."""
    code, of = asked.code, asked.flags
    if (of.kind, of.left, of.right, of.size) == (flags.kind, flags.right, flags.left, flags.size):
        code, of = _MIRRORED.get(code, ""), flags
    return Condition(_OR_EQUAL[code], flags) if of == flags and code in _OR_EQUAL else None


def _different(pool: Pool, first: Value, second: Value) -> bool:
    """Whether two operands are certainly not equal: no code or data lies at address 0."""
    if first.constant is not None and second.constant is not None:
        return first.constant != second.constant
    labels = [v for v in (first, second) if v in pool.somewhere or (v.op == "label" and not v.args[1])]
    return bool(labels) and 0 in (first.constant, second.constant)


def rebuildable(flags: Flags | None, carry: Flags | None, live: int) -> bool:
    """Whether the flags in the mask `live` can be made anew by one instruction."""
    live &= FLAGS
    if not live:
        return True
    wanted = carry if live == CF else flags
    if wanted is None or (live & CF and carry != wanted) or wanted.kind in ("effect", "result"):
        return False
    return wanted.size == WORD or (wanted.kind == "cmp" and not live & ~(CF | ZF | PF))
