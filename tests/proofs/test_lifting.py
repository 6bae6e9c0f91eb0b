"""What the region takes an instruction for is what it does: proved for registers of all sizes and every condition
behind it.  The semantics of the proofs are held against Unicorn here, too."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import pytest
import z3

from rewriter.analysis.arithmetic import CONDITIONS
from rewriter.analysis.state import entry_state
from rewriter.analysis.step import Step
from rewriter.ir import Insn
from rewriter.region import rules
from rewriter.region.exits import Exits
from rewriter.region.flag import Unsupported
from rewriter.region.moment import Moment
from rewriter.region.state import State
from rewriter.region.value import Pool
from rewriter.x86.decode import Imm, Mem, Reg, decode
from rewriter.x86.encode import assemble
from rewriter.x86.state import REGISTERS
from tests.proofs import semantics
from tests.proofs.semantics import FLAGS, Machine, word
from tests.proofs.test_semantics import disagreements, register
from tests.proofs.words import holds, meaning, proved
from tests.x86.emulated import Unicorn

PAIRS = ("eax, ecx", "eax, eax", "ecx, 0x80", "eax, 0", "al, cl", "ah, al", "cl, 0xff", "cx, dx", "dx, 0x8000")
ONES = ("eax", "al", "ah", "cx")
OTHERS = (
    *("mov eax, ecx", "mov al, ch", "mov ah, 5", "mov cx, dx", "movzx eax, ch", "movsx ecx, al", "movsx eax, cx"),
    *("movzx cx, al", "lea eax, [ecx + edx*4 - 8]", "lea ecx, [eax*8 + 4]", "xchg eax, ecx", "xchg al, ch"),
    *("cdq", "cwde", "shld eax, ecx, 20", "shrd eax, ecx, 3", "imul eax, ecx", "imul eax, ecx, 24", "nop"),
)
LINES = (
    *(f"{name} {pair}" for name in ("add", "adc", "sub", "sbb", "and", "or", "xor", "cmp", "test") for pair in PAIRS),
    *(f"{name} {one}" for name in ("inc", "dec", "neg", "not") for one in ONES),
    *(f"{name} {one}, {n}" for name in ("shl", "shr", "sar") for one in ONES for n in (0, 1, 5, 7, 31)),
    *(f"set{code} {one}" for code in CONDITIONS for one in ("al", "ch")),
    *(f"cmov{code} eax, ecx" for code in CONDITIONS),
    *OTHERS,
)
BEFORE = ("cmp edx, ebx", "add dl, bl", "and edx, ebx")  # what sets the flags that the instruction may read


def lifted(insn: Insn, state: State, pool: Pool) -> None:
    """Let the region take the instruction.  Raises Unsupported."""
    step = Step("f", 0, insn, decode(insn.raw), entry_state("f"), (0,))
    moment = Moment(pool, cast(Exits, None), state, [], step, frozenset(), 1.0, 0, 8192)
    rules.run(moment)
    if moment.effects:
        raise Unsupported("left as it is")


def executed(insn: Insn, machine: Machine) -> None:
    decoded = decode(insn.raw)
    operands: list[semantics.Operand] = []
    for operand in decoded.operands:
        if isinstance(operand, Reg):
            operands.append(register(operand))
        elif isinstance(operand, Imm):
            operands.append(semantics.Number(word(operand.value)))
        else:
            operands.append(semantics.Memory(address(operand, machine), 0))
    machine.run(decoded.mnemonic, tuple(operands))


def address(mem: Mem, machine: Machine) -> Any:
    base = machine.registers[mem.base] if mem.base else word(0)
    index = machine.registers[mem.index] * mem.scale if mem.index else word(0)
    return base + index + mem.disp


def wrong(lines: tuple[str, ...]) -> list[str] | None:
    """What is not as the processor leaves it; None where the region refuses the instructions."""
    pool = Pool()
    state = State.at_entry(pool, {})
    names = [name for name in REGISTERS if name != "esp"]
    machine = Machine(
        {name: meaning(state.registers[name]) for name in names}, {flag: z3.Bool(flag) for flag in FLAGS}, None
    )
    for insn in assemble(lines):
        try:
            lifted(insn, state, pool)
        except Unsupported:
            return None
        executed(insn, machine)
    found = [name for name in names if not proved(meaning(state.registers[name]) == machine.registers[name])]
    for code in CONDITIONS:
        try:
            asked = state.condition(pool, code)
        except Unsupported:
            continue
        if not proved(holds(asked) == machine.holds(code)):
            found.append(code)
    return found


@pytest.mark.parametrize("line", LINES)
def test_lifting_is_proved(line: str) -> None:
    results = {before: wrong((before, line)) for before in BEFORE}
    assert {before: found for before, found in results.items() if found} == {}
    assert any(found is not None for found in results.values())


@pytest.mark.parametrize("name", ["shl", "shr", "sar"])
@pytest.mark.parametrize("count", [0, 3, 31, 32, 35])
def test_a_shift_by_a_register_that_is_known(name: str, count: int) -> None:
    """It is the shift by that number, also where the number is too large."""
    pool = Pool()
    states = [State.at_entry(pool, {"ecx": pool.const(count)}) for _ in range(2)]
    for state, line in zip(states, (f"{name} eax, cl", f"{name} eax, {count}"), strict=True):
        for insn in assemble([BEFORE[0], line]):
            lifted(insn, state, pool)
    first, second = states
    assert first.registers == second.registers
    assert (first.flags, first.carry) == (second.flags, second.carry)


def test_a_move_of_nothing() -> None:
    pool = Pool()
    state = State.at_entry(pool, {"ecx": pool.const(0)})
    before = dict(state.registers)
    for insn in assemble(["rep movsb"]):
        lifted(insn, state, pool)
    assert state.registers == before


def test_a_wrong_lifting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.RULES, "inc", rules.RULES["not"])
    monkeypatch.setitem(rules.RULES, "sbb", rules._compare)
    monkeypatch.setitem(rules.RULES, "xchg", rules._move)
    for line in ("inc al", "sbb eax, ecx", "xchg al, ch"):
        assert wrong((BEFORE[0], line)), line


@pytest.fixture(scope="module")
def processor() -> Unicorn:
    return Unicorn()


@pytest.mark.parametrize("line", LINES)
def test_unicorn_agrees(processor: Unicorn, line: str) -> None:
    (insn,) = assemble([line])
    assert [d for seed in range(3) for d in disagreements(processor, insn, Random(seed))] == []
