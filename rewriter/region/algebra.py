"""Simplification: what can be said of a word without computing it."""

from __future__ import annotations

from rewriter.analysis.arithmetic import shift
from rewriter.analysis.value import signed
from rewriter.region.value import MASK, WORD, Pool, Value

_COMMUTATIVE = ("add", "and", "or", "xor", "mul")


def binary(pool: Pool, op: str, left: Value, right: Value) -> Value:
    """`left op right` for add sub and or xor mul, in its simplest form; constants and labels stand on the right."""
    if op in _COMMUTATIVE and (left.immediate, left.number) > (right.immediate, right.number):
        left, right = right, left  # immediates to the right, everything else in the order of creation
    if op in _COMMUTATIVE and left.op == "const" and right.op == "label":
        left, right = right, left
    if left.constant is not None and right.constant is not None:
        return pool.const(_computed(op, left.constant, right.constant))
    return _RULES[op](pool, left, right) or pool.make(op, left, right)


def _computed(op: str, left: int, right: int) -> int:
    if op == "add":
        return left + right
    if op == "sub":
        return left - right
    if op == "mul":
        return left * right
    return left & right if op == "and" else left | right if op == "or" else left ^ right


def _add(pool: Pool, left: Value, right: Value) -> Value | None:
    number = right.constant
    if number is None and not right.immediate:
        base, moved = left.args[:2] if left.op == "add" else (None, None)
        if isinstance(base, Value) and isinstance(moved, Value) and moved.immediate:
            return binary(pool, "add", binary(pool, "add", base, right), moved)  # constants and labels outwards
        base, moved = right.args[:2] if right.op == "add" else (None, None)
        if isinstance(base, Value) and isinstance(moved, Value) and moved.immediate:
            return binary(pool, "add", binary(pool, "add", left, base), moved)
        for whole, other in ((left, right), (right, left)):
            if whole.op == "sub" and whole.args[1] is other:
                assert isinstance(whole.args[0], Value)
                return whole.args[0]
        return None
    if number is None:
        return _labeled(pool, left, right)
    if number == 0:
        return left
    if left.op == "label":
        name, addend = left.args
        assert isinstance(name, str)
        assert isinstance(addend, int)
        return pool.label(name, signed(addend + number))
    if left.offset is not None:
        return pool.stack(signed(left.offset + number))
    if left.op == "add" and isinstance(left.args[1], Value) and left.args[1].immediate:
        assert isinstance(left.args[0], Value)
        return binary(pool, "add", left.args[0], binary(pool, "add", left.args[1], right))
    return None


def _labeled(pool: Pool, left: Value, label: Value) -> Value | None:
    """A constant beside a label becomes its addend."""
    base, moved = left.args[:2] if left.op == "add" else (None, None)
    if isinstance(base, Value) and isinstance(moved, Value) and moved.constant is not None:
        return binary(pool, "add", base, binary(pool, "add", label, moved))
    return None


def _sub(pool: Pool, left: Value, right: Value) -> Value | None:
    if left is right:
        return pool.const(0)
    if right.constant is not None:
        return binary(pool, "add", left, pool.const(-right.constant))
    if left.offset is not None and right.offset is not None:
        return pool.const(left.offset - right.offset)
    if left.constant == 0:
        return negated(pool, right)
    if left.op == "add" and right in left.args:
        first, second = left.args
        other = second if first is right else first
        assert isinstance(other, Value)
        return other
    return None


def _and(pool: Pool, left: Value, right: Value) -> Value | None:
    mask = right.constant
    if left is right:
        return left
    if mask is None:
        return None
    if mask & may_be_set(left) == 0:
        return pool.const(0)
    if may_be_set(left) & ~mask == 0:
        return left
    if left.op == "and" and isinstance(left.args[1], Value) and left.args[1].constant is not None:
        assert isinstance(left.args[0], Value)
        return binary(pool, "and", left.args[0], pool.const(mask & left.args[1].constant))
    if left.op == "or":
        parts = [part for part in left.args if isinstance(part, Value)]
        for part, other in (parts, parts[::-1]):
            if may_be_set(part) & mask == 0:
                return binary(pool, "and", other, right)
    return None


def _or(pool: Pool, left: Value, right: Value) -> Value | None:
    if left is right or right.constant == 0:
        return left
    return right if right.constant == MASK else None


def _xor(pool: Pool, left: Value, right: Value) -> Value | None:
    if left is right:
        return pool.const(0)
    return left if right.constant == 0 else inverted(pool, left) if right.constant == MASK else None


def _mul(pool: Pool, left: Value, right: Value) -> Value | None:
    if right.constant == 0:
        return right
    return left if right.constant == 1 else None


_RULES = {"add": _add, "sub": _sub, "and": _and, "or": _or, "xor": _xor, "mul": _mul}


def negated(pool: Pool, value: Value) -> Value:
    if value.constant is not None:
        return pool.const(-value.constant)
    return _inner(value) if value.op == "neg" else pool.make("neg", value)


def inverted(pool: Pool, value: Value) -> Value:
    if value.constant is not None:
        return pool.const(~value.constant)
    return _inner(value) if value.op == "not" else pool.make("not", value)


def _inner(value: Value) -> Value:
    inner = value.args[0]
    assert isinstance(inner, Value)
    return inner


def shifted(pool: Pool, op: str, value: Value, count: int) -> Value:
    """shl, shr or sar of a word by a constant below 32."""
    if count == 0:
        return value
    if value.constant is not None:
        return pool.const(shift(op, value.constant, count, WORD) or 0)
    if op == "shr" and may_be_set(value) >> count == 0:
        return pool.const(0)
    return pool.make(op, value, count)


def signed_part(pool: Pool, value: Value, size: int) -> Value:
    """The lowest `size` bytes, extended by their sign."""
    if value.constant is not None:
        return pool.const(signed(value.constant, size))
    if may_be_set(value) < 1 << (8 * size - 1):
        return value
    return pool.make("signed", value, size)


def part(pool: Pool, value: Value, byte: int, size: int) -> Value:
    """`size` bytes from byte `byte` on, extended by zeros."""
    return binary(pool, "and", _down(pool, value, 8 * byte), pool.const((1 << 8 * size) - 1))


def _down(pool: Pool, value: Value, count: int) -> Value:
    """Shifted right, the parts that `merged` has put together each on its own."""
    first, second = (*value.args, None)[:2]
    if count and value.op == "shl" and second == count and isinstance(first, Value):
        return binary(pool, "and", first, pool.const(MASK >> count))
    if count and value.op in ("or", "and") and isinstance(first, Value) and isinstance(second, Value):
        return binary(pool, value.op, _down(pool, first, count), _down(pool, second, count))
    return shifted(pool, "shr", value, count)


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
    first, second = (*value.args, None, None)[:2]
    if value.op == "and" and isinstance(first, Value) and isinstance(second, Value):
        return may_be_set(first) & may_be_set(second)
    if value.op in ("or", "xor") and isinstance(first, Value) and isinstance(second, Value):
        return may_be_set(first) | may_be_set(second)
    if value.op in ("shr", "shl") and isinstance(first, Value) and isinstance(second, int):
        return may_be_set(first) >> second if value.op == "shr" else may_be_set(first) << second & MASK
    return MASK
