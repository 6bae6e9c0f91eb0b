"""Words and conditions in their simplest form; equal ones are one object."""

from __future__ import annotations

from random import Random

import pytest

from rewriter.analysis.arithmetic import compute
from rewriter.analysis.liveness import STACK_SHIFT
from rewriter.region.algebra import binary, inverted, may_be_set, merged, negated, part, shifted, signed_part
from rewriter.region.alive import alive, of_register, of_slot
from rewriter.region.either import either
from rewriter.region.flag import Condition, Flags, Unsupported, alternatives, condition, rebuildable
from rewriter.region.value import MASK, Pool, Value
from rewriter.x86.effects import CF, OF, ZF, register_mask

POOL = Pool()
X, Y = POOL.make("param", "eax"), POOL.make("param", "ecx")


def const(number: int) -> Value:
    return POOL.const(number)


def evaluated(value: Value, x: int, y: int) -> int:
    """The word for these values of eax and ecx, by another way than the lowering takes."""
    if value.constant is not None:
        return value.constant
    if value.op == "param":
        return x if value is X else y
    first, second = (*value.args, None)[:2]
    assert isinstance(first, Value)
    left = evaluated(first, x, y)
    right = evaluated(second, x, y) if isinstance(second, Value) else 0
    count = second if isinstance(second, int) else 0
    sign = (left & (1 << 8 * count) - 1) >> (8 * count - 1) if value.op == "signed" else left >> 31
    return {
        "add": left + right,
        "sub": left - right,
        "and": left & right,
        "or": left | right,
        "xor": left ^ right,
        "mul": left * right,
        "neg": -left,
        "not": ~left,
        "shl": left << count,
        "shr": left >> count,
        "sar": (left - (sign << 32)) >> count,
        "signed": (left & (1 << 8 * count) - 1) - (sign << 8 * count),
    }[value.op] & MASK


def test_equal_words_are_one_object() -> None:
    assert binary(POOL, "add", X, Y) is binary(POOL, "add", Y, X)
    assert binary(POOL, "add", binary(POOL, "add", X, const(3)), const(-3)) is X
    assert binary(POOL, "sub", binary(POOL, "add", X, Y), Y) is X
    assert binary(POOL, "add", POOL.label("table"), const(8)) is POOL.label("table", 8)
    assert binary(POOL, "sub", POOL.stack(-8), const(4)) is POOL.stack(-12)


def test_bytes_that_were_put_can_be_taken() -> None:
    whole = merged(POOL, X, 1, 1, Y)
    assert part(POOL, whole, 1, 1) is part(POOL, Y, 0, 1)
    assert part(POOL, whole, 0, 1) is part(POOL, X, 0, 1)
    assert signed_part(POOL, part(POOL, X, 0, 1), 2) is part(POOL, X, 0, 1)


@pytest.mark.parametrize("seed", range(40))
def test_simplification_keeps_the_value(seed: int) -> None:
    """Random expressions, simplified and as written."""
    random = Random(seed)
    words = [(X, lambda x, y: x), (Y, lambda x, y: y)]
    corners = (0, 1, 3, 0xFF, 0xFFF, 0x80000000, MASK, random.getrandbits(32))
    for _ in range(30):
        (left, f), (right, g) = random.choice(words), random.choice(words)
        number = random.choice(corners)
        if random.random() < 0.5:
            right, g = const(number), lambda x, y, n=number: n
        op = random.choice(("add", "sub", "and", "or", "xor", "mul", "neg", "not", "shl", "shr", "sar", "part"))
        words.append(_applied(op, left, f, right, g, random.randrange(32), random.choice((1, 2))))
    for _ in range(20):
        x, y = random.choice(corners), random.choice((*corners, random.getrandbits(32)))
        for value, meaning in words:
            number = meaning(x, y) & MASK
            assert evaluated(value, x, y) == number
            assert number & ~may_be_set(value) == 0


def _applied(op: str, left: Value, f: object, right: Value, g: object, count: int, size: int):  # type: ignore[no-untyped-def]
    assert callable(f)
    assert callable(g)
    if op == "part":
        return part(POOL, left, 1, size), lambda x, y: (f(x, y) & MASK) >> 8 & (1 << 8 * size) - 1
    if op in ("neg", "not"):
        made = negated(POOL, left) if op == "neg" else inverted(POOL, left)
        return made, lambda x, y: -f(x, y) if op == "neg" else ~f(x, y)
    if op in ("shl", "shr", "sar"):
        made = shifted(POOL, op, left, count)
        if op == "sar":
            return made, lambda x, y: ((f(x, y) & MASK ^ 1 << 31) - (1 << 31)) >> count
        return made, lambda x, y: f(x, y) << count if op == "shl" else (f(x, y) & MASK) >> count
    calls = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "and": lambda a, b: a & b,
        "or": lambda a, b: a | b,
        "xor": lambda a, b: a ^ b,
        "mul": lambda a, b: a * b,
    }
    return binary(POOL, op, left, right), lambda x, y: calls[op](f(x, y), g(x, y))


@pytest.mark.parametrize("seed", range(10))
def test_bytes_that_matter_stay(seed: int) -> None:
    """Words put together of others' bytes; those of which only some bytes are asked for."""
    random = Random(seed)
    words = [X, Y, const(random.getrandbits(32))]
    for _ in range(12):
        size = random.choice((1, 2))
        words.append(merged(POOL, random.choice(words), random.randrange(5 - size), size, random.choice(words)))
    simpler = 0
    for word in words:
        for matters in range(1, 16):
            bits = of_register("ecx", register_mask("ecx") & matters * 0x11111111)
            found = alive(POOL, word, bits)
            simpler += found is not word
            x, y = random.getrandbits(32), random.getrandbits(32)
            assert evaluated(found, x, y) & bits == evaluated(word, x, y) & bits
    assert simpler > 20


def test_bytes_of_a_register_and_of_a_stack_word() -> None:
    assert of_register("ebx", register_mask("bl") | register_mask("ecx")) == 0xFF
    assert of_register("ebx", register_mask("bh")) == 0xFF00
    assert of_slot(-8, 1 << STACK_SHIFT + 8 - 1) == 0xFF  # the byte at -8
    assert of_slot(-8, 1 << STACK_SHIFT + 8 - 4) == 0xFF000000
    assert of_slot(4, 0) == MASK
    assert alive(POOL, merged(POOL, X, 3, 1, Y), 0xFF0000) is X
    assert alive(POOL, merged(POOL, X, 3, 1, Y), 0xFF000000) is not X


def test_one_of_several_conditions() -> None:
    first, second = Condition("e", Flags("cmp", X, const(0))), Condition("b", Flags("cmp", X, Y))
    words = [POOL.make("set", held) for held in (first, second)]
    both = binary(POOL, "or", *words)
    assert set(either(Condition("ne", Flags("cmp", both, const(0))))) == {first, second}
    for other in (Condition("e", Flags("cmp", both, const(0))), Condition("ne", Flags("cmp", both, const(1)))):
        assert either(other) == (other,)
    of_bits = Condition("ne", Flags("cmp", binary(POOL, "or", words[0], X), const(0)))
    assert either(of_bits) == (of_bits,)


def test_conditions_in_their_simplest_form() -> None:
    difference = binary(POOL, "sub", X, Y)
    assert condition(POOL, "e", Flags("cmp", difference, const(0))) == Condition("e", Flags("cmp", X, Y))
    assert condition(POOL, "b", Flags("cmp", X, const(0))) is False
    assert condition(POOL, "be", Flags("cmp", X, const(0))) == Condition("e", Flags("cmp", X, const(0)))
    assert condition(POOL, "e", Flags("cmp", binary(POOL, "add", X, const(1)), const(5))) == Condition(
        "e", Flags("cmp", X, const(4))
    )
    low, high = binary(POOL, "and", X, const(0xFFF)), shifted(POOL, "shl", Y, 12)
    assert condition(POOL, "b", Flags("add", high, low)) is False
    with pytest.raises(Unsupported):
        condition(POOL, "b", Flags("result", X))


@pytest.mark.parametrize("code", ["e", "ne", "b", "ae", "be", "a", "s", "l", "ge", "le", "g", "o"])
def test_narrow_comparisons_agree_with_wide_ones(code: str) -> None:
    random = Random(1)
    narrow = [part(POOL, word, 0, 1) for word in (X, Y)]
    found = condition(POOL, code, Flags("cmp", narrow[0], narrow[1], 1))
    assert isinstance(found, Condition)
    assert found.flags.left is not None
    assert found.flags.right is not None
    for _ in range(500):
        x, y = random.getrandbits(32), random.getrandbits(32)
        _, bits = compute("cmp", x & 0xFF, y & 0xFF, 1, None) or (0, None)
        left, right = evaluated(found.flags.left, x, y), evaluated(found.flags.right, x, y)
        _, wide = compute("cmp", left, right, 4, None) or (0, None)
        assert bits is not None
        assert wide is not None
        assert wide.holds(found.code) == bits.holds(code)


def test_a_default_that_was_selected() -> None:
    default = POOL.label("generic_file_llseek")
    not_zero = Condition("ne", Flags("cmp", X, const(0)))
    chosen = POOL.make("select", not_zero, X, default)
    same = alternatives(POOL, Condition("e", Flags("cmp", chosen, default)))
    assert same == (Condition("e", Flags("cmp", X, default)), not_zero.opposite)
    zero_or = POOL.make("select", not_zero, X, const(0))
    assert alternatives(POOL, Condition("e", Flags("cmp", zero_or, default))) == (same[0],)


def test_flags_that_can_be_made_anew() -> None:
    compared, counted = Flags("cmp", X, Y), Flags("add", X, const(1))
    assert rebuildable(compared, compared, ZF | CF | OF)
    assert rebuildable(counted, compared, ZF | OF)
    assert not rebuildable(counted, compared, ZF | CF)
    assert not rebuildable(Flags("effect", effect=3), Flags("effect", effect=3), ZF)
    assert rebuildable(None, None, 0)
    narrow = Flags("cmp", part(POOL, X, 0, 1), part(POOL, Y, 0, 1), 1)
    assert rebuildable(narrow, narrow, CF | ZF)
    assert not rebuildable(narrow, narrow, OF)
