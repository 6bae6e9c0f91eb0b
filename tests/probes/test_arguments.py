"""Argument tables hold what calls passed, and keep everything else."""

import random
from collections import Counter

import pytest

from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Block, Function, Insn
from rewriter.probes.areas import ProbeError
from rewriter.probes.arguments import OTHER, VALUES, WORDS, insert_argument_tables, stack_use
from rewriter.probes.stack_walk import insert_stack_walk
from rewriter.probes.table import BoundedTable, Totals
from rewriter.verify import verify
from rewriter.x86.encode import call
from tests.probes.flat import ARITHMETIC, GENERAL, INTERRUPTS, STACK, STOP, Flat, program_of
from tests.probes.stepper import workload
from toykernel import image
from toykernel.machine import Machine

RET = Insn(b"\xc3")


@pytest.mark.parametrize("words", [0, 1, 3, WORDS, WORDS + 2])
def test_the_probe_notes_the_words_that_a_call_passes(words):
    rng = random.Random(words)
    program = calling()
    tables = insert_argument_tables(program, Contract(), {"f": words}, table_size=4, clean_every=20)
    assert verify(program) == []
    assert list(tables.told.values()) == ["f"]
    flat, model = Flat(program), BoundedTable(tables.shape)
    seen = min(words, WORDS)
    for _ in range(100):
        esp = STACK - 256
        passed = [
            rng.choice((0, 1, 1, 0xFFFF, 0x10000, 0xC0100000, -4096, -4097)) % (1 << 32) for _ in range(WORDS + 2)
        ]
        flat.write(esp, *passed)
        flat.registers = {name: rng.getrandbits(32) for name in GENERAL} | {"esp": esp}
        flat.flags = 2 | rng.getrandbits(12) & ARITHMETIC | rng.choice((0, INTERRUPTS, 0x400))
        before, below = flat.state(), esp - 4 - stack_use()
        flat.write(below - 4, 0xDEADBEEF)
        flat.call("f")
        assert flat.state() == before
        assert flat.uc.mem_read(below - 4, 4) == b"\xef\xbe\xad\xde"
        arguments = [STOP, *passed]  # the first word is what `f` itself is returned to by
        noted = [word if word < 0x10000 or word >= 0xFFFFF000 else OTHER for word in arguments[:seen]]
        model.note((*noted, *[0] * (WORDS - seen)))
    frame = flat.read(VALUES, tables.shape.size)
    found = tables.read(frame)["f"]
    assert sum(found.values()) == 100
    lost = found.get((), 0) if seen else 0
    assert lost == model.discarded + model.evicted
    assert {k: n for k, n in found.items() if k or not seen} == {slot.key[:seen]: slot.count for slot in model.occupied}
    assert tables.totals(frame)["f"] == model.totals
    with pytest.raises(ProbeError, match="expected"):
        tables.read(frame + b"\0")


def calling():
    """`f` calls `g`, and both come back."""
    return program_of(
        [Function("f", [Block("f", [call("g")], "f.1"), Block("f.1", [RET])]), Function("g", [Block("g", [RET])])]
    )


def test_only_direct_calls_are_probed():
    with pytest.raises(ProbeError, match="does not end with a direct call"):
        insert_argument_tables(calling(), Contract(), {"f.1": 1})


def test_each_call_has_a_table_of_its_own():
    """`fget` is passed the descriptor of the call that came through the gate, by each handler that of its own."""
    contract = Contract.parse(image.contract())
    program = load(image.kernel(), contract)
    sites = {name: call_of(program, name, "fget") for name in ("sys_read", "sys_lseek")}
    tables = insert_argument_tables(program, contract, dict.fromkeys(sites.values(), 1))
    stacks = insert_stack_walk(program, contract, ["fget"], told=tables.told)
    assert verify(program) == []
    work = ("kprofile start values stacks", "readseek 8192 3", "kprofile write values stacks")
    run = Machine().run(emit(program), workload(*work))
    found = tables.read(run.profile[tables.type])
    calls = [call for call in run.calls if call.program == "readseek"]
    traced = {trace.sites[0]: trace.count for trace in stacks.read(run.profile[stacks.type])}
    for name, number in (("sys_read", 3), ("sys_lseek", 19)):
        expected = Counter(call.arguments[:1] for call in calls if call.number == number)
        assert found[sites[name]] == dict(expected)
        assert tables.totals(run.profile[tables.type])[sites[name]] == Totals(expected.total(), 0, 0)
        assert traced[sites[name]] == expected.total()  # the other probe calls the block by its old name


def call_of(program, name, callee):
    """The block of a function that ends with the call of another."""
    index = Index(program)
    return next(b.label for b in index.functions[name].blocks if b.insns and index.callee(b.insns[-1]) == callee)


def test_nothing_to_probe_changes_nothing():
    pinned = Function("pinned", [Block("pinned", [call("pinned")], "pinned.1"), Block("pinned.1", [RET])], ("stays",))
    program = program_of([pinned])
    tables = insert_argument_tables(program, Contract(), {"pinned": 2})
    assert (tables.sites, tables.read(b"")) == ((), {})
    assert tables.refused == {"its function has no probes": 1}
    assert len(program.functions) == 1
    assert program.data == []
