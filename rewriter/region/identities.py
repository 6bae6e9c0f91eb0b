"""What words are equal to, as data: `algebra` applies these from left to right, in this order.

    x y        any word                    v w    no number and no address
    i          a number or an address      a      an address        k n    a number
    c          how far a shift goes, how many bytes are kept

Each is proved for all words: tests/proofs/test_algebra.py.  `down` is a shift to the right that looks into its word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Term = str | int | tuple[Any, ...]  # a letter, a number, or an operation and its terms
COMMUTATIVE: Final = ("add", "and", "or", "xor", "mul")
_TOKEN = re.compile(r"\s*(\w+|[(),]|-1)")


@dataclass(frozen=True, slots=True)
class Identity:
    """`before` = `after`, where it holds that, of the bits that may be set in a word:
    apart x k: none is in k    within x k: all are    below x c: none is left by the shift    positive x c: the number
    of c bytes has no sign."""

    before: str
    after: str
    when: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.before} = {self.after}"


IDENTITIES: Final = (
    # Numbers and addresses outwards, and together.
    Identity("add(add(x, i), v)", "add(add(x, v), i)"),
    Identity("add(v, add(x, i))", "add(add(v, x), i)"),
    Identity("add(sub(x, y), y)", "x"),
    Identity("add(y, sub(x, y))", "x"),
    Identity("add(add(x, k), a)", "add(x, add(a, k))"),
    Identity("add(x, 0)", "x"),
    Identity("add(add(x, i), k)", "add(x, add(i, k))"),
    Identity("sub(x, x)", "0"),
    Identity("sub(x, k)", "add(x, neg(k))"),
    Identity("sub(0, x)", "neg(x)"),
    Identity("sub(add(x, y), y)", "x"),
    Identity("sub(add(y, x), y)", "x"),
    # Bits that are not there.
    Identity("and(x, x)", "x"),
    Identity("and(x, k)", "0", ("apart", "x", "k")),
    Identity("and(x, k)", "x", ("within", "x", "k")),
    Identity("and(and(x, n), k)", "and(x, and(k, n))"),
    Identity("and(or(x, y), k)", "and(y, k)", ("apart", "x", "k")),
    Identity("and(or(x, y), k)", "and(x, k)", ("apart", "y", "k")),
    Identity("or(x, x)", "x"),
    Identity("or(x, 0)", "x"),
    Identity("or(x, -1)", "-1"),
    Identity("xor(x, x)", "0"),
    Identity("xor(x, 0)", "x"),
    Identity("xor(x, -1)", "not(x)"),
    Identity("mul(x, 0)", "0"),
    Identity("mul(x, 1)", "x"),
    Identity("neg(neg(x))", "x"),
    Identity("not(not(x))", "x"),
    # Shifts, and parts of words.
    Identity("shl(x, 0)", "x"),
    Identity("shr(x, 0)", "x"),
    Identity("sar(x, 0)", "x"),
    Identity("shr(x, c)", "0", ("below", "x", "c")),
    Identity("signed(x, c)", "x", ("positive", "x", "c")),
    Identity("down(shl(x, c), c)", "and(x, shr(-1, c))"),
    Identity("down(or(x, y), c)", "or(down(x, c), down(y, c))"),
    Identity("down(and(x, y), c)", "and(down(x, c), down(y, c))"),
    Identity("down(x, c)", "shr(x, c)"),
)

# Equations between words, and simpler ones that are true just when they are: (left, right, left, right).
EQUATIONS: Final = (
    ("add(x, n)", "k", "x", "sub(k, n)"),
    ("sub(x, y)", "0", "x", "y"),
    ("xor(x, y)", "0", "x", "y"),
)

# Which bits may be set in a word, by those of what it is made of; everywhere else all may be.
BITS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "and": lambda first, second: first & second,
    "or": lambda first, second: first | second,
    "xor": lambda first, second: first | second,
    "shr": lambda first, count: first >> count,
    "shl": lambda first, count: first << count,
}


def term(text: str) -> Term:
    """A term that was read."""
    found, rest = _term(_TOKEN.findall(text))
    assert not rest, text
    return found


def _term(tokens: list[str]) -> tuple[Term, list[str]]:
    head, rest = tokens[0], tokens[1:]
    if head.lstrip("-").isdigit():
        return int(head), rest
    if not rest or rest[0] != "(":
        return head, rest
    parts: list[Term] = []
    while rest[0] != ")":
        part, rest = _term(rest[1:])
        parts.append(part)
    return (head, *parts), rest[1:]
