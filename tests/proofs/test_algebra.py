"""Every identity of the region's words is proved, and what is said of their bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import z3

from rewriter.analysis.arithmetic import shift
from rewriter.region.algebra import computed
from rewriter.region.identities import BITS, COMMUTATIVE, EQUATIONS, IDENTITIES, Identity, Term, term
from tests.proofs.words import OPERATIONS, proved

LETTERS = {letter: z3.BitVec(letter, 32) for letter in "xyviakn"}
MAY_BE = {letter: z3.BitVec(f"bits of {letter}", 32) for letter in "xy"}


def known_bits(letter: str) -> Any:
    """The word has no other bits than those that may be set."""
    return LETTERS[letter] & ~MAY_BE[letter] == 0


def counts(identity: Identity) -> tuple[int | None, ...]:
    """What `c` may be: bytes that are kept, else how far a shift of a word may go."""
    if ", c" not in identity.before:
        return (None,)
    return (1, 2) if identity.before.startswith("signed") else tuple(range(32))


def read(pattern: Term, count: int | None) -> Any:
    if isinstance(pattern, int):
        return z3.BitVecVal(pattern, 32)
    if isinstance(pattern, str):
        return count if pattern == "c" else LETTERS[pattern]
    return OPERATIONS[pattern[0]](*(read(part, count) for part in pattern[1:]))


def given(identity: Identity, count: int | None) -> list[Any]:
    if not identity.when:
        return []
    kind, letter, other = identity.when
    bits = MAY_BE[letter]
    condition = {
        "apart": lambda: bits & LETTERS[other] == 0,
        "within": lambda: bits & ~LETTERS[other] == 0,
        "below": lambda: z3.LShR(bits, count) == 0,
        "positive": lambda: z3.ULT(bits, 1 << (8 * (count or 0) - 1)),
    }[kind]()
    return [known_bits(letter), condition]


def wrong(identity: Identity) -> list[int | None]:
    """For which counts it does not hold."""
    before, after = term(identity.before), term(identity.after)
    return [
        count
        for count in counts(identity)
        if not proved(read(before, count) == read(after, count), *given(identity, count))
    ]


@pytest.mark.parametrize("identity", IDENTITIES, ids=str)
def test_identity_is_proved(identity: Identity) -> None:
    assert wrong(identity) == []


@pytest.mark.parametrize("identity", [i for i in IDENTITIES if i.when], ids=str)
def test_no_condition_is_idle(identity: Identity) -> None:
    assert wrong(Identity(identity.before, identity.after)) != []


@pytest.mark.parametrize(
    "identity",
    [
        Identity("add(sub(x, y), y)", "y"),
        Identity("sub(x, k)", "add(x, k)"),
        Identity("and(or(x, y), k)", "and(y, k)", ("apart", "y", "k")),
        Identity("xor(x, -1)", "neg(x)"),
        Identity("down(shl(x, c), c)", "x"),
        Identity("signed(x, c)", "x", ("within", "x", "k")),
        Identity("sar(x, c)", "shr(x, c)"),
    ],
    ids=str,
)
def test_a_wrong_identity_is_found(identity: Identity) -> None:
    assert wrong(identity) != []


@pytest.mark.parametrize("op", COMMUTATIVE)
def test_operands_may_change_places(op: str) -> None:
    x, y = LETTERS["x"], LETTERS["y"]
    assert proved(OPERATIONS[op](x, y) == OPERATIONS[op](y, x))


@pytest.mark.parametrize("op", ["add", "sub", "and", "or", "xor", "mul"])
def test_numbers_are_computed(op: str) -> None:
    x, y = LETTERS["x"], LETTERS["y"]
    assert proved(computed(op, x, y) == OPERATIONS[op](x, y))


@pytest.mark.parametrize("op", ["shl", "shr", "sar"])
def test_numbers_are_shifted(op: str) -> None:
    for number in (0, 1, 0x7FFFFFFF, 0x80000000, 0xDEADBEEF, 0xFFFFFFFF):
        for count in range(32):
            meant = z3.simplify(OPERATIONS[op](z3.BitVecVal(number, 32), count))
            assert shift(op, number, count, 4) == meant.as_long()


@pytest.mark.parametrize("equation", EQUATIONS, ids=" ".join)
def test_equation_is_proved(equation: tuple[str, str, str, str]) -> None:
    left, right, other, number = (read(term(part), None) for part in equation)
    assert proved((left == right) == (other == number))


@dataclass(frozen=True)
class Mask:
    """A word as `BITS` computes with it: without a sign."""

    word: Any

    def __and__(self, other: Mask) -> Mask:
        return Mask(self.word & other.word)

    def __or__(self, other: Mask) -> Mask:
        return Mask(self.word | other.word)

    def __rshift__(self, count: int) -> Mask:
        return Mask(z3.LShR(self.word, count))

    def __lshift__(self, count: int) -> Mask:
        return Mask(self.word << count)


@pytest.mark.parametrize("op", BITS)
def test_no_other_bit_may_be_set(op: str) -> None:
    for second in range(32) if op in ("shl", "shr") else (LETTERS["y"],):
        other = second if isinstance(second, int) else Mask(MAY_BE["y"])
        bits = BITS[op](Mask(MAY_BE["x"]), other).word
        value = OPERATIONS[op](LETTERS["x"], second)
        assert proved(value & ~bits == 0, known_bits("x"), known_bits("y"))
