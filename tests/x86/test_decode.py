"""Operands as values; each of these was a trap in capstone or in reading it."""

from __future__ import annotations

import pytest

from rewriter.x86.decode import DecodeError, Imm, Mem, Operand, Reg, decode

EAX, ECX = Reg("eax", 4), Reg("ecx", 4)


@pytest.mark.parametrize(
    ("code", "mnemonic", "operands"),
    [
        ("8b 44 24 04", "mov", (EAX, Mem("esp", disp=4))),
        ("8b 45 f8", "mov", (EAX, Mem("ebp", disp=-8))),
        ("a1 00 00 00 c0", "mov", (EAX, Mem(disp=-0x40000000))),  # displacements are signed, also in addresses
        ("8b 04 25 10 00 00 00", "mov", (EAX, Mem(disp=16))),  # a SIB byte with neither base nor index
        ("8b 04 8d 00 01 00 00", "mov", (EAX, Mem(None, "ecx", 4, 256))),
        ("8b 04 24", "mov", (EAX, Mem("esp"))),
        ("0f b6 04 08", "movzx", (EAX, Mem("eax", "ecx", size=1))),
        ("8d 44 24 04", "lea", (EAX, Mem("esp", disp=4, size=0))),  # an address, no access
        ("83 c0 ff", "add", (EAX, Imm(0xFFFFFFFF, 4))),  # constants as the operation sees them
        ("66 83 c0 ff", "add", (Reg("ax", 2), Imm(0xFFFF, 2))),
        ("6a ff", "push", (Imm(0xFFFFFFFF, 4),)),
        ("cd 80", "int", (Imm(0x80, 1),)),
        ("c2 08 00", "ret", (Imm(8, 4),)),
        ("d1 d1", "rcl", (ECX, Imm(1, 1))),  # capstone: a constant of no bytes
        ("c1 51 08 03", "rcl", (Mem("ecx", disp=8), Imm(3, 1))),
        ("d3 e0", "shl", (EAX, Reg("cl", 1))),
        ("75 fe", "jne", (Imm(-2, 1),)),  # the distance from its end
        ("e8 00 01 00 00", "call", (Imm(256, 4),)),
        ("64 8b 0d 14 00 00 00", "mov", (ECX, Mem(disp=20, segment="fs"))),
        ("36 8b 04 24", "mov", (EAX, Mem("esp"))),  # ss: is what esp implies
        ("3e 8b 04 24", "mov", (EAX, Mem("esp", segment="ds"))),
        ("a5", "movsd", (Mem("edi"), Mem("esi"))),
        ("64 a5", "movsd", (Mem("edi"), Mem("esi", segment="fs"))),
        ("26 a5", "movsd", (Mem("edi"), Mem("esi", segment="es"))),
        ("0f 20 c0", "mov", (EAX, Reg("cr0", 4))),
        ("0f 22 18", "mov", (Reg("cr3", 4), EAX)),  # `mod` means nothing here
        ("0f c7 0b", "cmpxchg8b", (Mem("ebx", size=8),)),
        ("90", "nop", ()),
        ("0f b9 40 10", "ud1", ()),
    ],
)
def test_operands(code: str, mnemonic: str, operands: tuple[Operand, ...]) -> None:
    found = decode(bytes.fromhex(code))
    assert (found.mnemonic, found.operands) == (mnemonic, operands)


@pytest.mark.parametrize(
    ("code", "prefixes"),
    [
        ("f3 a5", ("rep",)),
        ("f2 a5", ("repne",)),  # repeats as rep does; capstone does not tell
        ("f3 a6", ("rep",)),
        ("f2 ae", ("repne",)),
        ("f0 ff 00", ("lock",)),
        ("3e ff e0", ("notrack",)),
        ("f3 90", ()),  # pause
        ("f3 c3", ("rep",)),
        ("66 90", ()),
    ],
)
def test_prefixes_that_mean_something(code: str, prefixes: tuple[str, ...]) -> None:
    assert decode(bytes.fromhex(code)).prefixes == prefixes


@pytest.mark.parametrize(
    ("code", "disp", "imm"),
    [
        ("c7 05 00 00 00 00 01 00 00 00", (2, 4), (6, 4)),
        ("a1 00 00 00 00", (1, 4), (None, 0)),
        ("68 00 00 00 00", (None, 0), (1, 4)),
        ("83 7c 24 08 00", (3, 1), (4, 1)),
        ("e8 00 00 00 00", (None, 0), (1, 4)),
        ("c8 10 00 00", (None, 0), (1, 3)),
        ("2e ff 24 85 00 00 00 00", (4, 4), (None, 0)),
        ("66 c7 00 34 12", (None, 0), (3, 2)),
        ("f6 00 01", (None, 0), (2, 1)),
        ("f6 10", (None, 0), (None, 0)),
    ],
)
def test_fields(code: str, disp: tuple[int | None, int], imm: tuple[int | None, int]) -> None:
    found = decode(bytes.fromhex(code))
    assert (found.disp_offset, found.disp_size) == disp
    assert (found.imm_offset, found.imm_size) == imm


@pytest.mark.parametrize("code", ["", "ff ff", "0f", "90 90", "8b 44 24", "c5 f8 77", "62 f1 7c 48 58 c0"])
def test_what_is_not_one_instruction_is_refused(code: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(code))


def test_constants_have_a_sign_where_it_is_asked_for() -> None:
    assert Imm(0xFFFFFFFF, 4).signed == -1
    assert Imm(0x80, 1).signed == -128
    assert Imm(0x7FFF, 2).signed == 0x7FFF
    assert Imm(-5, 1).signed == -5
