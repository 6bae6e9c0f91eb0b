"""New instructions from text.  Keystone writes them, in batches; nothing is believed that does not decode to what the
line says.

Keystone's own readings are kept away from: lines are parsed here first and handed on in one spelling, labels travel
as placeholder numbers, and forms that Keystone gets wrong or refuses have their bytes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rewriter.ir import Insn, Ref
from rewriter.x86.anatomy import OPERAND_16, is_sse
from rewriter.x86.branches import branch, call, condition, invert, jump, nop, widen
from rewriter.x86.decode import Decoded, DecodeError, Imm, Mem, Operand, Reg, decode, sweep
from rewriter.x86.displacement import with_displacement
from rewriter.x86.syntax import EncodeError, Label, Line, parse
from rewriter.x86.text import SIZELESS, spell

__all__ = [
    "EncodeError",
    "assemble",
    "branch",
    "call",
    "condition",
    "invert",
    "jump",
    "nop",
    "widen",
    "with_displacement",
]

_CACHE_LIMIT = 65536
_made: dict[str, Insn] = {}  # by line; lru_cache cannot be filled in batches


def assemble(lines: Iterable[str], origin: int | None = None) -> list[Insn]:
    """One instruction a line, Intel syntax; `{label}` and `{label+8}` become references,
    `{gotoff label}` one that counts from the global offset table.

    Jumps, branches and calls take a label only, and get the short form where there is one.  Raises EncodeError.
    """
    wanted = [lines] if isinstance(lines, str) else list(lines)
    missing = [line for line in dict.fromkeys(wanted) if line not in _made]
    if missing:
        if len(_made) > _CACHE_LIMIT:
            _made.clear()
            missing = list(dict.fromkeys(wanted))
        _made.update(zip(missing, _assemble(missing), strict=True))
    return [replace(_made[line], origin=origin) if origin is not None else _made[line] for line in wanted]


def _assemble(texts: Sequence[str]) -> Iterator[Insn]:
    lines = [parse(text) for text in texts]
    known = [_own(line) for line in lines]
    spelled = [_spelled(line) for line, insn in zip(lines, known, strict=True) if insn is None]
    encoded = iter(_encode(spelled))
    for text, line, insn in zip(texts, lines, known, strict=True):
        yield insn if insn is not None else _accepted(text, line, next(encoded))


def _accepted(text: str, line: Line, raw: bytes) -> Insn:
    """Make an instruction of the bytes if they say what the line says."""
    if line.mnemonic in _DESCRIPTOR_TABLES:
        at = raw.index(b"\x0f\x01") + 2
        raw = raw[:at] + bytes((raw[at] & 0xC7 | _DESCRIPTOR_TABLES[line.mnemonic] << 3,)) + raw[at + 1 :]
    try:
        decoded = decode(raw)
    except DecodeError as error:
        raise EncodeError(f"{text.strip()!r}: {error}") from None
    if (why := _difference(line, decoded)) is not None:
        raise EncodeError(f"{text.strip()!r} became {raw.hex(' ')}: {why}")
    return _with_labels(text, line.labels, decoded)


def _with_labels(text: str, labels: Sequence[Label], decoded: Decoded) -> Insn:
    """Put references where the placeholders are, and zeros in their fields."""
    raw, refs = bytearray(decoded.raw), []
    fields = {decoded.disp_offset: decoded.disp_size, decoded.imm_offset: decoded.imm_size}
    for label in labels:
        found = [
            offset
            for offset, size in fields.items()
            if offset is not None and size == 4 and raw[offset : offset + 4] == label.placeholder.to_bytes(4, "little")
        ]
        if len(found) != 1:
            raise EncodeError(f"{text.strip()!r}: no field of four bytes for {label.target}")
        raw[found[0] : found[0] + 4] = bytes(4)
        refs.append(Ref(found[0], label.kind, label.target, label.addend))
    return Insn(bytes(raw), tuple(sorted(refs, key=lambda ref: ref.offset)))


# Decoding back


def _difference(line: Line, decoded: Decoded) -> str | None:
    """What the bytes do not have from the line."""
    if (line.mnemonic, line.prefixes) != (decoded.mnemonic, decoded.prefixes):
        return f"another instruction, {' '.join((*decoded.prefixes, decoded.mnemonic))}"
    halved = OPERAND_16 in decoded.raw[: decoded.prefix_size] and not is_sse(decoded.opcode)
    if halved and line.mnemonic not in ("cbw", "cwd") and not any(o.size == 2 for o in decoded.operands):
        return "operands of 16 bits"
    operands = decoded.operands
    if line.mnemonic in ("test", "xchg") and not _same_operands(line, operands):
        operands = operands[::-1]
    if not _same_operands(line, operands):
        return "other operands"
    unsized = any(isinstance(o, Mem) and o.size == 0 for o in line.operands) and line.mnemonic not in SIZELESS
    if unsized and not _size_is_clear(line, decoded):
        return "the size of the memory operand is not said"
    return None


def _same_operands(line: Line, operands: Sequence[Operand]) -> bool:
    return len(line.operands) == len(operands) and all(map(_same, line.operands, operands))


def _same(meant: Operand, made: Operand) -> bool:
    if isinstance(meant, Imm) and isinstance(made, Imm):
        bits = 8 * made.size
        fits = -(1 << bits - 1) <= meant.value < 1 << bits
        return fits and meant.value & (1 << bits) - 1 == made.value
    if isinstance(meant, Mem) and isinstance(made, Mem):
        return meant == (replace(made, size=0) if meant.size == 0 else made)
    return meant == made


def _size_is_clear(line: Line, decoded: Decoded) -> bool:
    """Whether a memory operand without a size can have one only: that of the register beside it, or a stack word."""
    if line.mnemonic in ("push", "pop", "call", "jmp"):
        return all(o.size == 4 for o in decoded.operands)
    if line.mnemonic in ("movzx", "movsx", "shl", "shr", "sar", "rol", "ror", "rcl", "rcr", "in", "out"):
        return False
    registers = {o.size for o in decoded.operands if isinstance(o, Reg)}
    return registers == {o.size for o in decoded.operands if isinstance(o, Mem)}


# Bytes of our own


_DESCRIPTOR_TABLES = {"sgdt": 0, "sidt": 1, "lgdt": 2, "lidt": 3}  # Keystone's have 16-bit operands: /digit of 0F 01
_STRING_CODES = {"ins": 0x6C, "outs": 0x6E, "movs": 0xA4, "cmps": 0xA6, "stos": 0xAA, "lods": 0xAC, "scas": 0xAE}
_BYTES = {
    **{"pushfd": "9c", "popfd": "9d", "pushal": "60", "popal": "61", "iretd": "cf", "retf": "cb", "xlatb": "d7"},
    "endbr32": "f30f1efb",
    **{"push es": "06", "push cs": "0e", "push ss": "16", "push ds": "1e", "push fs": "0fa0", "push gs": "0fa8"},
    **{"pop es": "07", "pop ss": "17", "pop ds": "1f", "pop fs": "0fa1", "pop gs": "0fa9"},
}


@lru_cache(maxsize=1)
def _own_bytes() -> dict[str, bytes]:
    table = {words: bytes.fromhex(code) for words, code in _BYTES.items()}
    for family, code in _STRING_CODES.items():
        for prefix, byte in (("", b""), ("rep ", b"\xf3"), ("repne ", b"\xf2")):
            table[f"{prefix}{family}b"] = byte + bytes((code,))
            table[f"{prefix}{family}w"] = b"\x66" + byte + bytes((code + 1,))
            table[f"{prefix}{family}d"] = byte + bytes((code + 1,))
    return table


def _own(line: Line) -> Insn | None:
    """The instruction if its bytes are known here: branches to labels, and what Keystone cannot."""
    if line.operands == tuple(Imm(label.placeholder, 0) for label in line.labels if label.addend == 0):
        made = _to_label(line.mnemonic, line.labels[0].target) if line.labels else None
        if made is not None:
            return made
    if not line.labels and line.mnemonic == "push" and len(line.operands) == 1 and isinstance(line.operands[0], Imm):
        return _push(line.operands[0])
    words = [*line.prefixes, line.mnemonic, *(o.name for o in line.operands if isinstance(o, Reg))]
    if len(words) != len(line.prefixes) + 1 + len(line.operands):
        return None
    raw = _own_bytes().get(" ".join(words))
    return None if raw is None else Insn(raw)


def _push(imm: Imm) -> Insn | None:
    """Keystone takes a number that fits into a word for one of 16 bits, extended by its sign."""
    if imm.size == 2:
        return None
    value = imm.value & 0xFFFFFFFF
    short = value < 0x80 or value >= 0xFFFFFF80
    return Insn(bytes((0x6A, value & 0xFF)) if short else b"\x68" + value.to_bytes(4, "little"))


def _to_label(mnemonic: str, label: str) -> Insn | None:
    if mnemonic == "jmp":
        return jump(label)
    if mnemonic == "call":
        return call(label)
    if mnemonic.startswith(("j", "loop")):
        return branch(mnemonic if mnemonic.startswith("loop") or mnemonic == "jecxz" else mnemonic[1:], label)
    return None


# Keystone


def _spelled(line: Line) -> str:
    """The line as Keystone shall see it."""
    mnemonic = "invlpg" if line.mnemonic in _DESCRIPTOR_TABLES else line.mnemonic
    if line.mnemonic.startswith(("j", "loop", "call")) and any(isinstance(o, Imm) for o in line.operands):
        raise EncodeError(f"{line.mnemonic} needs a label, without addend")
    words = [*line.prefixes, mnemonic]
    operands = ", ".join(_number(o) if isinstance(o, Imm) else spell(o, mnemonic) for o in line.operands)
    return " ".join([*words, operands] if operands else words)


def _number(imm: Imm) -> str:
    return f"-{-imm.value:#x}" if imm.value < 0 else f"{imm.value:#x}"


@lru_cache(maxsize=1)
def _engine() -> Any:
    import keystone

    return keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_32)


def _encode(lines: Sequence[str]) -> list[bytes]:
    """The bytes of every line, by one call where all goes well."""
    if not lines:
        return []
    from keystone import KsError

    try:
        encoded, _ = _engine().asm("\n".join(lines))
    except KsError as error:
        if len(lines) == 1:
            raise EncodeError(f"{lines[0]!r}: {error}") from None
        return [raw for line in lines for raw in _encode([line])]  # to tell which one it was
    code = bytes(encoded or ())
    pieces = [code[at : at + size] for at, size in sweep(code, 0)]
    if len(lines) == len(pieces) and sum(map(len, pieces)) == len(code):
        return pieces
    if len(lines) == 1:
        raise EncodeError(f"{lines[0]!r} is not one instruction: {code.hex(' ') or 'nothing'}")
    return [raw for line in lines for raw in _encode([line])]
