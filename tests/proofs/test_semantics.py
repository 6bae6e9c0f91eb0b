"""The semantics of the proofs against Unicorn: every form that a rule mentions, in random and corner states."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import z3
from unicorn import x86_const as x

from rewriter.ir import Insn
from rewriter.x86.decode import Imm, Mem, Reg, decode
from rewriter.x86.encode import assemble
from rewriter.x86.flow import Flow, flow
from rewriter.x86.state import AF, CF, OF, PF, REGISTERS, SF, ZF, names, register_mask
from tests.proofs import semantics
from tests.proofs.forms import NUMBERS, instances, mentioned
from tests.proofs.peephole import BITS
from tests.proofs.semantics import FLAGS, Machine, word
from tests.x86.emulated import Unicorn
from tests.x86.processor import DATA, FLAG_BITS, PAGE, State, contents

MASK = 0xFFFFFFFF
FORMS = mentioned()
BITS_OF = {names(flag)[0]: FLAG_BITS[flag] for flag in (CF, PF, AF, ZF, SF, OF)}
STATES = 5


@pytest.fixture(scope="module")
def processor() -> Unicorn:
    return Unicorn()


@pytest.mark.parametrize("mnemonic", sorted({form.mnemonic for form in FORMS.values()}))
def test_unicorn_agrees(processor: Unicorn, mnemonic: str) -> None:
    random = Random(mnemonic)
    for template in FORMS.values():
        if template.mnemonic == mnemonic:
            insns = list(instances(template, random))
            assert insns, template
            for insn in insns:
                assert disagreements(processor, insn, random) == [], template


def disagreements(processor: Unicorn, insn: Insn, random: Random) -> list[str]:
    processor.place(insn.raw)
    found: list[str] = []
    for _ in range(STATES):
        state = state_for(insn, random)
        found += compared(processor, insn, state)
    return found


def state_for(insn: Insn, random: Random) -> State:
    """Random and corner values; what leads to memory leads into some."""
    registers = [random.choice((random.choice(NUMBERS), random.getrandbits(32))) for _ in REGISTERS]
    for operand in decode(insn.raw).operands:
        if isinstance(operand, Mem) and operand.size:
            if operand.index:
                registers[REGISTERS.index(operand.index)] = random.randrange(64)
            registers[REGISTERS.index(operand.base or "")] = DATA + 0x2000 + random.randrange(0x100)
    return State(registers, random.getrandbits(12) & sum(1 << bit for bit in BITS_OF.values()))


def compared(processor: Unicorn, insn: Insn, state: State) -> Iterator[str]:
    """Where they differ, but for flags that are undefined."""
    outcome = processor.run(state)
    assert outcome.fault is None
    machine = executed(insn, state)
    for register, value in zip(REGISTERS, outcome.state.registers, strict=True):
        if value != number(machine.registers[register]):
            yield f"{register} of {insn.raw.hex(' ')}"
    for flag, bit in BITS_OF.items():
        defined = z3.is_false(z3.simplify(machine.undefined[flag]))
        if defined and bool(outcome.state.flags >> bit & 1) != z3.is_true(z3.simplify(machine.flags[flag])):
            yield f"{flag} of {insn.raw.hex(' ')}"
    for kind, seen in (("load", outcome.reads), ("store", set(outcome.written))):
        told = {number(a) + n & MASK for k, a, v in machine.accesses if k == kind for n in range(v.size() // 8)}
        if told != seen:
            yield f"{kind}s of {insn.raw.hex(' ')}"
    for address, byte in outcome.written.items():
        if number(z3.Select(machine.memory, word(address))) != byte:
            yield f"memory after {insn.raw.hex(' ')}"
    if flow(insn.raw) is Flow.BRANCH:
        behind = processor.at + len(insn.raw)
        if (processor.uc.reg_read(x.UC_X86_REG_EIP) != behind) != z3.is_true(z3.simplify(machine.taken)):
            yield f"way of {insn.raw.hex(' ')}"


def number(term: Any) -> int:
    found: int = z3.simplify(term).as_long()
    return found


def executed(insn: Insn, state: State) -> Machine:
    """The same by the semantics."""
    decoded = decode(insn.raw)
    registers = {name: word(value) for name, value in zip(REGISTERS, state.registers, strict=True)}
    flags = {flag: z3.BoolVal(bool(state.flags >> bit & 1)) for flag, bit in BITS_OF.items()}
    memory = z3.K(BITS, z3.BitVecVal(0, 8))
    operands: list[semantics.Operand] = []
    for operand in decoded.operands:
        if isinstance(operand, Mem):
            where = address(operand, state)
            for n in range(operand.size):
                byte = contents(where + n & -PAGE)[(where + n) % PAGE]
                memory = z3.Store(memory, word(where + n), z3.BitVecVal(byte, 8))
            operands.append(semantics.Memory(word(where), operand.size))
        elif isinstance(operand, Reg):
            operands.append(register(operand))
        elif flow(insn.raw) is Flow.NEXT and isinstance(operand, Imm):
            operands.append(semantics.Number(word(operand.value)))
    machine = Machine(registers, flags, memory)
    machine.run(decoded.mnemonic, tuple(operands))
    return machine


def address(mem: Mem, state: State) -> int:
    values = dict(zip(REGISTERS, state.registers, strict=True))
    base, index = values[mem.base] if mem.base else 0, values[mem.index] * mem.scale if mem.index else 0
    return base + index + mem.disp & MASK


def register(operand: Reg) -> semantics.Register:
    place = register_mask(operand.name).bit_length() - 1
    name = REGISTERS[place // 4]
    return semantics.Register(name, operand.size, place % 4 - operand.size + 1)


def test_all_flags_are_compared() -> None:
    assert set(BITS_OF) == set(FLAGS)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("sbb eax, ecx", "sub"), ("sar eax, 3", "shr"), ("inc ecx", "dec"), ("movzx eax, byte ptr [esi]", "movsx")],
)
def test_a_wrong_meaning_is_seen(processor: Unicorn, line: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (insn,) = assemble([line])
    right = decode(insn.raw).mnemonic
    assert disagreements(processor, insn, Random(1)) == []
    meaning = semantics.MEANINGS[wrong]
    monkeypatch.setitem(semantics.MEANINGS, right, lambda m, name, *operands: meaning(m, wrong, *operands))  # type: ignore[arg-type]
    assert any(disagreements(processor, insn, Random(seed)) for seed in range(8))
