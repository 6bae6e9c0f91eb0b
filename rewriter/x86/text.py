"""Instructions as text, for people: Intel syntax, labels instead of fields, small numbers decimal, large ones hex."""

from __future__ import annotations

from collections.abc import Iterable

from rewriter.ir import Ref
from rewriter.x86.anatomy import OPERAND_16, STACK_WORDS, STRING_OPCODES
from rewriter.x86.operands import Decoded, Imm, Mem, Operand, Reg

SIZE_WORDS = {1: "byte", 2: "word", 4: "dword", 6: "fword", 8: "qword", 10: "tbyte", 16: "xmmword"}
# Their operand has one possible size, or none, so that naming it tells nothing.
SIZELESS = frozenset(
    [
        *("lea", "invlpg", "lgdt", "lidt", "sgdt", "sidt", "clflush"),
        *("fxsave", "fxrstor", "fldenv", "fnstenv", "frstor", "fnsave", "xsave", "xrstor"),
    ]
)
_IN_BITS = frozenset(["and", "or", "xor", "test"])  # their constants are patterns, not quantities
_IN_HEX = frozenset(["int", "in", "out"])
_DECIMAL_LIMIT = 256  # beyond it a number is an address, a mask or a magic word


def render(decoded: Decoded, refs: Iterable[Ref] = (), quote: bool = False) -> str:
    """The instruction in one line.  `quote` writes labels in braces, as `encode.assemble` takes them."""
    targets = {ref.offset: _label(ref, quote) for ref in refs}
    disp = targets.get(decoded.disp_offset) if decoded.disp_offset is not None else None
    imm = targets.get(decoded.imm_offset) if decoded.imm_offset is not None else None
    if decoded.opcode in STRING_OPCODES and all(_is_implied(o) for o in decoded.operands):
        operands: list[str] = []
    elif decoded.is_direct:
        operands = [imm or _distance(decoded)]
    else:
        operands = [spell(o, decoded.mnemonic, disp if isinstance(o, Mem) else imm) for o in decoded.operands]
    separator = ":" if decoded.opcode in (0x9A, 0xEA) else ", "
    halved = OPERAND_16 in decoded.raw[: decoded.prefix_size] and decoded.opcode in STACK_WORDS
    prefixes = [*(_prefix(p, decoded.mnemonic) for p in decoded.prefixes), *["data16"] * halved]
    words = [*prefixes, decoded.mnemonic]
    return " ".join([*words, separator.join(operands)] if operands else words)


def spell(operand: Operand, mnemonic: str = "", label: str | None = None) -> str:
    """One operand; `label` stands for its relocated field."""
    if isinstance(operand, Reg):
        return operand.name
    if isinstance(operand, Imm):
        return label or number(operand, mnemonic)
    size = SIZE_WORDS.get(operand.size)
    sized = f"{size} ptr " if size and mnemonic not in SIZELESS else ""
    segment = f"{operand.segment}:" if operand.segment else ""
    return f"{sized}{segment}[{_sum(operand, label)}]"


def number(imm: Imm, mnemonic: str = "") -> str:
    """A constant: `8`, `-14`, `0xc0000000`; `0x80` for `int` and where bits are meant."""
    if mnemonic not in _IN_HEX and imm.size > 1 and -_DECIMAL_LIMIT < imm.signed < 0:
        return str(imm.signed)
    small = 10 if mnemonic in _IN_BITS | _IN_HEX else _DECIMAL_LIMIT
    return str(imm.value) if imm.value < small else f"{imm.value:#x}"


def _is_implied(operand: Operand) -> bool:
    """Of an operand of a string instruction."""
    return isinstance(operand, Reg) or (
        isinstance(operand, Mem) and operand.base in ("esi", "edi") and operand.segment is None
    )


def _sum(mem: Mem, label: str | None) -> str:
    """What stands in the brackets."""
    terms = [mem.base] if mem.base else []
    if mem.index:
        terms.append(f"{mem.index}*{mem.scale}" if mem.scale > 1 or not mem.base else mem.index)
    if label:
        terms.append(label if label.startswith("{") else label.replace("+", " + ", 1).replace("-", " - ", 1))
        return " + ".join(terms)
    if not terms:
        return f"{mem.disp & 0xFFFFFFFF:#x}"
    if mem.disp == 0:
        return " + ".join(terms)
    return f"{' + '.join(terms)} {'-' if mem.disp < 0 else '+'} {_offset(abs(mem.disp))}"


def _offset(distance: int) -> str:
    return str(distance) if distance < _DECIMAL_LIMIT else f"{distance:#x}"


def _distance(decoded: Decoded) -> str:
    """A branch without a label: `$` is the address of the branch itself."""
    (target,) = decoded.operands
    assert isinstance(target, Imm)
    return f"${target.value + len(decoded.raw):+#x}"


def _label(ref: Ref, quote: bool) -> str:
    addend = "" if ref.addend == 0 else f"{ref.addend:+d}"
    return f"{{{ref.target}{addend}}}" if quote else ref.target + addend


def _prefix(word: str, mnemonic: str) -> str:
    """`rep` is called `repe` where it asks ZF."""
    return "repe" if word == "rep" and mnemonic.startswith(("cmps", "scas")) else word
