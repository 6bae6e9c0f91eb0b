"""Simplification: what can be said of a word without computing it.  The rules are data: `identities`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rewriter.analysis.arithmetic import shift
from rewriter.analysis.value import signed
from rewriter.region.identities import BITS, COMMUTATIVE, EQUATIONS, IDENTITIES, Identity, Term, term
from rewriter.region.value import MASK, WORD, Pool, Value

Found = dict[str, Any]  # what the letters mean: values, and counts


def _by_operation() -> dict[str, list[tuple[tuple[Term, ...], Term, Identity]]]:
    found: dict[str, list[tuple[tuple[Term, ...], Term, Identity]]] = {}
    for identity in IDENTITIES:
        before = term(identity.before)
        assert isinstance(before, tuple)
        found.setdefault(before[0], []).append((before[1:], term(identity.after), identity))
    return found


_IDENTITIES: Final = _by_operation()
_EQUATIONS: Final = tuple(tuple(map(term, equation)) for equation in EQUATIONS)


def simplified(pool: Pool, op: str, *args: Value | int) -> Value:
    """The operation in its simplest form."""
    for before, after, identity in _IDENTITIES.get(op, ()):
        found: Found = {}
        if all(map(_matches, before, args, (found, found))) and _holds(identity, found):
            return _made(pool, after, found)
    return pool.make(op, *args)


def equated(pool: Pool, left: Value, right: Value) -> tuple[Value, Value]:
    """The sides of the same equation in its simplest form; constants and labels stand on the right."""
    if left.immediate and not right.immediate:
        left, right = right, left
    for before, number, after, other in _EQUATIONS:
        found: Found = {}
        if _matches(before, left, found) and _matches(number, right, found):
            return equated(pool, _made(pool, after, found), _made(pool, other, found))
    return left, right


def _matches(pattern: Term, value: Any, found: Found) -> bool:
    if isinstance(pattern, str):
        if pattern in found:
            return bool(found[pattern] == value)
        found[pattern] = value
        return _KINDS[pattern](value)
    if isinstance(pattern, int):
        return bool(value.constant == pattern & MASK) if isinstance(value, Value) else value == pattern
    if value.op != pattern[0]:
        return False
    return all(map(_matches, pattern[1:], value.args, (found, found)))


_KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    **dict.fromkeys("xyc", lambda value: True),
    "v": lambda value: not value.immediate,
    "i": lambda value: value.immediate,
    "a": lambda value: value.op == "label",
    **dict.fromkeys("kn", lambda value: value.op == "const"),
}


def _holds(identity: Identity, found: Found) -> bool:
    """Whether the condition holds."""
    if not identity.when:
        return True
    kind, letter, other = identity.when
    bits = may_be_set(found[letter])
    if not isinstance(found[other], Value):
        count: int = found[other]
        return bits >> count == 0 if kind == "below" else bits < 1 << (8 * count - 1)
    number: int = found[other].constant
    return not bits & number if kind == "apart" else not bits & ~number


def _made(pool: Pool, pattern: Term, found: Found) -> Value:
    """The term, each of its operations simplified."""
    if isinstance(pattern, str):
        made: Value = found[pattern]
        return made
    if isinstance(pattern, int):
        return pool.const(pattern)
    op, first, *rest = pattern
    left = _made(pool, first, found)
    if op in ("shl", "shr", "sar", "down"):
        count = found[rest[0]]
        return _down(pool, left, count) if op == "down" else shifted(pool, op, left, count)
    return binary(pool, op, left, _made(pool, rest[0], found)) if rest else unary(pool, op, left)


def binary(pool: Pool, op: str, left: Value, right: Value) -> Value:
    """`left op right` for add sub and or xor mul, in its simplest form; constants and labels stand on the right."""
    if op in COMMUTATIVE and (left.immediate, left.number) > (right.immediate, right.number):
        left, right = right, left  # immediates to the right, everything else in the order of creation
    if op in COMMUTATIVE and left.op == "const" and right.op == "label":
        left, right = right, left
    if left.constant is not None and right.constant is not None:
        return pool.const(computed(op, left.constant, right.constant))
    return _of_places(pool, op, left, right) or simplified(pool, op, left, right)


def computed(op: str, left: Any, right: Any) -> Any:
    """Of numbers, and of whatever can be computed with as they can."""
    if op == "add":
        return left + right
    if op == "sub":
        return left - right
    if op == "mul":
        return left * right
    return left & right if op == "and" else left | right if op == "or" else left ^ right


def _of_places(pool: Pool, op: str, left: Value, right: Value) -> Value | None:
    """Addresses and places on the stack: a number moves them, and the distance of two places is known."""
    if op == "sub" and left.offset is not None and right.offset is not None:
        return pool.const(left.offset - right.offset)
    if op != "add" or right.constant is None:
        return None
    if left.op == "label":
        name, addend = left.args
        assert isinstance(name, str)
        assert isinstance(addend, int)
        return pool.label(name, signed(addend + right.constant))
    return pool.stack(signed(left.offset + right.constant)) if left.offset is not None else None


def unary(pool: Pool, op: str, value: Value) -> Value:
    """neg and not."""
    if value.constant is not None:
        return pool.const(-value.constant if op == "neg" else ~value.constant)
    return simplified(pool, op, value)


def negated(pool: Pool, value: Value) -> Value:
    return unary(pool, "neg", value)


def inverted(pool: Pool, value: Value) -> Value:
    return unary(pool, "not", value)


def shifted(pool: Pool, op: str, value: Value, count: int) -> Value:
    """shl, shr or sar of a word by a constant below 32."""
    if value.constant is not None:
        return pool.const(shift(op, value.constant, count, WORD) or 0)
    return simplified(pool, op, value, count)


def signed_part(pool: Pool, value: Value, size: int) -> Value:
    """The lowest `size` bytes, extended by their sign."""
    if value.constant is not None:
        return pool.const(signed(value.constant, size))
    return simplified(pool, "signed", value, size)


def _down(pool: Pool, value: Value, count: int) -> Value:
    """Shifted right, the parts that `merged` has put together each on its own."""
    return simplified(pool, "down", value, count) if count else value


def part(pool: Pool, value: Value, byte: int, size: int) -> Value:
    """`size` bytes from byte `byte` on, extended by zeros."""
    return binary(pool, "and", _down(pool, value, 8 * byte), pool.const((1 << 8 * size) - 1))


def merged(pool: Pool, whole: Value, byte: int, size: int, new: Value) -> Value:
    """`whole` with `size` of its bytes, from byte `byte` on, replaced by the lowest ones of `new`."""
    mask = (1 << 8 * size) - 1
    kept = binary(pool, "and", whole, pool.const(~(mask << 8 * byte)))
    put = shifted(pool, "shl", binary(pool, "and", new, pool.const(mask)), 8 * byte)
    return binary(pool, "or", kept, put)


def may_be_set(value: Value) -> int:
    """A mask of the bits that may be 1."""
    if value.constant is not None:
        return value.constant
    if value.op == "set":
        return 1
    if value.op == "result" and len(value.args) == 3:  # a narrow load
        size = value.args[2]
        assert isinstance(size, int)
        return (1 << 8 * size) - 1
    if value.op not in BITS:
        return MASK
    first, second = (may_be_set(arg) if isinstance(arg, Value) else arg for arg in value.args)
    bits: int = BITS[value.op](first, second)
    return bits & MASK
