"""Where code goes, and that every branch and every address still means what it meant, for any program."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rewriter.elf import ElfError, emit, load
from rewriter.elf.units import extent
from rewriter.ir import Block, Data, Function, Insn, Program, Ref, RefKind
from tests.elf.placed import (
    CALL,
    DATA,
    JECXZ,
    JMP,
    JNE,
    LOOP,
    NOP,
    RET,
    SHORT,
    TEXT,
    ending,
    filler,
    leads,
    program,
    programs,
    word,
    written,
)

LONGEST = {JMP: 5, JNE: 6, LOOP: 9, JECXZ: 9}


@given(made=programs(), move=st.booleans())
@settings(max_examples=150)
def test_every_branch_leads_to_its_label(made: Program, move: bool) -> None:
    layout, memory = written(made, move)
    blocks = {block.label: block for function in made.functions for block in function.blocks}
    for unit in layout.units:
        for placed in unit.blocks:
            block = blocks[placed.block.label]
            at = layout.addresses[block.label]
            body, last = block.insns[0], block.insns[-1]
            assert bytes(memory[at + i] for i in range(len(body.raw))) == body.raw
            at += len(body.raw)
            if last.refs:
                reached, size = leads(memory, at, last.raw[: last.refs[0].offset])
                assert reached == layout.addresses[last.refs[0].target]
                at += size
            else:
                assert memory[at] == RET[0]
                at += 1
            if block.falls_to is not None:
                assert _runs_into(memory, at, layout.addresses[block.falls_to])


def _runs_into(memory: dict[int, int], at: int, target: int) -> bool:
    """Whether control that comes to `at` reaches `target` over nothing but padding, or by one jump."""
    while at != target and memory[at] == NOP[0]:
        at += 1
    return at == target or leads(memory, at, JMP)[0] == target


@given(made=programs(), move=st.booleans())
@settings(max_examples=150)
def test_nothing_overlaps_and_what_is_pinned_stays(made: Program, move: bool) -> None:
    layout, _ = written(made, move)
    taken = sorted((p.address, p.address + p.size) for unit in layout.units for p in unit.blocks)
    assert all(before[1] <= after[0] for before, after in pairwise(taken))
    text = layout.sections[0]
    assert all(text.address <= start and end <= text.address + text.size for start, end in taken)
    for function in made.functions:
        address = layout.addresses[function.name]
        if function.pins:
            assert address == function.blocks[0].insns[0].origin
        elif move:
            assert address >= TEXT + 0x10000


@given(made=programs())
@settings(max_examples=50)
def test_the_same_program_gives_the_same_image(made: Program) -> None:
    assert emit(made) == emit(made)


@pytest.mark.parametrize("opcode", SHORT)
@pytest.mark.parametrize("distance", [*range(120, 136), *range(-136, -120)])
def test_a_branch_is_short_exactly_where_it_reaches(opcode: bytes, distance: int) -> None:
    """From the end of its short form: −128 to 127 bytes."""
    if distance > 0:
        blocks = [
            Block("f", [filler(1, TEXT), ending(opcode, "f.2")], "f.1"),
            Block("f.1", [filler(distance - 1), Insn(RET)]),
            Block("f.2", [Insn(RET)]),
        ]
    else:
        blocks = [
            Block("f", [filler(-distance - 2, TEXT), ending(opcode, "f")], "f.1"),
            Block("f.1", [Insn(RET)]),
        ]
    if opcode == JMP:
        blocks[0].falls_to = None
    layout, memory = written(program([Function("f", blocks)]))
    at = TEXT + len(blocks[0].insns[0].raw)
    reached, size = leads(memory, at, opcode)
    assert reached == layout.addresses["f.2" if distance > 0 else "f"]
    reaches = -128 <= distance <= 127
    assert (size == 2) is (reaches or (-distance - 2 + 2 <= 128 and distance < 0))
    assert size == (2 if reaches else LONGEST[opcode])


@pytest.mark.parametrize(("size", "wide"), [(123, 0), (124, 0), (125, 2), (126, 2), (129, 2)])
def test_one_wide_branch_may_push_another_out_of_reach(size: int, wide: int) -> None:
    """Two that reach over each other: widening goes on until nothing changes."""
    blocks = [
        Block("f", [filler(1, TEXT), ending(JNE, "f.2")], "f.1"),
        Block("f.1", [filler(size - 1), ending(JNE, "f")], "f.2"),
        Block("f.2", [Insn(RET)]),
    ]
    function = Function("f", blocks)
    _, memory = written(program([function]))
    first = leads(memory, TEXT + 1, JNE)[1]
    second = leads(memory, TEXT + 1 + first + size - 1, JNE)[1]
    forward, backward = size - 1 + second, -(1 + first + size - 1 + second)
    assert (first == 2) is (forward <= 127)
    assert second == 6 or backward >= -128
    assert (first == 6) + (second == 6) == wide
    assert extent(function) == 1 + first + size - 1 + second + 1


@pytest.mark.parametrize("distance", [-129, -128, 127, 128])
def test_a_pinned_short_branch_that_does_not_reach_is_refused(distance: int) -> None:
    function = Function("f", [Block("f", [Insn(b"\xeb\x00", (Ref(1, RefKind.PC8, "g", distance),), TEXT)])], ("stays",))
    other = Function("g", [Block("g", [Insn(RET, origin=TEXT + 2)])], ("stays",))
    made = program([function, other])
    if -128 <= distance <= 127:
        assert word(written(made)[1], TEXT + 1, 1) == distance
    else:
        with pytest.raises(ElfError, match="a pinned short branch does not reach g"):
            emit(made)


ADDENDS = st.one_of(st.integers(-16, 16), st.integers(-(1 << 31), (1 << 32) - 1))


@given(size=st.integers(1, 300), absolute=ADDENDS, relative=ADDENDS, code=ADDENDS, near=st.integers(-60, 60))
@settings(max_examples=100)
def test_fields_hold_target_and_addend(size: int, absolute: int, relative: int, code: int, near: int) -> None:
    """ABS32: S + A.  PC32: S + A − P, behind the field.  PC8: the same in a byte.  All modulo 2³²."""
    move = Insn(b"\xa1" + bytes(4), (Ref(1, RefKind.ABS32, ".data", code),))
    short = Insn(b"\xeb\x00", (Ref(1, RefKind.PC8, "g.1", near),))
    call = Insn(CALL + bytes(4), (Ref(1, RefKind.PC32, "g", relative),))
    functions = [
        Function("f", [Block("f", [filler(size, TEXT), move, call], "f.1"), Block("f.1", [Insn(RET)])]),
        Function("g", [Block("g", [filler(70), short]), Block("g.1", [filler(70), Insn(RET)])]),
    ]
    refs = {4: Ref(4, RefKind.ABS32, "g", absolute), 8: Ref(8, RefKind.PC32, "f.1", relative)}
    made = program(functions, [Data(".data", DATA, bytes(64), refs)])
    layout, memory = written(made, move=size % 2 == 0)
    at, data = layout.addresses["f"] + size, layout.addresses[".data"]

    def same(found: int, expected: int) -> bool:
        return (found - expected) % (1 << 32) == 0

    assert same(word(memory, at + 1), data + code)
    assert same(word(memory, at + 6), layout.addresses["g"] + relative - (at + 10))
    assert same(word(memory, data + 4), layout.addresses["g"] + absolute)
    assert same(word(memory, data + 8), layout.addresses["f.1"] + relative - (data + 12))
    branch = layout.addresses["g"] + 70
    assert leads(memory, branch, JMP)[0] == layout.addresses["g.1"] + near


@given(made=programs())
@settings(max_examples=60)
def test_what_is_written_is_read_again(made: Program) -> None:
    """As many bytes of filler lie under each label that has a symbol."""
    assume(not any(f.pins for f in made.functions))
    again = load(emit(made, move=True))
    assert {f.name for f in again.functions if not f.verbatim} >= {f.name for f in made.functions}
    nops = {f.name: sum(i.raw.count(NOP) for i in f.insns() if i.raw.strip(NOP) == b"") for f in made.functions}
    for function in again.functions:
        if function.name in nops:
            assert sum(i.raw == NOP for i in function.insns()) >= nops[function.name]
