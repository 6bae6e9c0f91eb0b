"""Effects beside those of iced-x86 (InstructionInfoFactory): we claim no less.

Differences that remain are listed with their reasons; each entry must be needed, so that the list only shrinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import iced_x86 as iced
import pytest

from rewriter.ir import Insn
from rewriter.x86.decode import decode, text
from rewriter.x86.effects import UNKNOWN, Effects, effects, names, register_mask
from rewriter.x86.state import AF, ALL_REGISTERS, CF, DF, IF, OF, PF, SF, ZF
from tests.x86.forms import generated, in_images
from tests.x86.test_effects import shapes

READS = {
    iced.OpAccess.READ,
    iced.OpAccess.COND_READ,
    iced.OpAccess.READ_WRITE,
    iced.OpAccess.READ_COND_WRITE,
}
WRITES = {
    iced.OpAccess.WRITE,
    iced.OpAccess.COND_WRITE,
    iced.OpAccess.READ_WRITE,
    iced.OpAccess.READ_COND_WRITE,
}
CERTAIN = {iced.OpAccess.WRITE, iced.OpAccess.READ_WRITE}
FLAG_BITS = {
    iced.RflagsBits.CF: CF,
    iced.RflagsBits.PF: PF,
    iced.RflagsBits.AF: AF,
    iced.RflagsBits.ZF: ZF,
    iced.RflagsBits.SF: SF,
    iced.RflagsBits.OF: OF,
    iced.RflagsBits.DF: DF,
    iced.RflagsBits.IF: IF,
}
REGISTER_NAMES = {
    getattr(iced.Register, name.upper()): name
    for name in (
        *("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "ax", "cx", "dx", "bx", "sp", "bp", "si", "di"),
        *("al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"),
    )
}
# What iced claims and we do not: (kind, mnemonic): why we are right, or at least not wrong.
SAME = "with twice the same register (or `and r, 0`) result and flags are the same whatever it holds"
HINT = "a hint: the address influences nothing that can be seen"
JUSTIFIED = {
    ("reads", "and"): SAME,
    ("reads", "cmp"): SAME,
    ("reads", "sbb"): SAME,
    **dict.fromkeys((("reads", f"prefetch{kind}") for kind in ("", "w", "nta", "t0", "t1", "t2")), HINT),
    ("reads", "nop"): HINT,
    ("loads", "popal"): "one access of 32 bytes: the slot of esp is read as well, and ignored",
    ("stores", "pushal"): "one access of 32 bytes for eight of four",
    ("loads", "xlatb"): "the index is a byte register: any of 256 bytes",
}


def flags(bits: int) -> int:
    return sum(ours for theirs, ours in FLAG_BITS.items() if bits & theirs)


def differences(raw: bytes, mine: Effects) -> Iterator[tuple[str, str]]:
    """(kind of claim, what is missing in ours)."""
    insn = iced.Decoder(32, raw).decode()
    info = iced.InstructionInfoFactory().info(insn)
    reads = writes = certain = 0
    for used in info.used_registers():
        mask = register_mask(REGISTER_NAMES[used.register]) if used.register in REGISTER_NAMES else 0
        reads |= mask if used.access in READS else 0
        writes |= mask if used.access in WRITES else 0
        certain |= mask if used.access in CERTAIN else 0
    changed = insn.rflags_written | insn.rflags_cleared | insn.rflags_set
    reads |= flags(insn.rflags_read)
    writes |= flags(changed | insn.rflags_undefined)
    certain |= flags(changed & ~insn.rflags_undefined)
    known = ALL_REGISTERS | sum(FLAG_BITS.values())
    yield from (("reads", name) for name in names(reads & ~mine.reads))
    yield from (("may write", name) for name in names(writes & ~mine.may_write))
    yield from (("does not always write", name) for name in names(mine.writes & known & ~certain))
    yield from memory_differences(insn, info, mine)


def memory_differences(insn: iced.Instruction, info: iced.InstructionInfo, mine: Effects) -> Iterator[tuple[str, str]]:
    for kind, wanted, accesses in (("loads", READS, mine.loads), ("stores", WRITES, mine.stores)):
        theirs = [used for used in info.used_memory() if used.access in wanted]
        if theirs and not accesses:
            yield kind, "nothing"
        if any(size is None for _, size in accesses):
            continue
        sizes = sorted(iced_size(used) for used in theirs)
        ours = sorted(size or 0 for _, size in accesses)
        if theirs and all(sizes) and ours != sizes:
            yield kind, f"{ours} bytes, not {sizes}"


def iced_size(used: iced.UsedMemory) -> int:
    return iced.MemorySizeExt.size(used.memory_size)


def found() -> dict[tuple[str, str], str]:
    """All differences by (kind, mnemonic), with one example each."""
    result = {}
    for raw in sorted({*shapes(generated()), *shapes(in_images())}):
        mine = effects(Insn(raw))
        if mine == UNKNOWN or iced.Decoder(32, raw).decode().len != len(raw):
            continue
        for kind, what in differences(raw, mine):
            result.setdefault((kind, decode(raw).mnemonic), f"{raw.hex()} {text(raw)}: {what}")
    return result


def test_we_claim_no_less_than_iced_but_for_what_is_justified() -> None:
    differing = found()
    assert {key: example for key, example in differing.items() if key not in JUSTIFIED} == {}
    assert set(JUSTIFIED) - set(differing) == set()


@pytest.mark.parametrize("code", ["f7 e1", "0f b1 0b", "c1 e0 04", "60", "a5"])
def test_the_comparison_sees_what_is_left_out(code: str) -> None:
    raw = bytes.fromhex(code)
    mine = effects(Insn(raw))
    assert [key for key in differences(raw, mine) if (key[0], decode(raw).mnemonic) not in JUSTIFIED] == []
    lies = [replace(mine, reads=0), replace(mine, may_write=0), replace(mine, writes=ALL_REGISTERS)]
    assert all(list(differences(raw, lie)) for lie in lies)
