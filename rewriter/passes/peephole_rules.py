"""The peephole rules as data (§2, §4.2): a pattern, what takes its place, and when it may.

Each is proved for all registers, flags and memory: tests/proofs/test_peephole_rules.py.  The language of the patterns
is that of `pattern`; words in capitals stand for what `each` puts there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from rewriter.analysis.arithmetic import CONDITIONS
from rewriter.passes.pattern import templates


@dataclass(frozen=True, slots=True)
class Rule:
    """`before` ⇒ `after` where nobody needs what is `dead` behind it: registers, single flags, or all `flags`.

    `apart`: pairs of a register and of another, or of memory whose address must not be made with it.
    `own`: memory that is a slot of the function's own, which nobody else sees: a load from it may go.
    `between`: a number, and the least and the greatest that it may be, taken without sign.
    """

    before: str
    after: str
    dead: str = ""
    apart: str = ""
    own: str = ""
    between: tuple[str, int, int] | None = None
    each: tuple[Mapping[str, str], ...] = ({},)

    def __str__(self) -> str:
        return f"{self.before} ⇒ {self.after or 'nothing'}"

    def rules(self) -> Iterator[Rule]:
        """One rule for every choice of the words in capitals."""
        for words in self.each:
            yield replace(
                self,
                before=_put(self.before, words),
                after=_put(self.after, words),
                apart=_put(self.apart, words),
                each=({},),
            )

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The letters of `apart`; numbers are apart from everything."""
        pairs = (pair.split() for pair in self.apart.split(",") if pair)
        return tuple((a, b.strip("[]")) for a, b in pairs if b.strip("[]") in "abcdmn")

    @property
    def fewer(self) -> int:
        """Instructions that it saves."""
        return len(templates(self.before)) - len(templates(self.after))


def _put(text: str, words: Mapping[str, str]) -> str:
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def every(**words: str) -> tuple[Mapping[str, str], ...]:
    """All combinations of these words."""
    choices = [meanings.split() for meanings in words.values()]
    return tuple(dict(zip(words, found, strict=True)) for found in product(*choices))


_MIRROR: Final = {"b": "a", "a": "b", "ae": "be", "be": "ae", "l": "g", "g": "l", "ge": "le", "le": "ge"}
_MIRRORED: Final = tuple(
    {"CC": code, "DD": other, "X": operand}
    for code, other in ({"e": "e", "ne": "ne"} | _MIRROR).items()
    for operand in ("b", "[m]")
)
_ALWAYS: Final = tuple({"CC": code, "NOT": CONDITIONS[n ^ 1]} for n, code in enumerate(CONDITIONS))
_ARITHMETIC: Final = "add adc sub sbb and or xor"
_SHIFTS: Final = "shl shr sar"
_LEADING: Final = every(OP=f"{_SHIFTS} add sub and or xor", USE="mov lea")

RULES: Final[tuple[Rule, ...]] = (
    # What does nothing.
    Rule("nop", ""),
    Rule("nop SIZE[m]", "", each=({"SIZE": ""}, {"SIZE": "word "})),
    Rule("mov a, a", ""),
    Rule("lea a, [a]", ""),
    Rule("lea esp, [esp]", ""),
    Rule("lea esp, [esp + k]; lea esp, [esp + l]", "lea esp, [esp + k + l]"),
    Rule("mov a, b; mov b, a", "mov a, b"),
    # A test of what the flags tell already.
    Rule("OP a, X; test a, a", "OP a, X", each=every(OP="and or xor", X="k b [m]")),
    Rule("OP a, X; test a, a", "OP a, X", "CF OF", each=every(OP="add adc sub sbb", X="k b [m]")),
    Rule("OP a; test a, a", "OP a", "CF OF", each=every(OP="inc dec neg")),
    Rule("OP a, k; test a, a", "OP a, k", "CF OF", between=("k", 1, 31), each=every(OP=_SHIFTS)),
    # Flags that became a word, and the word flags again.
    Rule("setCC a8; movzx a, a8; test a, a; jne L", "jCC L", "a flags", each=_ALWAYS),
    Rule("setCC a8; movzx a, a8; test a, a; je L", "jNOT L", "a flags", each=_ALWAYS),
    Rule("mov a, k; cmp a, X; jCC L", "cmp X, k; jDD L", "a flags", "a X", each=_MIRRORED),
    # A copy, a number or a load becomes the operand of its only use.
    Rule("mov a, X; OP c, a", "OP c, X", "a", "a c", each=every(OP=f"mov cmp {_ARITHMETIC}", X="k b [m]")),
    Rule("mov a, X; OP [n], a", "OP [n], X", "a", "a n", each=every(OP=f"mov cmp {_ARITHMETIC}", X="k b")),
    Rule("mov a, X; imul c, a", "imul c, X", "a", "a c", each=every(X="b [m]")),
    Rule("mov a, b; cmp a, X", "cmp b, X", "a", "a X", each=every(X="k c [m]")),
    Rule("mov a, [m]; cmp a, X", "cmp [m], X", "a", "a X", each=every(X="k c")),
    Rule("mov a, b; test a, a", "test b, b", "a"),
    Rule("mov a, [m]; test a, a", "cmp [m], 0", "a"),
    Rule("mov a, b; OP c, [m]", "OP c, [m a=b]", "a", each=every(OP="mov lea")),
    Rule("mov a, b; OP a, [m]", "OP a, [m a=b]", each=every(OP="mov lea")),
    # Only the flags of a result are needed.
    Rule("mov a, b; and a, X", "test b, X", "a", "a X", each=every(X="k c")),
    Rule("mov a, [m]; and a, X", "test [m], X", "a", "a X", each=every(X="k c")),
    Rule("mov a, b; sub a, X", "cmp b, X", "a", "a X", each=every(X="k c")),
    Rule("mov a, [m]; sub a, X", "cmp [m], X", "a", "a X", each=every(X="k c")),
    # Computed where it is, or where it is needed.
    Rule("mov a, b; OP a, X", "OP b, X", "a b", "a X", each=every(OP="add adc sbb or xor", X="k c")),
    Rule("lea a, [m]; mov c, a", "lea c, [m]", "a"),
    Rule("OP a, byte [m]; mov c, a", "OP c, byte [m]", "a", each=every(OP="movzx movsx")),
    # A byte is tested where it is.
    Rule("OP a, byte [m]; test a8, k", "test byte [m], k", "a", each=every(OP="movzx movsx")),
    Rule("OP a, byte [m]; cmp a8, k", "cmp byte [m], k", "a", each=every(OP="movzx movsx")),
    Rule("OP a, byte [m]; test a8, a8", "cmp byte [m], 0", "a", each=every(OP="movzx movsx")),
    Rule("movzx a, byte [m]; test a, k", "test byte [m], k", "a SF"),
    Rule("movzx a, byte [m]; test a, a", "cmp byte [m], 0", "a SF"),
    Rule("movzx a, byte [m]; cmp a, k", "cmp byte [m], k", "a SF OF", between=("k", 0, 255)),
    Rule(
        "mov a, X; OP a, Y; mov c, a",
        "mov c, X; OP c, Y",
        "a",
        "a Y, c Y",
        each=every(OP=_ARITHMETIC, X="k b [m]", Y="l d [n]"),
    ),
    Rule("mov a, X; OP a, k; mov c, a", "mov c, X; OP c, k", "a", each=every(OP=_SHIFTS, X="b [m]")),
    Rule("mov a, [m]; OP a, X; mov [m], a", "OP [m], X", "a", "a m, a X", each=every(OP=_ARITHMETIC, X="k b")),
    Rule("mov a, [m]; OP a, k; mov [m], a", "OP [m], k", "a", "a m", each=every(OP=_SHIFTS)),
    Rule("mov a, [m]; OP a; mov [m], a", "OP [m]", "a", "a m", each=every(OP="inc dec neg not")),
    # A copy is changed, leads to memory, and is forgotten, as is what it is a copy of.
    Rule("mov a, b; OP a, k; USE c, [m]", "OP b, k; USE c, [m a=b]", "a b", "b m", each=_LEADING),
    Rule("mov a, b; OP a, k; USE a, [m]", "OP b, k; USE a, [m a=b]", "b", "b m", each=_LEADING),
    Rule("mov a, b; OP a, k; USE b, [m]", "OP b, k; USE b, [m a=b]", "a", "b m", each=_LEADING),
    # Sums without flags.
    Rule("mov a, b; add a, k", "lea a, [b + k]", "flags"),
    Rule("mov a, b; add a, c", "lea a, [b + c]", "flags", "a c"),
    Rule("mov a, b; sub a, k", "lea a, [b - k]", "flags"),
    Rule("mov a, b; inc a", "lea a, [b + 1]", "flags"),
    Rule("mov a, b; dec a", "lea a, [b - 1]", "flags"),
    Rule("mov a, b; shl a, 1", "lea a, [b + b]", "flags"),
    # A word that was just stored.
    Rule("mov [m], a; mov a, [m]", "mov [m], a", own="m"),
    Rule("mov [m], a; OP b, [m]", "mov [m], a; OP b, a", own="m", each=every(OP=f"mov cmp {_ARITHMETIC}")),
    # As many instructions, of fewer bytes.
    Rule("mov a, 0", "xor a, a", "flags"),
    Rule("cmp a, 0", "test a, a", "AF"),
)
