"""The cycle model: each part by itself, and the whole on known code."""

from __future__ import annotations

import io
import struct

import pytest
from elftools.elf.elffile import ELFFile

from toykernel import image
from toykernel.machine import Machine
from toykernel.machine.blocks import disassemble
from toykernel.machine.cycle_branches import MISPREDICTED, Kind, Predictor
from toykernel.machine.cycle_caches import MEMORY, SECOND_LEVEL, Cache, Caches
from toykernel.machine.cycle_costs import is_listed, repeated, thirds
from toykernel.machine.cycles import Cycles, shape

from .guest import assemble, guest, run
from .test_boot import workload


@pytest.mark.parametrize(
    ("instruction", "operations"),
    [
        ("mov eax, ebx", 1),
        ("mov eax, [ebx]", 1),
        ("mov [ebx], eax", 2),
        ("add eax, [ebx]", 2),
        ("add [ebx], eax", 4),
        ("add esp, 8", 1),
        ("cmp dword ptr [ebx], 5", 2),
        ("push eax", 3),
        ("pop eax", 2),
        ("push dword ptr [eax]", 4),
        ("call 0x1000", 4),
        ("call eax", 5),
        ("call dword ptr [eax*4]", 8),
        ("ret", 4),
        ("jne 0x1000", 1),
        ("setne al", 1),
        ("mov ds, edx", 8),
        ("mov edx, ds", 1),
        ("cli", 9),
        ("div ecx", 37 * 3),
        ("mov cr3, eax", 21 * 3),
        (".byte 0xcf", 27 * 3),
        (".byte 0x1e", 4),
        (".byte 0x1f", 9),
    ],
)
def test_instructions_cost_what_is_published(instruction, operations):
    _, mnemonic, operands = next(disassemble(assemble(instruction, 0)))
    assert thirds(mnemonic, operands) == operations


def test_every_instruction_of_the_kernel_is_in_the_list():
    """Above the multiboot header; `int3` fills the space between functions."""
    text = ELFFile(io.BytesIO(image.kernel())).get_section_by_name(".text").data()
    mnemonics = {mnemonic for _, mnemonic, _ in disassemble(text[12:])} - {"int3"}
    assert len(mnemonics) > 30
    assert {mnemonic for mnemonic in mnemonics if not is_listed(mnemonic)} == set()


def test_blocks_are_sums_and_know_how_they_end():
    def of(text):
        return shape(assemble(text, 0))

    assert of("mov eax, [ebx]; add [ecx], eax; ret").upto == (0, 1, 5, 9)
    kinds = [of(text).kind for text in ("ret", "call 8", "call eax", "jmp 8", "jmp [eax*4]", "je 8", "nop", "loop .")]
    assert kinds == [
        *(Kind.RETURN, Kind.CALL, Kind.CALL_INDIRECT, Kind.JUMP, Kind.JUMP_INDIRECT, Kind.BRANCH, Kind.NEXT),
        Kind.BRANCH,
    ]
    assert of("nop; nop; back: dec eax; jne back").backward
    assert not of("dec eax; jne there; nop; there: nop").backward
    assert shape(b"\x90\x75\xfd").backward  # to its own beginning
    assert shape(b"\x90\x75\x80").backward  # far below
    assert of("nop; rep_movsd").repeats == "rep movsd"


def test_caches_forget_what_is_oldest():
    cache = Cache(4 * 2 * 32, 2, 32)  # four sets of two lines
    assert [cache.hit(line) for line in (0, 0, 4, 0, 8, 0, 4)] == [False, True, False, True, False, True, False]
    assert not cache.hit(1)
    assert cache.hit(1)


def test_lines_come_from_memory_once_and_then_from_nearer():
    caches = Caches()
    assert caches.fetch(0x1000, 32) == MEMORY
    assert caches.fetch(0x1010, 32) == SECOND_LEVEL  # the second level's lines are longer
    assert caches.fetch(0x1000, 64) == 0
    assert caches.move(0x1000, 4) == SECOND_LEVEL
    assert caches.move(0x1000 + 8192, 4096) == 64 * MEMORY
    assert caches.move(0x1000 + 8192, 4096) == 0


def losses(kind, outcomes, backward=False):
    """What a branch at 0x100 costs, going to each of these places (0x102 is behind it)."""
    predictor = Predictor()
    return [predictor.branch(kind, 0x100, 0x102, target, backward) // MISPREDICTED for target in outcomes]


def test_branches_are_guessed_by_direction_then_by_history():
    assert losses(Kind.BRANCH, [0x102] * 3) == [0, 0, 0]
    assert losses(Kind.BRANCH, [0x200] * 3) == [1, 0, 0]
    assert losses(Kind.BRANCH, [0x80] * 3, backward=True) == [0, 0, 0]
    assert losses(Kind.BRANCH, [0x102], backward=True) == [1]
    alternating = losses(Kind.BRANCH, [0x200, 0x102] * 20)
    assert sum(alternating[20:]) == 0  # a pattern of four is learnt


def test_indirect_branches_go_where_they_went():
    assert losses(Kind.CALL_INDIRECT, [0x200] * 3) == [1, 0, 0]
    assert losses(Kind.JUMP_INDIRECT, [0x200, 0x300] * 3) == [1] * 6


def test_returns_go_where_calls_came_from():
    predictor = Predictor()
    for depth in range(20):
        predictor.branch(Kind.CALL, 0x100, depth, 0x200, False)
    back = [predictor.branch(Kind.RETURN, 0x300, 0x301, depth, False) for depth in reversed(range(20))]
    assert back == [0] * 16 + [MISPREDICTED] * 4  # sixteen are remembered


def test_block_moves_have_a_fast_way():
    assert repeated("rep movsd", 1024, fast=True) == 215 + 2048
    assert repeated("rep movsd", 1024, fast=False) == 10 + 6 * 1024
    assert repeated("rep stosd", 1024, fast=True) == 185 + 1536
    move = shape(assemble("rep_movsd", 0))

    def cost(elements, source, target, upwards=True):
        cycles, moved = Cycles(), elements * 4 if upwards else 0
        cycles.repeat(move, elements, source + moved, target + moved, upwards=upwards)
        return cycles.repeat(move, elements, source + moved, target + moved, upwards=upwards)

    assert cost(64, 0x1000, 0x2000) == repeated("rep movsd", 64, fast=True)
    assert cost(63, 0x1000, 0x2000) == repeated("rep movsd", 63, fast=False)
    assert cost(64, 0x1004, 0x2000) == repeated("rep movsd", 64, fast=False)
    assert cost(64, 0x1000, 0x1010) == repeated("rep movsd", 64, fast=False)
    assert cost(64, 0x1100, 0x2100, upwards=False) == repeated("rep movsd", 64, fast=False)


def test_a_second_call_finds_everything_near():
    kernel = guest(
        "int 0x80; int 0x80; int 0x80; int 0x81", {0x80: "nop; iretd", 0x81: "power_off"}, ring3=(0x80, 0x81)
    )
    first, second, third = run(kernel, measure=True).calls[:3]
    assert third.cycles == second.cycles
    assert (second.cycles, first.cycles) == ((1 + 27 * 3) // 3, (1 + 27 * 3) // 3 + MEMORY)


def test_the_time_stamp_counter_agrees_with_the_model():
    """What the kernel measures itself, from its entry to its exit, is a little less than what a call costs."""
    commands = ("kprofile start cycles", "readseek 16384 4", "kprofile write cycles")
    shown = Machine().run(image.kernel(), workload(*commands), measure=True)
    stamps = [(number, left - entered) for number, _, entered, left in struct.iter_unpack("<IIQQ", shown.profile[4])]
    calls = [(call.number, call.cycles) for call in shown.calls if call.result is not None]
    start = next(i for i in range(len(calls)) if [n for n, _ in calls[i : i + len(stamps)]] == [n for n, _ in stamps])
    for (_, stamped), (_, modelled) in zip(stamps, calls[start:], strict=False):
        assert modelled / 3 < stamped < modelled
