"""Direct jumps, branches and calls, and padding, by their bytes: no assembler knows our labels."""

from __future__ import annotations

from dataclasses import replace

from rewriter.ir import Insn, Ref, RefKind
from rewriter.x86.anatomy import anatomy
from rewriter.x86.flow import Flow, branch_field, flow
from rewriter.x86.syntax import CONDITION_NAMES, EncodeError

_CODES = {name: code for code, row in enumerate(CONDITION_NAMES) for name in row}
_BY_COUNT = {"loopne": 0xE0, "loope": 0xE1, "loop": 0xE2, "jecxz": 0xE3}
# The longest no-operations that the processors' manuals recommend, by length in bytes.
_NOPS = (
    *("90", "66 90", "0f 1f 00", "0f 1f 40 00", "0f 1f 44 00 00", "66 0f 1f 44 00 00", "0f 1f 80 00 00 00 00"),
    *("0f 1f 84 00 00 00 00 00", "66 0f 1f 84 00 00 00 00 00"),
)


def jump(label: str) -> Insn:
    """`jmp label` in its short form; placement widens it where it must."""
    return Insn(b"\xeb\x00", (Ref(1, RefKind.PC8, label),))


def branch(condition: str, label: str) -> Insn:
    """`jne label` for condition `ne`, short; also `loop`, `loope`, `loopne`, `jecxz`.  Raises EncodeError."""
    opcode = _BY_COUNT.get(condition, 0x70 + _CODES[condition] if condition in _CODES else None)
    if opcode is None:
        raise EncodeError(f"no condition {condition!r}")
    return Insn(bytes((opcode, 0)), (Ref(1, RefKind.PC8, label),))


def call(label: str) -> Insn:
    """`call label`."""
    return Insn(b"\xe8\x00\x00\x00\x00", (Ref(1, RefKind.PC32, label),))


def nop(n: int) -> Insn:
    """One instruction of `n` bytes, 1 to 9, which does nothing.  Raises EncodeError."""
    if not 1 <= n <= len(_NOPS):
        raise EncodeError(f"no nop of {n} bytes")
    return Insn(bytes.fromhex(_NOPS[n - 1]))


def condition(insn: Insn) -> str | None:
    """`ne` of a `jne`; `loop`, `jecxz` … of those; None of other instructions."""
    if flow(insn.raw) is not Flow.BRANCH:
        return None
    opcode = anatomy(insn.raw).opcode
    for name, code in _BY_COUNT.items():
        if code == opcode:
            return name
    return CONDITION_NAMES[opcode & 15][0] if opcode != 0xC7 else None  # C7 is xbegin


def invert(insn: Insn) -> Insn:
    """The same branch on the opposite condition.  Raises EncodeError where there is none: loop, jecxz."""
    if condition(insn) not in _CODES:
        raise EncodeError(f"no opposite of {insn.raw.hex(' ')}")
    parts = anatomy(insn.raw)
    at = parts.imm_offset - 1  # the opcode's last byte, which holds the condition
    return replace(insn, raw=insn.raw[:at] + bytes((insn.raw[at] ^ 1,)) + insn.raw[at + 1 :])


def widen(insn: Insn) -> list[Insn] | None:
    """The same jump or branch with a field of four bytes; as it is, if it has one already.

    None for what has no long form (loop, jecxz, and what is no direct branch): it needs a short branch around two
    jumps, hence a label of its own.
    """
    field = branch_field(insn.raw)
    if field is None:
        return None
    offset, kind = field
    if kind is RefKind.PC32:
        return [insn]
    opcode = insn.raw[offset - 1]
    if opcode == 0xEB:
        long = b"\xe9"
    elif 0x70 <= opcode < 0x80:
        long = bytes((0x0F, opcode + 0x10))
    else:
        return None
    head = insn.raw[: offset - 1] + long
    refs = tuple(replace(ref, offset=len(head), kind=RefKind.PC32) for ref in insn.refs if ref.offset == offset)
    return [replace(insn, raw=head + bytes(4), refs=refs)]
