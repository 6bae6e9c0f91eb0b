"""Where control goes, from opcode bytes; checked by hand-picked cases and against iced-x86 on random bytes."""

from __future__ import annotations

import random

import iced_x86 as iced
import pytest

from rewriter.ir import RefKind
from rewriter.x86.decode import Flow, branch_field, decode, flow, sweep


@pytest.mark.parametrize(
    ("code", "expected", "field"),
    [
        ("90", Flow.NEXT, None),
        ("f4", Flow.NEXT, None),  # hlt: an interrupt goes on behind it
        ("cd 80", Flow.NEXT, None),
        ("cc", Flow.NEXT, None),
        ("75 fe", Flow.BRANCH, (1, RefKind.PC8)),
        ("3e 75 fe", Flow.BRANCH, (2, RefKind.PC8)),  # with a branch hint
        ("0f 84 00 00 00 00", Flow.BRANCH, (2, RefKind.PC32)),
        ("e2 fe", Flow.BRANCH, (1, RefKind.PC8)),
        ("67 e3 fe", Flow.BRANCH, (2, RefKind.PC8)),  # jcxz
        ("66 0f 84 00 00", Flow.BRANCH, None),  # cuts eip to 16 bits
        ("66 e9 00 00", Flow.JUMP, None),
        ("eb fe", Flow.JUMP, (1, RefKind.PC8)),
        ("e9 00 00 00 00", Flow.JUMP, (1, RefKind.PC32)),
        ("e8 00 00 00 00", Flow.CALL, (1, RefKind.PC32)),
        ("ff 24 85 00 00 00 00", Flow.JUMP_INDIRECT, None),
        ("3e ff e0", Flow.JUMP_INDIRECT, None),
        ("ff 51 08", Flow.CALL_INDIRECT, None),
        ("9a 00 00 00 00 08 00", Flow.CALL_INDIRECT, None),
        ("ff 30", Flow.NEXT, None),  # push [eax]
        ("c3", Flow.RETURN, None),
        ("f3 c3", Flow.RETURN, None),
        ("c2 08 00", Flow.RETURN, None),
        ("cf", Flow.IRET, None),
        ("cb", Flow.IRET, None),
        ("ea 00 00 00 00 08 00", Flow.IRET, None),
        ("0f 35", Flow.IRET, None),
        ("0f 0b", Flow.STOP, None),
        ("0f b9 40 10", Flow.STOP, None),
        ("c7 f8 00 00 00 00", Flow.BRANCH, (2, RefKind.PC32)),  # xbegin
        ("c7 00 00 00 00 00", Flow.NEXT, None),
    ],
)
def test_flow_and_its_field(code: str, expected: Flow, field: tuple[int, RefKind] | None) -> None:
    raw = bytes.fromhex(code)
    assert flow(raw) == expected
    assert branch_field(raw) == field


def random_code(seed: int, count: int) -> list[bytes]:
    """Byte strings likely to begin with a valid instruction, prefixes and 0F opcodes included."""
    rng = random.Random(seed)
    heads = [b"", b"", b"", b"\x0f", b"\x66", b"\x67", b"\xf3", b"\x64", b"\x66\x0f", b"\xf0"]
    return [rng.choice(heads) + rng.randbytes(14) for _ in range(count)]


CONTROL = {
    iced.FlowControl.NEXT: {Flow.NEXT},
    iced.FlowControl.INTERRUPT: {Flow.NEXT},
    iced.FlowControl.XBEGIN_XABORT_XEND: {Flow.NEXT, Flow.BRANCH},
    iced.FlowControl.UNCONDITIONAL_BRANCH: {Flow.JUMP, Flow.IRET},
    iced.FlowControl.CONDITIONAL_BRANCH: {Flow.BRANCH},
    iced.FlowControl.INDIRECT_BRANCH: {Flow.JUMP_INDIRECT, Flow.IRET},
    iced.FlowControl.CALL: {Flow.CALL, Flow.CALL_INDIRECT, Flow.IRET},
    iced.FlowControl.INDIRECT_CALL: {Flow.CALL_INDIRECT},
    iced.FlowControl.RETURN: {Flow.RETURN, Flow.IRET},
    iced.FlowControl.EXCEPTION: {Flow.STOP},
}
VIRTUAL_MACHINES = ("vmcall", "vmmcall", "vmlaunch", "vmresume")  # iced: calls; here: unknown instructions that go on


def test_lengths_flow_and_fields_agree_with_iced() -> None:
    compared = 0
    for code in random_code(seed=1, count=20000):
        size = next(sweep(code, 0), (0, 0))[1]
        decoder = iced.Decoder(32, code)
        other = decoder.decode()
        if size == 0 or other.code == iced.Code.INVALID or 0x0F0F in (other.op_code().op_code,):
            continue
        assert size == other.len, (code.hex(), str(other))
        raw = code[:size]
        if other.op_code().encoding != iced.EncodingKind.LEGACY:
            continue
        compared += 1
        if not str(other).startswith(VIRTUAL_MACHINES):
            assert flow(raw) in CONTROL[other.flow_control], (raw.hex(), str(other))
        mine, theirs = decode(raw), decoder.get_constant_offsets(other)
        assert (mine.disp_size, mine.disp_offset or 0) == (theirs.displacement_size, theirs.displacement_offset), (
            raw.hex()
        )
        assert (mine.imm_offset or 0) == theirs.immediate_offset, raw.hex()
    assert compared > 10000


def test_the_sweep_stops_at_the_first_byte_that_is_no_instruction() -> None:
    assert list(sweep(bytes.fromhex("90 8b 44 24 04 ff ff"), 0x1000)) == [(0x1000, 1), (0x1001, 4)]
    assert list(sweep(b"", 0)) == []


def test_the_sweep_goes_on_over_its_window_as_if_it_had_none() -> None:
    lengths = [1, 4, 3, 7, 2, 5]
    unit = bytes.fromhex("90 8b442404 8d7600 8db42600000000 6690 b801000000")
    code = unit * 9000
    found = list(sweep(code, 0xC0100000))
    assert [size for _, size in found] == lengths * 9000
    assert found[-1] == (0xC0100000 + len(code) - 5, 5)


def test_the_sweep_gives_ud1_its_operands() -> None:
    code = bytes.fromhex("0f b9 40 10 c3")
    assert list(sweep(code, 0)) == [(0, 4), (4, 1)]
    assert list(sweep(code[:2], 0)) == [(0, 2)]
