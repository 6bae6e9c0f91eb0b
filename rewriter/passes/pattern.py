"""Short sequences of instructions with variables, as text: what the peephole rules are written in.

    a b c d        a register but esp, its four bytes; `a8` its lowest byte
    k l            a number or an address; in what is made anew also sums: `k + l`, `0 - k`
    [m] [n]        any dword of memory; `byte [m]`, `word [m]`; of `lea` the address.  `[m a=b]`: with b for a in it
    [a + k]        memory at just this place
    L              the label that a branch leads to

Equal letters mean the same; different ones may mean the same, too, unless a rule keeps them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from rewriter.analysis.graph import branch_target
from rewriter.analysis.memory import ref_at
from rewriter.ir import Insn, Ref
from rewriter.passes.rewrite import assembled, memory_text, named
from rewriter.x86.branches import branch, condition
from rewriter.x86.decode import Decoded, Imm, Mem, Reg, decode
from rewriter.x86.effects import effects
from rewriter.x86.flow import Flow, flow
from rewriter.x86.operands import Operand
from rewriter.x86.state import REGISTERS

WORD = 4
_SIZES = {"byte": 1, "word": 2, "": WORD}
_LOW = {"eax": "al", "ecx": "cl", "edx": "dl", "ebx": "bl"}
_WHOLE = {low: whole for whole, low in _LOW.items()}
_MEMORY = re.compile(r"(?:(byte|word) )?\[([^]]*)\]")
_TERM = re.compile(r"([-+]?)\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Register:
    letter: str  # or esp
    size: int


@dataclass(frozen=True, slots=True)
class Number:
    """A sum of letters and numbers, each with its sign."""

    terms: tuple[tuple[int, str | int], ...]

    @property
    def letter(self) -> str | None:
        """The letter where it is nothing else."""
        (sign, term), *rest = self.terms
        return term if isinstance(term, str) and sign == 1 and not rest else None

    def value(self, numbers: Mapping[str, Any]) -> Any:
        """The sum; of numbers, or of whatever can be added."""
        found: Any = 0
        for sign, term in self.terms:
            word = numbers[term] if isinstance(term, str) else term
            found = found + word if sign > 0 else found - word
        return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Any memory; `swap`: with the second register in the place of the first."""

    letter: str
    size: int
    swap: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The memory at the sum of these."""

    registers: tuple[str, ...]
    distance: Number
    size: int


@dataclass(frozen=True, slots=True)
class Target:
    letter: str


Part = Register | Number | Memory | Place | Target


@dataclass(frozen=True, slots=True)
class Template:
    """One instruction of a pattern."""

    mnemonic: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the letters mean."""

    registers: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int | Ref] = field(default_factory=dict)
    memory: dict[str, tuple[Mem, Ref | None]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Found:
        return Found(dict(self.registers), dict(self.numbers), dict(self.memory), dict(self.labels))


# Reading


@lru_cache(maxsize=4096)
def templates(text: str) -> tuple[Template, ...]:
    """Instructions, with semicolons between them."""
    return tuple(_template(line.strip()) for line in text.split(";") if line.strip())


def _template(line: str) -> Template:
    mnemonic, _, rest = line.partition(" ")
    return Template(mnemonic, tuple(_part(part.strip(), mnemonic) for part in rest.split(",") if part))


def _part(text: str, mnemonic: str) -> Part:
    if (found := _MEMORY.fullmatch(text)) is not None:
        return _memory(found[2], 0 if mnemonic == "lea" else _SIZES[found[1] or ""])
    if re.fullmatch(r"[a-d]8?|esp", text):
        return Register(text.removesuffix("8"), 1 if text.endswith("8") else WORD)
    return Target(text) if text == "L" else _number(text)


def _memory(inside: str, size: int) -> Memory | Place:
    if (found := re.fullmatch(r"([mn])(?: ([a-d])=([a-d]))?", inside)) is not None:
        return Memory(found[1], size, (found[2], found[3]) if found[2] else None)
    terms = _terms(inside)
    registers = tuple(term for _, term in terms if term in ("a", "b", "c", "d", "esp"))
    return Place(tuple(str(r) for r in registers), Number(tuple(t for t in terms if t[1] not in registers)), size)


def _number(text: str) -> Number:
    return Number(_terms(text))


def _terms(text: str) -> tuple[tuple[int, str | int], ...]:
    found = ((sign, int(word, 0) if word[0].isdigit() else word) for sign, word in _TERM.findall(text))
    return tuple((-1 if sign == "-" else 1, word) for sign, word in found)


# Finding


def matched(template: Template, insn: Insn, found: Found) -> Found | None:
    """What the letters mean if the instruction is one of these; None if it is not."""
    decoded = decode(insn.raw)
    if template.parts and isinstance(template.parts[-1], Target):
        return _branch(template, insn, found)
    if decoded.mnemonic != template.mnemonic or len(decoded.operands) != len(template.parts):
        return None
    if decoded.prefixes or insn.faults_to is not None or effects(insn).fixed or flow(insn.raw) is not Flow.NEXT:
        return None
    found = found.copy()
    for part, operand in zip(template.parts, decoded.operands, strict=True):
        if not _matches(part, insn, decoded, operand, found):
            return None
    return found


def _free(ref: Ref | None) -> Ref | None:
    """The same wherever it stands in an instruction."""
    return ref and replace(ref, offset=0)


def _branch(template: Template, insn: Insn, found: Found) -> Found | None:
    code, label = condition(insn), branch_target(insn)
    if code is None or f"j{code}" != template.mnemonic or label is None or insn.faults_to is not None:
        return None
    found = found.copy()
    found.labels["L"] = label
    return found


def _matches(part: Part, insn: Insn, decoded: Decoded, operand: Operand, found: Found) -> bool:
    if isinstance(part, Register) and isinstance(operand, Reg):
        return _names(part, operand, found)
    if isinstance(part, Number) and isinstance(operand, Imm):
        return _counts(part, _free(ref_at(insn, decoded.imm_offset)) or operand.value, found)
    if isinstance(part, Memory) and isinstance(operand, Mem):
        here = operand, _free(ref_at(insn, decoded.disp_offset))
        return operand.size == part.size and found.memory.setdefault(part.letter, here) == here
    if isinstance(part, Place) and isinstance(operand, Mem):
        return _lies(part, operand, ref_at(insn, decoded.disp_offset), found)
    return False


def _names(part: Register, operand: Reg, found: Found) -> bool:
    name = _WHOLE.get(operand.name, "") if part.size == 1 else operand.name
    if operand.size != part.size or name not in REGISTERS or (name == "esp") != (part.letter == "esp"):
        return False
    return part.letter == "esp" or found.registers.setdefault(part.letter, name) == name


def _counts(part: Number, number: int | Ref, found: Found) -> bool:
    if part.letter is None:
        return number == int(part.value({}))
    return found.numbers.setdefault(part.letter, number) == number


def _lies(part: Place, operand: Mem, ref: Ref | None, found: Found) -> bool:
    """Only places with one register can be found."""
    if ref is not None or operand.index is not None or operand.base is None or operand.size != part.size:
        return False
    if operand.segment is not None:
        return False
    (letter,) = part.registers
    if not _names(Register(letter, WORD), Reg(operand.base, WORD), found):
        return False
    return _counts(part.distance, operand.disp, found) if part.distance.terms else operand.disp == 0


# Making


def made(pattern: Sequence[Template], found: Found, like: Sequence[Insn]) -> list[Insn] | None:
    """The instructions with these meanings; None where one of them does not exist.  They stand for the last of `like`,
    each for one."""
    result: list[Insn] = []
    for template, old in zip(pattern, like[len(like) - len(pattern) :], strict=True):
        insn = _made(template, found, old)
        if insn is None:
            return None
        result.append(insn)
    return result


def _made(template: Template, found: Found, like: Insn) -> Insn | None:
    if template.parts and isinstance(template.parts[-1], Target):
        return replace(branch(template.mnemonic[1:], found.labels["L"]), origin=like.origin)
    operands = [_text(part, found) for part in template.parts]
    line = f"{template.mnemonic} {', '.join(text for text in operands if text)}"
    return assembled(line, like) if None not in operands else None


def _text(part: Part, found: Found) -> str | None:
    """An operand for the assembler; None where there is none."""
    if isinstance(part, Register):
        name = found.registers.get(part.letter, part.letter)
        return _LOW.get(name) if part.size == 1 else name
    if isinstance(part, Memory):
        mem, ref = found.memory[part.letter]
        return memory_text(_swapped(mem, part.swap, found) if part.swap else mem, ref)
    if isinstance(part, Place):
        names = [found.registers.get(letter, letter) for letter in part.registers]
        distance = _sum(part.distance, found) if part.distance.terms else ""
        terms = [*names, *([distance] if distance else [])]
        return None if distance is None else f"{_WORDS[part.size]}[{' + '.join(terms)}]"
    return _sum(part, found) if isinstance(part, Number) else None


_WORDS = {0: "", 1: "byte ptr ", 2: "word ptr ", WORD: "dword ptr "}


def _swapped(mem: Mem, swap: tuple[str, str], found: Found) -> Mem:
    old, new = (found.registers[letter] for letter in swap)
    base, index = (new if register == old else register for register in (mem.base, mem.index))
    segment = "ss" if mem.base == "ebp" != base and mem.segment is None else mem.segment  # as ebp implies
    return replace(mem, base=base, index=index, segment=segment)


def _sum(number: Number, found: Found) -> str | None:
    """Addresses cannot be computed with."""
    if number.letter is not None and isinstance(known := found.numbers[number.letter], Ref):
        return named(known)
    if any(isinstance(found.numbers.get(term), Ref) for _, term in number.terms if isinstance(term, str)):
        return None
    return hex(number.value(found.numbers) & 0xFFFFFFFF)
