"""Counters equal single-stepping, on random programs, and change nothing that the program can see."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from rewriter.contract import Contract, Kprofile
from rewriter.elf import emit, load
from rewriter.ir import Block, Data, Function, Insn, Ref, RefKind, Section, Segment, Symbol
from rewriter.probes.areas import ProbeError
from rewriter.probes.conservation import Conservation
from rewriter.probes.counters import COUNTS, insert_counters
from rewriter.probes.increment import increment
from rewriter.verify import verify
from rewriter.x86.encode import assemble, branch, call, jump
from rewriter.x86.flow import Flow, flow
from tests.probes.flat import ARITHMETIC, CODE, GENERAL, STACK, Flat, program_of
from tests.probes.random_programs import RET, RandomProgram, lines, single_step
from tests.random_c import native
from tests.random_c.rewrite import compiled


@pytest.mark.parametrize("live", [0, ARITHMETIC << 32 | (1 << 64) - 1])
def test_an_increment_is_exact_and_keeps_what_is_live(live):
    count = Function("count", [Block("count", [*increment("c", 8, live), RET])])
    flat = Flat(program_of([count], [Data("c", None, b"", zero_size=24)]))
    rng = random.Random(1)
    for start in (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, *(rng.getrandbits(64) for _ in range(1500))):
        flat.write(flat.addresses["c"], 1, start & 0xFFFFFFFF, 2)  # never mind: overwritten below
        flat.write(flat.addresses["c"], 1, 2, start & 0xFFFFFFFF, start >> 32, 3, 4)
        flat.registers = {name: rng.getrandbits(32) for name in GENERAL} | {"esp": STACK - 64}
        flat.flags = 2 | rng.getrandbits(12) & ARITHMETIC
        registers, flags = flat.state()
        flat.call("count")
        assert flat.registers == registers
        assert flat.flags == flags or not live
        after = (start + 1) % (1 << 64)
        words = [1, 2, after & 0xFFFFFFFF, after >> 32, 3, 4]
        assert flat.read("c", 24) == b"".join(word.to_bytes(4, "little") for word in words)


@pytest.mark.parametrize("seed", range(24))
def test_counters_equal_single_stepping(seed):
    compare_with_single_stepping(seed)


@pytest.mark.parametrize("seed", range(12))
def test_counters_on_all_edges_equal_single_stepping(seed, monkeypatch):
    """Also on those edges which otherwise follow from others: jump tables, taken branches, returns."""
    monkeypatch.setattr(Conservation, "to_count", lambda self, edges: list(edges))
    compare_with_single_stepping(seed)


def compare_with_single_stepping(seed):
    plain = RandomProgram(seed)
    labels = [block.label for function in plain.functions for block in function.blocks]
    original = Flat(program_of(plain.functions, plain.data))
    counted = RandomProgram(seed)
    program = program_of(counted.functions, counted.data)
    counters = insert_counters(program, Contract())
    assert verify(program) == []
    flat = Flat(program)
    blocks, edges = Counter(), Counter()
    for start in range(4):
        for side in (original, flat):
            side.registers |= {"eax": 0x12345678 * (start + seed + 1) & 0xFFFFFFFF, "ecx": 60}
        more_blocks, more_edges = single_step(original, labels, "f")
        blocks += more_blocks
        edges += more_edges
        flat.call("f")
        assert flat.registers == original.registers  # nobody reads flags behind the last return
    found_blocks, found_edges = counters.decode(flat.read(COUNTS, counters.size))
    assert found_blocks == {label: blocks[label] for label in labels}
    assert {edge: n for edge, n in found_edges.items() if n} == dict(edges)
    assert counters.unfinished(found_blocks, found_edges) == {}
    assert counters.handled == 2


def test_few_edges_need_a_counter():
    counters = [insert_counters(program_of((p := RandomProgram(s)).functions, p.data), Contract()) for s in range(40)]
    assert sum(len(c.measured) for c in counters) < sum(len(c.edges) for c in counters) / 2


def branching() -> Function:
    """Flags are live in f.1 and dead from its second instruction on."""
    return Function(
        "f",
        [
            Block("f", [*lines("test eax, eax")], "f.1"),
            Block("f.1", [*lines("sete al", "xor edx, edx", "mov ebx, 1")], "f.2"),
            Block("f.2", [RET]),
        ],
    )


def test_counters_are_placed_where_flags_are_dead():
    program = program_of([branching()])
    insert_counters(program, Contract())
    f = program.function("f")
    assert [len(block.insns) for block in f.blocks] == [3, 5, 3]
    assert flow(f.blocks[1].insns[0].raw) is Flow.NEXT
    assert f.blocks[1].insns[0].raw == assemble(("sete al",))[0].raw  # before it, ZF is live
    assert len(f.blocks[1].insns[1].refs) == 1  # behind it, nothing is: the counter


def test_flags_are_live_behind_a_return_where_a_caller_reads_them():
    caller = Function(
        "caller",
        [
            Block("caller", [call("f")], "caller.1"),
            Block("caller.1", [branch("b", "caller")], "caller.2"),
            Block("caller.2", [RET]),
        ],
    )
    program = program_of([branching(), caller])
    insert_counters(program, Contract())
    assert [len(block.insns) for block in program.function("f").blocks] == [3, 5, 9]


def test_flags_may_be_an_argument():
    """`caller` sets the carry, `g` reads it first; a counter between them must keep it, also behind a pointer."""
    g = Function("g", [Block("g", [branch("b", "g.2")], "g.1"), Block("g.1", [RET]), Block("g.2", [RET])])
    (indirect,) = assemble(("call dword ptr [{pointer}]",))
    for how in (call("g"), indirect, jump("g")):
        back = [] if how == jump("g") else [Block("caller.2", [RET])]
        caller = Function(
            "caller",
            [Block("caller", lines("stc"), "caller.1"), Block("caller.1", [how], "caller.2" if back else None), *back],
        )
        pointer = Data("pointer", None, bytes(4), {0: Ref(0, RefKind.ABS32, "g")})
        program = program_of([caller, g], [pointer])
        insert_counters(program, Contract())
        assert len(caller.blocks[1].insns) == 9


def test_a_fault_may_come_before_flags_are_written():
    """On the way to the fixup they are what they were before the instruction."""
    (reading,) = assemble(("and eax, dword ptr [ecx]",))
    f = Function(
        "f",
        [
            Block("f", [replace(reading, faults_to="f.2")], "f.1"),
            Block("f.1", [RET]),
            Block("f.2", [branch("b", "f.1")], "f.1"),
        ],
    )
    program = program_of([f])
    insert_counters(program, Contract())
    assert len(f.blocks[0].insns) == 9


def counts_of(functions, data, start, **registers):
    """Block and edge counts after one call of `start`."""
    program = program_of(functions, data)
    counters = insert_counters(program, Contract())
    flat = Flat(program)
    flat.registers |= registers
    flat.call(start)
    return counters, *counters.decode(flat.read(COUNTS, counters.size))


def test_blocks_may_be_entered_behind_a_pointer():
    """f.1 is entered from f, and by `g`, which jumps through a pointer; only f's way is an edge."""
    (through,) = assemble(("jmp dword ptr [{pointer}]",))
    f = Function("f", [Block("f", lines("nop"), "f.1"), Block("f.1", [RET])])
    g = Function("g", [Block("g", [call("f")], "g.1"), Block("g.1", [through])])
    pointer = Data("pointer", None, bytes(4), {0: Ref(0, RefKind.ABS32, "f.1")})
    _, blocks, edges = counts_of([f, g], [pointer], "g")
    assert blocks == {"f": 1, "f.1": 2, "g": 1, "g.1": 1}
    assert edges == {("f", "f.1"): 1, ("g", "g.1"): 1}


def test_a_call_that_never_returns_is_flow_to_the_outside():
    """`leave` goes back to where `start` was called, over the head of `f`."""
    start = Function("start", [Block("start", [call("f")], "start.1"), Block("start.1", [RET])])
    f = Function(
        "f",
        [
            Block("f", [*lines("test eax, eax"), branch("e", "f.2")], "f.1"),
            Block("f.1", [call("leave")], "f.2"),
            Block("f.2", [RET]),
        ],
    )
    leave = Function("leave", [Block("leave", [*lines("add esp, 4"), RET])])
    counters, blocks, edges = counts_of([start, f, leave], [], "start", eax=1)
    assert (blocks["f.1"], blocks["f.2"]) == (1, 0)
    assert edges == {("start", "start.1"): 1, ("f", "f.1"): 1, ("f", "f.2"): 0, ("f.1", "f.2"): 0}
    assert counters.unfinished(blocks, edges) == {"f.1": 1}


@pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))
@pytest.mark.parametrize("all_edges", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 103])
def test_compiled_programs_do_not_notice(seed, all_edges, monkeypatch):
    if all_edges:
        monkeypatch.setattr(Conservation, "to_count", lambda self, edges: list(edges))
    for _, image in compiled(seed):
        program = load(image)
        counters = insert_counters(program, Contract())
        assert native.run(emit(program, move=all_edges)) == native.run(image)
        assert counters.handled > 5 * sum(counters.refused.values())


def test_code_that_is_not_understood_reads_all_flags():
    for raw in (b"\xff\xff\xff\xff", b"\x90\x90", b"\xb8\0\0", b"\x0f\x0b" * 40):
        riddle = Function("riddle", [Block("riddle", [Insn(raw, origin=CODE)])], ("cannot be decoded",))
        caller = Function("caller", [Block("caller", [jump("riddle")])])
        program = program_of([caller, riddle])
        insert_counters(program, Contract())
        assert len(program.function("caller").blocks[0].insns) == 9


def test_sti_stays_with_what_follows():
    """`sti; hlt` sleeps until the next interrupt; an instruction between could sleep for ever."""
    idle = Function(
        "idle",
        [
            Block("idle", [Insn(b"\xfb")], "idle.1"),
            Block("idle.1", [Insn(b"\xf4")], "idle.2"),
            Block("idle.2", [Insn(b"\xfb"), RET]),
        ],
    )
    program = program_of([idle])
    counters = insert_counters(program, Contract())
    raws = [insn.raw for block in program.function("idle").blocks for insn in block.insns]
    assert counters.handled == 1
    assert [raws[i + 1] for i, raw in enumerate(raws) if raw == b"\xfb"] == [b"\xf4", b"\xc3"]


def test_an_interrupt_may_come_before_a_jump_or_behind_it():
    loop = Function("loop", [Block("loop", [Insn(b"\xfb")], "loop.1"), Block("loop.1", [jump("loop.1")])])
    counters = insert_counters(program_of([loop]), Contract())
    assert counters.handled == 1


def test_a_block_without_a_place_is_refused():
    """`sti; ret` on a stack that may not grow: the interrupt is to find it empty."""
    stuck = Function("stuck", [Block("stuck", [Insn(b"\xfb")], "stuck.1"), Block("stuck.1", [RET])])
    counters = insert_counters(program_of([stuck]), Contract())
    assert counters.refused == {"a block may not be interrupted anywhere": 1}


def test_pinned_functions_are_refused_and_their_edges_are_outside():
    pinned = Function("pinned", [Block("pinned", [Insn(b"\xeb\0", (Ref(1, RefKind.PC8, "f.1"),), CODE)])], ("stays",))
    program = program_of([branching(), pinned])
    counters = insert_counters(program, Contract())
    assert counters.refused == {"stays": 1}
    assert "pinned" not in counters.blocks
    assert len(program.function("pinned").blocks[0].insns) == 1


def test_code_before_paging_is_refused():
    """The image starts at its physical address: what that reaches by relative jumps runs without paging."""
    start = Function("start", [Block("start", [jump("early")])])
    early = Function("early", [Block("early", [call("helper")], "early.1"), Block("early.1", [Insn(b"\xff\xe0")])])
    late, helper = Function("late", [Block("late", [RET])]), Function("helper", [Block("helper", [RET])])
    physical = Ref(1, RefKind.ABS32, "d", -0x1000)
    maps = Function("maps", [Block("maps", [Insn(b"\xb8\0\0\0\0", (physical,)), RET])])  # mov eax, offset d
    touches = Function("touches", [Block("touches", [Insn(b"\xa1\0\0\0\0", (physical,)), RET])])  # mov eax, [d]
    program = program_of([start, early, late, helper, maps, touches], [Data("d", None, bytes(8))])
    program.entry_bias = -0x1000
    program.segments = (Segment(1, 7, 4096, (".text",), headers=False, load_bias=-0x1000),)
    counters = insert_counters(program, Contract())
    assert counters.blocks == ("late", "maps")
    assert sorted(counters.refused.values()) == [1, 3]


KPROFILE = Contract(kprofile=Kprofile("areas"))


def areas_program():
    data = Data("areas", CODE + 0x1000, bytes(40))
    program = program_of([branching()], [data])
    program.sections += (Section("areas", CODE + 0x1000, 40, 4, executable=False, writable=True, zero=False),)
    program.symbols = [Symbol("areas", "areas", 0, 40, "object")]
    return program


def test_areas_are_registered():
    program = areas_program()
    counters = insert_counters(program, KPROFILE)
    data = program.datum("areas")
    assert [(at, ref.target) for at, ref in sorted(data.refs.items())] == [(0, COUNTS), (8, COUNTS)]
    assert data.raw == b"".join(n.to_bytes(4, "little") for n in (0, counters.size, 0, counters.size, *[0] * 6))
    assert counters.types == (1, 0)
    blocks, _ = counters.read({1: bytes(counters.size)})
    assert blocks == {"f": 0, "f.1": 0, "f.2": 0}
    with pytest.raises(ProbeError, match="neither"):
        counters.read({2: b""})
    with pytest.raises(ProbeError, match="expected"):
        counters.read({0: b"1"})


def test_what_cannot_be_registered_is_refused():
    with pytest.raises(ProbeError, match="no data is called"):
        insert_counters(program_of([branching()]), KPROFILE)
    program = areas_program()
    insert_counters(program, Contract())
    with pytest.raises(ProbeError, match="inserted before"):
        insert_counters(program, Contract())


def test_counters_do_not_trust_ds():
    """A program may enter the kernel with a null ds: until the kernel has loaded its own, only ss is good."""
    counting = [insn for live in (0, (1 << 64) - 1) for insn in increment("c", 0, live) if insn.refs]
    assert [insn.raw[0] for insn in counting] == [0x36] * 4
