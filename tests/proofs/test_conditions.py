"""Conditions of the region mean what the flags mean that the processor sets: proved for every kind, size and code."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
import z3

from rewriter.analysis.arithmetic import CONDITIONS
from rewriter.region import flag
from rewriter.region.algebra import binary, part
from rewriter.region.flag import Condition, Flags, Unsupported, alternatives, condition, rebuildable
from rewriter.region.orders import implied
from rewriter.region.value import WORD, Pool, Value
from rewriter.x86.state import AF, CF, OF, PF, SF, ZF
from tests.proofs.words import flags_of, holds, proved

POOL = Pool()
X, Y, P, Q = (POOL.make("param", register) for register in ("eax", "ecx", "edx", "ebx"))
BELOW = Condition("b", Flags("cmp", P, Q))
NARROW = (1, 2)


def operands(size: int) -> Iterator[tuple[Value, Value]]:
    """Any two words; numbers, sums, differences, and words without common bits."""
    if size != WORD:
        narrow = [part(POOL, word, 0, size) for word in (X, Y)]
        yield from product(narrow[:1], (narrow[1], POOL.const(0), POOL.const(0x80), narrow[0]))
        return
    number = POOL.const(7)
    sums = [binary(POOL, "add", X, number), binary(POOL, "sub", X, Y), binary(POOL, "xor", X, Y)]
    low, high = binary(POOL, "and", X, POOL.const(0xFFF)), POOL.make("shl", Y, 12)
    yield from product((X, *sums), (Y, POOL.const(0), number, X))
    yield from ((low, high), (POOL.const(3), number), (POOL.const(9), X))


def flags(kind: str) -> Iterator[Flags]:
    for size in (WORD,) if kind in ("adc", "sbb") else (*NARROW, WORD):
        for left, right in operands(size):
            carry = BELOW if kind in ("adc", "sbb") else None
            yield Flags(kind, left, None if kind == "result" else right, size, carry)


def wrong(kind: str, code: str) -> list[Flags]:
    """Where a condition does not mean what the flags say."""
    found = []
    for each in flags(kind):
        try:
            made = condition(POOL, code, each)
        except Unsupported:
            continue
        if not proved(holds(made) == holds(Condition(code, each))):
            found.append(each)
    return found


@pytest.mark.parametrize("kind", ["cmp", "add", "adc", "sbb", "result"])
@pytest.mark.parametrize("code", CONDITIONS)
def test_condition_is_proved(kind: str, code: str) -> None:
    assert wrong(kind, code) == []


def test_only_conditions_of_a_result_that_is_not_known_are_refused() -> None:
    for code in CONDITIONS:
        refused = code not in ("e", "ne", "s", "ns", "p", "np")
        for each in flags("result"):
            if refused:
                with pytest.raises(Unsupported):
                    condition(POOL, code, each)
            else:
                condition(POOL, code, each)


@pytest.mark.parametrize("code", flag._AGAINST_ZERO)
def test_a_wrong_condition_is_found(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(flag._AGAINST_ZERO, code, "p")
    assert wrong("cmp", code) != []


def selected() -> Iterator[Condition]:
    """Equations with a word that was selected."""
    table, other = POOL.label("table"), POOL.label("other", 8)
    some = Condition("ne", Flags("cmp", X, POOL.const(0)))
    words = (table, other, POOL.const(0), POOL.const(5), Y)
    for test, default, number in product((some, some.opposite, BELOW), words, words):
        yield Condition("e", Flags("cmp", POOL.make("select", test, X, default), number))
    for code, pair in product(("b", "be", "a", "ae", "l", "ge", "le", "g"), ((X, Y), (Y, X))):
        yield Condition("e", Flags("cmp", POOL.make("select", Condition(code, Flags("cmp", *pair)), X, Y), Y))


def test_alternatives_are_proved() -> None:
    simpler = single = 0
    for asked in selected():
        found = alternatives(POOL, asked)
        single += len(found) == 1 and found[0].code not in ("e", "ne")
        simpler += found != (asked,)
        assert proved(holds(asked) == z3.Or(*map(holds, found))), asked
    assert simpler > 10
    assert single >= 16  # of the smaller and the larger of two words


@pytest.mark.parametrize("size", NARROW)
def test_narrow_flags_can_be_made_of_words(size: int) -> None:
    """`rebuildable` says which: those that a comparison of the words sets, too."""
    for left, right in operands(size):
        told = Flags("cmp", left, right, size)
        narrow, wide = flags_of(told), flags_of(Flags("cmp", left, right))
        for name, bit in {"CF": CF, "PF": PF, "AF": AF, "ZF": ZF, "SF": SF, "OF": OF}.items():
            if rebuildable(told, told, bit):
                assert proved(narrow.flags[name] == wide.flags[name])
        assert rebuildable(told, told, CF | PF | ZF)
        assert not rebuildable(told, told, SF)


@pytest.mark.parametrize("right", [Y, POOL.const(0), POOL.const(7)], ids=["word", "zero", "number"])
def test_what_two_conditions_imply_is_proved(right: Value) -> None:
    """And a third that neither tells alone is told where both do."""
    every = [Condition(code, Flags("cmp", X, right)) for code in CONDITIONS]
    told = 0
    for first, second, asked in product(every, every, every):
        for facts in ([(first, False), (second, False)], [(first, True), (second, False)]):
            found = implied(asked, facts)
            if found is not None:
                told += 1
                given = [holds(fact) == truth for fact, truth in facts]
                assert proved(z3.Implies(z3.And(*given), holds(asked) == found)), (facts, asked)
    assert told > 500


def test_a_test_of_a_condition_is_the_condition() -> None:
    made = POOL.make("set", BELOW)
    assert condition(POOL, "ne", Flags("cmp", made, POOL.const(0))) == BELOW
    assert condition(POOL, "e", Flags("cmp", made, POOL.const(0))) == BELOW.opposite
