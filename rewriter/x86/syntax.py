"""Reading one line of Intel syntax: what the author meant, to be compared with what an assembler made of it.

    line     = {prefix} mnemonic [operand {"," operand}]
    operand  = register | constant | [size ["ptr"]] [segment ":"] "[" term {("+" | "-") term} "]"
    term     = register ["*" scale] | constant
    constant = number | "{" ["gotoff"] label [("+" | "-") number] "}"

Numbers are decimal or begin with 0x; `010` is refused, because assemblers differ about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rewriter.ir import RefKind
from rewriter.x86.operands import Imm, Mem, Operand, Reg
from rewriter.x86.text import SIZE_WORDS


class EncodeError(ValueError):
    """The line cannot be encoded as it was meant; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Label:
    """`{target+addend}` in a line, or `{gotoff target+addend}`, where `placeholder` stands in the operands."""

    placeholder: int
    target: str
    addend: int
    kind: RefKind


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart.  Immediates have size 0 and any sign, memory has size 0 where the line does not say."""

    prefixes: tuple[str, ...]
    mnemonic: str
    operands: tuple[Operand, ...]
    labels: tuple[Label, ...]


PREFIXES = {"lock": "lock", "rep": "rep", "repe": "rep", "repz": "rep", "repne": "repne", "repnz": "repne"}
_PLACEHOLDER = 0x5A6B7C01  # needs four bytes
_TOKEN = re.compile(r"\s*(?:(\{[^{}]*\})|(0[xX][0-9a-fA-F]+|\d+)|(st\([0-7]\)|[A-Za-z]\w*)|([-+*,:\[\]]))")
_LABEL = re.compile(r"\{\s*(?:(gotoff)\s+)?(\S+?)\s*(?:([+-])\s*(0[xX][0-9a-fA-F]+|\d+)\s*)?\}")
_SIZES = {word: size for size, word in SIZE_WORDS.items()}
_SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs")
_WIDE = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
_WORDS = tuple(name[1:] for name in _WIDE)
_BYTES = tuple(letter + half for half in "lh" for letter in "acdb")
REGISTER_SIZES = {
    **dict.fromkeys(_WIDE, 4),
    **dict.fromkeys(_WORDS, 2),
    **dict.fromkeys(_BYTES, 1),
    **dict.fromkeys(_SEGMENTS, 2),
    **{f"{kind}{n}": 4 for kind in ("cr", "dr") for n in range(8)},
    **{f"st({n})": 10 for n in range(8)},
    **{f"mm{n}": 8 for n in range(8)},
    **{f"xmm{n}": 16 for n in range(8)},
}
# One condition has several names; the first of each row is the one that decoding gives.
CONDITION_NAMES = (
    ("o",), ("no",), ("b", "c", "nae"), ("ae", "nc", "nb"), ("e", "z"), ("ne", "nz"), ("be", "na"), ("a", "nbe"),
    ("s",), ("ns",), ("p", "pe"), ("np", "po"), ("l", "nge"), ("ge", "nl"), ("le", "ng"), ("g", "nle"),
)  # fmt: skip
_ALIASES = {
    **{f"{kind}{name}": f"{kind}{row[0]}" for kind in ("j", "set", "cmov") for row in CONDITION_NAMES for name in row},
    **{"sal": "shl", "retn": "ret", "pushf": "pushfd", "popf": "popfd", "iret": "iretd", "xlat": "xlatb"},
    **{"pusha": "pushal", "popa": "popal", "pushad": "pushal", "popad": "popal", "loopz": "loope", "loopnz": "loopne"},
    **{"lret": "retf", "fwait": "wait", "icebp": "int1"},
}


def parse(line: str) -> Line:
    """Take a line apart.  Raises EncodeError."""
    return _Reader(line).line()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.labels: list[Label] = []
        self.tokens = self._tokens()

    def _tokens(self) -> list[str]:
        found, at, text = [], 0, self.text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.error(f"cannot read {text[at:].strip()!r}")
            found.append(match[0].strip() if match[1] else match[0].strip().lower())
            at = match.end()
        return found[::-1]  # the next one is the last

    def error(self, why: str) -> EncodeError:
        return EncodeError(f"{self.text.strip()!r}: {why}")

    def next(self) -> str | None:
        return self.tokens[-1] if self.tokens else None

    def take(self, wanted: str | None = None) -> str:
        if not self.tokens or (wanted is not None and self.tokens[-1] != wanted):
            raise self.error(f"expected {wanted or 'an operand'}, found {self.next() or 'the end'}")
        return self.tokens.pop()

    def line(self) -> Line:
        prefixes = []
        while self.next() in PREFIXES:
            prefixes.append(PREFIXES[self.take()])
        mnemonic = self.take()
        operands = [self.operand()] if self.tokens else []
        while self.tokens:
            self.take(",")
            operands.append(self.operand())
        return Line(tuple(prefixes), _ALIASES.get(mnemonic, mnemonic), tuple(operands), tuple(self.labels))

    def operand(self) -> Operand:
        word = self.next() or ""
        if word in _SIZES:
            size = _SIZES[self.take()]
            if self.next() == "ptr":
                self.take()
            return self.memory(size)
        if word == "[" or (word in _SEGMENTS and self.tokens[-2:-1] == [":"]):
            return self.memory(0)
        if word in REGISTER_SIZES:
            return Reg(self.take(), REGISTER_SIZES[word])
        if word == "st":
            self.take()
            return Reg("st(0)", 10)
        sign = -1 if word == "-" else 1
        if word in ("-", "+"):
            self.take()
        return Imm(sign * self.constant(), 0)

    def memory(self, size: int) -> Mem:
        segment = None
        if self.next() in _SEGMENTS:
            segment = self.take()
            self.take(":")
        self.take("[")
        parts = _Sum()
        sign = 1
        while True:
            if self.next() in ("-", "+"):
                sign = -1 if self.take() == "-" else 1
            self.term(parts, sign)
            if self.next() == "]":
                break
            if self.next() not in ("-", "+"):
                raise self.error(f"unexpected {self.next() or 'end'} in brackets")
        self.take("]")
        return self.finished(parts, size, segment)

    def term(self, parts: _Sum, sign: int) -> None:
        word = self.next() or ""
        if word not in _WIDE:
            parts.disp += sign * self.constant()
            return
        self.take()
        if sign < 0:
            raise self.error("a register cannot be subtracted")
        scale = 1
        if self.next() == "*":
            self.take()
            scale = self.constant()
            if scale not in (1, 2, 4, 8):
                raise self.error(f"no scale {scale}")
            parts.scaled.append((word, scale))
        else:
            parts.plain.append(word)

    def constant(self) -> int:
        word = self.take()
        if word.startswith("{"):
            match = _LABEL.fullmatch(word)
            if match is None:
                raise self.error(f"no label in {word}")
            addend = int(match[4], 0) * (-1 if match[3] == "-" else 1) if match[4] else 0
            kind = RefKind.GOTOFF if match[1] else RefKind.ABS32
            self.labels.append(Label(_PLACEHOLDER + 0x101 * len(self.labels), match[2], addend, kind))
            return self.labels[-1].placeholder
        if not word[0].isdigit():
            raise self.error(f"unknown word {word!r}")
        if len(word) > 1 and word[0] == "0" and word[1] != "x":
            raise self.error(f"{word} may be octal or decimal")
        return int(word, 0)

    def finished(self, parts: _Sum, size: int, segment: str | None) -> Mem:
        registers = [(word, 1) for word in parts.plain] + parts.scaled
        if len(registers) > 2 or len(parts.scaled) > 1 or not -(1 << 31) <= parts.disp < 1 << 32:
            raise self.error("no such address")
        base: str | None = parts.plain[0] if parts.plain else None
        index, scale = registers[-1] if len(registers) > int(base is not None) else (None, 1)
        if index == "esp" and scale == 1 and base is not None:
            base, index = index, base
        if index == "esp":
            raise self.error("esp cannot be an index")
        if base is None and scale == 1:
            base, index = index, None
        if segment == ("ss" if base in ("esp", "ebp") else "ds"):
            segment = None
        return Mem(base, index, scale, (parts.disp & 0xFFFFFFFF ^ 1 << 31) - (1 << 31), size, segment)


class _Sum:
    """The terms of an address."""

    def __init__(self) -> None:
        self.plain: list[str] = []
        self.scaled: list[tuple[str, int]] = []
        self.disp = 0
