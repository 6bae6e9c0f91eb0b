"""The inserted walk finds what the same scan in Python finds, keeps everything, and may be interrupted anywhere."""

import random
import struct

import pytest

from rewriter.analysis.callgraph import CallGraph
from rewriter.analysis.graph import Index
from rewriter.contract import Contract, SystemCalls
from rewriter.ir import Block, Data, Function, Insn, Ref, RefKind, Symbol
from rewriter.probes.assembly import function
from rewriter.probes.stack_walk import DEPTH, insert_stack_walk, stack_use
from rewriter.probes.table import BoundedTable
from rewriter.probes.traces import plausible
from rewriter.profile import Trace
from tests.probes.flat import ARITHMETIC, CODE, GENERAL, INTERRUPTS, STACK, STOP, Flat, program_of

SIZE = 8192
CONTRACT = Contract(stack_size=SIZE)
RET = Insn(b"\xc3")


def calling(target: str) -> Insn:
    return Insn(b"\xe8\0\0\0\0", (Ref(1, RefKind.PC32, target),))


def caller(name: str, target: str, calls: int) -> Function:
    """A function that only calls `target`, some times."""
    labels = [name, *(f"{name}.{i}" for i in range(calls))]
    blocks = [Block(labels[i], [calling(target)], labels[i + 1]) for i in range(calls)]
    return Function(name, [*blocks, Block(labels[-1], [RET])])


class Walk:
    """`traced` is probed; many functions around it make a return table worth searching."""

    def __init__(self, others: int = 20, **options: int) -> None:
        traced = Function("traced", [Block("traced", [RET])])
        functions = [traced, *(caller(f"f{i}", "traced", 1 + i % 3) for i in range(others))]
        program = program_of(functions)
        self.stacks = insert_stack_walk(program, CONTRACT, ["traced"], **options)
        self.program = program
        self.flat = Flat(program)
        returns = self.flat.read("__hotpath_returns", 8 * len(self.stacks.sites))
        self.pairs = list(struct.iter_unpack("<II", returns))
        self.numbers = dict(self.pairs)

    def scan(self, esp: int, top: int = STACK) -> tuple[int, ...]:
        """The same in Python: numbers of the sites on the stack, innermost first."""
        raw = self.flat.uc.mem_read(esp, top - esp)
        words = struct.unpack(f"<{len(raw) // 4}I", raw)
        return tuple(self.numbers[word] for word in words if word in self.numbers)[:DEPTH]

    def table(self) -> BoundedTable:
        return self.stacks.tables(self.flat.read("__hotpath_stacks", self.stacks.shape.size))["traced"]

    def traces(self) -> list[Trace]:
        return self.stacks.read(self.flat.read("__hotpath_stacks", self.stacks.shape.size))


def fill(walk: Walk, rng: random.Random, esp: int) -> None:
    """Random words from esp to the top: return addresses, addresses beside them, anything."""
    addresses = sorted(walk.numbers)
    for at in range(esp, STACK, 4):
        near = rng.choice(addresses) + rng.choice((-1, 1, 5))
        walk.flat.write(at, rng.choice((rng.choice(addresses), near, rng.getrandbits(32), 0)))


def test_the_return_table_is_sorted_and_names_every_call():
    walk = Walk()
    assert [address for address, _ in walk.pairs] == sorted(address for address, _ in walk.pairs)
    assert sorted(number for _, number in walk.pairs) == list(range(1, len(walk.stacks.sites) + 1))
    for address, number in walk.pairs:
        site = walk.stacks.sites[number - 1]
        assert address == walk.flat.addresses[site] + 5


@pytest.mark.parametrize("seed", range(10))
def test_the_walk_finds_what_the_scan_finds_and_keeps_everything(seed):
    rng = random.Random(seed)
    walk = Walk(others=rng.choice((1, 2, 7, 40)))
    model = BoundedTable(walk.stacks.shape)
    for _ in range(20):
        esp = STACK - 4 * rng.randrange(1, 120)
        fill(walk, rng, esp)
        walk.flat.registers = {name: rng.getrandbits(32) for name in GENERAL} | {"esp": esp}
        walk.flat.flags = 2 | rng.getrandbits(12) & ARITHMETIC | rng.choice((0, INTERRUPTS, 0x400))
        before, below = walk.flat.state(), esp - 4 - stack_use()
        walk.flat.write(below - 4, 0xDEADBEEF)
        walk.flat.call("traced")
        assert walk.flat.state() == before
        assert walk.flat.uc.mem_read(below - 4, 4) == b"\xef\xbe\xad\xde"
        found = walk.scan(esp)
        model.note((0,) * (DEPTH - len(found)) + found[::-1])
        assert walk.table() == model
    assert sum(trace.count for trace in walk.traces()) == 20 - model.discarded


def test_the_walk_stops_at_the_end_of_the_stack():
    walk = Walk()
    address = walk.pairs[0][0]
    walk.flat.write(STACK, *[address] * 8)
    walk.flat.registers["esp"] = STACK
    walk.flat.call("traced")
    assert [trace.sites for trace in walk.traces()] == [()]


def test_deep_stacks_are_cut_at_the_outside():
    walk = Walk()
    esp = STACK - 4 * 40
    walk.flat.write(esp, *(walk.pairs[i % 5][0] for i in range(40)))
    walk.flat.registers["esp"] = esp
    walk.flat.call("traced")
    (trace,) = walk.traces()
    assert trace.sites == tuple(walk.stacks.sites[walk.pairs[i % 5][1] - 1] for i in range(DEPTH))


def test_real_calls_give_their_sites():
    walk = Walk()
    walk.flat.call("f2")
    traces = sorted(walk.traces())
    assert [(trace.function, trace.sites, trace.count) for trace in traces] == [
        ("traced", ("f2",), 1),
        ("traced", ("f2.0",), 1),
        ("traced", ("f2.1",), 1),
    ]


GATE = """
    push eax
    call dword ptr [eax*4 + {calls}]
    add esp, 4
    iretd
"""


@pytest.mark.parametrize(("cs", "words"), [(0x23, 4), (0x0B, 4), (0x10, 10), (0, 10)])
def test_the_frame_of_a_program_is_not_scanned(cs, words):
    """A program may put return addresses into its registers.  It is told by the ring in the saved cs: a stack
    on which no program was interrupted has no frame."""
    contract = Contract(stack_size=SIZE, system_calls=SystemCalls("calls", "none", "gate", 4))
    traced = Function("traced", [Block("traced", [RET])])
    program = program_of([traced, caller("f", "traced", 1), function("gate", GATE)], [Data("calls", None, bytes(16))])
    program.symbols = [Symbol("gate", "gate"), Symbol("calls", "calls")]
    stacks = insert_stack_walk(program, contract, ["traced"])
    flat = Flat(program)
    site = flat.addresses["f"] + 5
    flat.write(STACK - 40, *[site] * 10)
    flat.write(STACK - 16, cs)
    flat.registers["esp"] = STACK - 36
    flat.call("traced")  # the return address of this call lies at STACK - 40
    (trace,) = stacks.read(flat.read("__hotpath_stacks", stacks.shape.size))
    assert len(trace.sites) == words - 1 - (words > 4)


HANDLER = """
    pushal
    call {traced}
    popal
    popfd
    ret
"""


def interrupted_walk() -> Walk:
    """A program in which an interrupt's handler enters the traced function, too; the table is cleaned at once."""
    walk = object.__new__(Walk)
    functions = [Function("traced", [Block("traced", [RET])]), caller("f", "traced", 1), function("handler", HANDLER)]
    program = program_of(functions)
    walk.stacks = insert_stack_walk(program, CONTRACT, ["traced"], table_size=2, clean_every=2)
    walk.flat = Flat(program)
    walk.flat.registers = {name: 0x01010101 * (i + 1) for i, name in enumerate(GENERAL)} | {"esp": STACK - 16}
    walk.flat.flags = 2 | INTERRUPTS | ARITHMETIC
    return walk


def test_an_interrupt_before_any_instruction_tears_nothing():
    delivered = steps = 0
    while True:
        steps += 1
        walk = interrupted_walk()
        flat, before = walk.flat, walk.flat.state()
        flat.push(STOP)
        eip = flat.jump(flat.addresses["f"], steps)
        if eip == STOP:
            break
        interrupted = bool(flat.flags & INTERRUPTS)
        if interrupted:
            flat.push(eip)  # what the processor saves, but for cs
            flat.push(flat.flags)
            flat.flags &= ~INTERRUPTS
            eip = flat.addresses["handler"]
        flat.jump(eip)
        assert flat.state() == before
        table = walk.table()
        assert table.entries == 1 + interrupted
        assert table.entries == sum(slot.count for slot in table.occupied) + table.discarded + table.evicted
        assert all(set(trace.sites) <= {"f", "handler"} for trace in walk.traces())
        delivered += interrupted
    assert steps > 50
    assert delivered == 7  # before push, call, pushfd, cli; before ret 4, ret, ret


def test_loops_to_the_entry_are_no_entries():
    looping = Function(
        "looping",
        [
            Block("looping", [Insn(b"\x49"), Insn(b"\x75\0", (Ref(1, RefKind.PC8, "looping"),))], "looping.1"),
            Block("looping.1", [RET]),
        ],
    )
    program = program_of([looping, caller("f", "looping", 1)])
    stacks = insert_stack_walk(program, CONTRACT, ["looping"])
    flat = Flat(program)
    flat.registers["ecx"] = 5
    flat.call("f")
    assert stacks.read(flat.read("__hotpath_stacks", stacks.shape.size)) == [Trace("looping", ("f",), 1)]


def test_pinned_functions_are_refused_with_their_reason():
    pinned = Function("pinned", [Block("pinned", [Insn(b"\xc3", origin=CODE)])], ("the contract says so",))
    program = program_of([pinned, caller("f", "pinned", 1)])
    stacks = insert_stack_walk(program, CONTRACT, ["pinned", "f"])
    assert stacks.functions == ("f",)
    assert stacks.refused == {"the contract says so": 1}


def test_plausible_traces_are_chains_of_calls():
    """top calls g, g calls f; b is called, too, and jumps to f instead of returning."""
    jumping = Function("b", [Block("b", [Insn(b"\xeb\0", (Ref(1, RefKind.PC8, "f"),))])])
    f = Function("f", [Block("f", [RET])])
    program = program_of([f, caller("g", "f", 1), caller("top", "g", 1), jumping, caller("c", "b", 1)])
    calls = CallGraph(Index(program))
    assert plausible(Trace("f", ("g", "top"), 1), calls)
    assert plausible(Trace("f", (), 1), calls)
    assert plausible(Trace("f", ("c",), 1), calls)
    assert not plausible(Trace("f", ("top",), 1), calls)
    assert not plausible(Trace("f", ("top", "g"), 1), calls)
    assert not plausible(Trace("f", ("g", "g"), 1), calls)
    assert not plausible(Trace("f", ("g", "gone"), 1), calls)
    assert not plausible(Trace("f", ("g.0",), 1), calls)
