"""Argument tables hold what functions were passed, and keep everything else."""

import random
from collections import Counter

import pytest

from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Block, Function, Insn
from rewriter.probes.areas import ProbeError
from rewriter.probes.arguments import VALUES, WORDS, insert_argument_tables, stack_use
from rewriter.probes.table import BoundedTable, Totals
from rewriter.verify import verify
from tests.probes.flat import ARITHMETIC, GENERAL, INTERRUPTS, STACK, Flat, program_of
from tests.probes.stepper import workload
from toykernel import image
from toykernel.machine import Machine

RET = Insn(b"\xc3")


@pytest.mark.parametrize("words", [0, 1, 3, WORDS, WORDS + 2])
def test_the_probe_notes_the_words_behind_the_return_address(words):
    rng = random.Random(words)
    program = program_of([Function("f", [Block("f", [RET])])])
    tables = insert_argument_tables(program, Contract(), {"f": words}, table_size=4, clean_every=20)
    flat, model = Flat(program), BoundedTable(tables.shape)
    seen = min(words, WORDS)
    for _ in range(100):
        esp = STACK - 256
        passed = [rng.randrange(2) for _ in range(WORDS + 2)]
        flat.write(esp, *passed)
        flat.registers = {name: rng.getrandbits(32) for name in GENERAL} | {"esp": esp}
        flat.flags = 2 | rng.getrandbits(12) & ARITHMETIC | rng.choice((0, INTERRUPTS, 0x400))
        before, below = flat.state(), esp - 4 - stack_use()
        flat.write(below - 4, 0xDEADBEEF)
        flat.call("f")
        assert flat.state() == before
        assert flat.uc.mem_read(below - 4, 4) == b"\xef\xbe\xad\xde"
        model.note((*passed[:seen], *[0] * (WORDS - seen)))
    frame = flat.read(VALUES, tables.shape.size)
    assert tables.read(frame)["f"] == {slot.key[:seen]: slot.count for slot in model.occupied}
    assert tables.totals(frame)["f"] == model.totals
    with pytest.raises(ProbeError, match="expected"):
        tables.read(frame + b"\0")


def test_the_kernel_sees_the_arguments_that_came_through_the_gate():
    """`sys_read` is passed what the trace at the gate saw, from the start of the profile to its end."""
    contract = Contract.parse(image.contract())
    program = load(image.kernel(), contract)
    tables = insert_argument_tables(program, contract, {"sys_read": 3, "sys_lseek": 3})
    assert verify(program) == []
    run = Machine().run(emit(program), workload("kprofile start values", "readseek 8192 3", "kprofile write values"))
    found = tables.read(run.profile[tables.type])
    calls = [call for call in run.calls if call.program == "readseek"]
    for name, number in (("sys_read", 3), ("sys_lseek", 19)):
        expected = Counter(call.arguments[:3] for call in calls if call.number == number)
        assert found[name] == dict(expected)
        assert tables.totals(run.profile[tables.type])[name] == Totals(expected.total(), 0, 0)


def test_nothing_to_probe_changes_nothing():
    pinned = Function("pinned", [Block("pinned", [RET])], ("stays",))
    program = program_of([pinned])
    tables = insert_argument_tables(program, Contract(), {"pinned": 2})
    assert (tables.functions, tables.refused, tables.read(b"")) == ((), {"stays": 1}, {})
    assert len(program.functions) == 1
    assert program.data == []
