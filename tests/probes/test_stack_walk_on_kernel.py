"""In the kernel itself, the inserted walk finds what the same scan in Python finds at the same moments."""

import struct
from collections import Counter
from functools import cache

import pytest

from rewriter.analysis.callgraph import CallGraph
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.probes.areas import ProbeError
from rewriter.probes.counters import insert_counters
from rewriter.probes.stack_walk import DEPTH, RETURNS, STACKS, insert_stack_walk
from rewriter.probes.table import BoundedTable
from rewriter.probes.traces import plausible
from rewriter.probes.user_frame import user_frame
from rewriter.profile import Trace, function_weights, hot
from rewriter.verify import verify
from tests.probes.stepper import Boot, places_of, workload
from toykernel import image
from toykernel.machine import Machine

CONTRACT = Contract.parse(image.contract())
CLEAR = b"\xf3\xab"  # rep stosd: what kprofile's START comes down to
FRAME = 60  # struct pt_regs of the toy kernel: fifteen words
COMMANDS = ("readseek 8192 3", "calls")
WORK = workload("kprofile start stacks", *COMMANDS, "kprofile write stacks")


@cache
def hot_functions() -> tuple[str, ...]:
    program = load(image.kernel(), CONTRACT)
    counters = insert_counters(program, CONTRACT)
    work = workload("kprofile start blocks edges", *COMMANDS, "kprofile write blocks edges")
    blocks, _ = counters.read(Machine().run(emit(program), work).profile)
    return hot(function_weights(load(image.kernel(), CONTRACT), blocks), 0.99)


class Oracle(Boot):
    """Scans the stack at every entry of a probed function, and keeps the tables in Python."""

    def __init__(self, program, stacks):
        super().__init__(program, WORK)
        self.stacks = stacks
        self.numbers: dict[int, int] = {}
        self.entries = {self.addresses[name]: name for name in stacks.functions}
        self.models = {name: BoundedTable(stacks.shape) for name in stacks.functions}
        for address in (*self.entries, *places_of(program, CLEAR)):
            self.watch(address, address)

    def instruction(self, address, size):
        name = self.entries.get(address)
        if name is not None:
            found = self.scan(self.register("ESP"))
            self.models[name].note((0,) * (DEPTH - len(found)) + found[::-1])
        elif self.register("EDI") == self.addresses[STACKS]:
            self.models = {name: BoundedTable(self.stacks.shape) for name in self.models}

    def scan(self, esp):
        if not self.numbers:
            raw = self.memory(self.addresses[RETURNS], 8 * len(self.stacks.sites))
            self.numbers = dict(struct.iter_unpack("<II", raw))
        top = (esp | CONTRACT.stack_size - 1) + 1
        (cs,) = struct.unpack("<I", self.memory(top - 16, 4))
        end = top - FRAME if cs & 3 == 3 else top
        words = struct.unpack(f"<{max(0, end - esp) // 4}I", self.memory(esp, max(0, end - esp)))
        return tuple(self.numbers[word] for word in words if word in self.numbers)[:DEPTH]


class Probed:
    def __init__(self, **options):
        self.original = load(image.kernel(), CONTRACT)
        self.program = load(image.kernel(), CONTRACT)
        self.stacks = insert_stack_walk(self.program, CONTRACT, hot_functions(), **options)
        self.oracle = Oracle(self.program, self.stacks)
        self.oracle.run()

    def frame(self):
        return self.oracle.memory(self.oracle.addresses[STACKS], self.stacks.shape.size * len(self.stacks.functions))


@pytest.fixture(scope="module", params=[(12, 1000), (2, 5)], ids=["as published", "small tables"])
def probed(request):
    slots, every = request.param
    return Probed(table_size=slots, clean_every=every)


def test_the_program_is_valid(probed):
    assert verify(probed.program) == []
    assert len(probed.stacks.functions) > 10


def test_tables_equal_the_scan_in_python(probed):
    tables = probed.stacks.tables(probed.frame())
    assert tables == probed.oracle.models
    assert sum(table.entries for table in tables.values()) > 500


def test_nothing_is_lost_without_account(probed):
    frame = probed.frame()
    counts = dict.fromkeys(probed.stacks.functions, 0)
    for trace in probed.stacks.read(frame):
        counts[trace.function] += trace.count
    for name, totals in probed.stacks.totals(frame).items():
        assert totals.entries == counts[name] + totals.discarded + totals.evicted


def test_traces_of_system_calls_begin_at_the_gate(probed):
    """The frame of the program is not scanned: the outermost site is the call through the system-call table."""
    traces = [t for t in probed.stacks.read(probed.frame()) if t.function == "generic_file_read"]
    assert traces
    index = Index(probed.original)
    for trace in traces:
        assert index.owners[trace.sites[-1]].name == "system_call"
        assert index.owners[trace.sites[0]].name == "sys_read"


def test_most_traces_are_plausible(probed):
    calls = CallGraph(Index(probed.original))
    traces = probed.stacks.read(probed.frame())
    good = sum(trace.count for trace in traces if plausible(trace, calls))
    assert good > 0.9 * sum(trace.count for trace in traces)


def test_kprofile_writes_the_tables_out(probed):
    frame = Machine().run(emit(probed.program), WORK).profile[probed.stacks.type]
    assert {t.function for t in probed.stacks.read(frame)} <= set(probed.stacks.functions)
    assert probed.stacks.totals(frame)["generic_file_read"].entries > 6
    with pytest.raises(ProbeError, match="expected"):
        probed.stacks.read(frame[:-4])


def test_no_program_notices_the_walk(probed):
    work = workload(*COMMANDS, "fault divide", "hello")
    original = Machine().run(image.kernel(), work, check=True)
    changed = Machine().run(emit(probed.program), work, check=True)
    assert (changed.console, changed.exits) == (original.console, original.exits)
    assert [call.registers for call in changed.calls] == [call.registers for call in original.calls]
    assert [call.memory for call in changed.calls] == [call.memory for call in original.calls]


def test_the_frame_of_the_program_is_read_off_the_entry_code():
    program = load(image.kernel(), CONTRACT)
    assert user_frame(program, CONTRACT, Index(program)) == FRAME


def test_noise_is_the_difference_to_a_shadow_call_stack(record_property):
    """All functions, all entries: stale return addresses in frames are the only difference there may be.  They are rare
    below the gate; above it lie what the boot left behind and stacks that were copied.  Where a fault came in the
    middle of a call, the trace is no chain of calls: true, but of no use for inlining."""
    program, work = load(image.kernel(), CONTRACT), workload(*COMMANDS)
    names = [function.name for function in program.functions]
    stacks = insert_stack_walk(program, CONTRACT, names, table_size=64, clean_every=1 << 30)
    boot = Boot(program, work)
    boot.run()
    raw = boot.memory(boot.addresses[STACKS], stacks.shape.size * len(stacks.functions))
    walked = Counter({(trace.function, trace.sites): trace.count for trace in stacks.read(raw)})
    entries = {boot.addresses[name]: name for name in stacks.functions}
    returns = boot.memory(boot.addresses[RETURNS], 8 * len(stacks.sites))
    sites = {address: stacks.sites[number - 1] for address, number in struct.iter_unpack("<II", returns)}
    shadow = Counter()
    for (entry, addresses), count in Machine().run(emit(program), work, shadow=entries).stacks.items():
        shadow[entries[entry], tuple(sites[address] for address in addresses)[:DEPTH]] += count
    assert sum(walked.values()) == sum(shadow.values()) > 3000
    gate = Index(program).owners
    below, noise = (
        sum(count for (_, path), count in counts.items() if path and gate[path[-1]].name == "system_call")
        for counts in (walked, walked - shadow)
    )
    record_property("noise", f"{noise} of {below} entries below the gate")
    assert noise < 0.02 * below
    assert below > 3000
    calls = CallGraph(Index(load(image.kernel(), CONTRACT)))
    true = {key for key in walked if key in shadow and not plausible(Trace(*key, 1), calls)}
    assert true
    assert all({"page_fault", "error_code", "ret_from_intr"} & {name, *path} for name, path in true)


def test_interrupts_within_the_kernel_tear_no_table():
    """The timer's functions are probed, too, so that probes are interrupted by probes, and so is the copy."""
    program = load(image.kernel(), CONTRACT)
    names = ("do_IRQ", "scheduler_tick", "fget", "fput", "sys_read", "generic_file_read", "memcpy", "memset")
    stacks = insert_stack_walk(program, CONTRACT, names, table_size=2, clean_every=3)
    work = workload("kprofile start stacks", "readseek 4096 2", "kprofile write stacks")
    run = Machine(storm=701).run(emit(program), work)
    assert run.console == Machine().run(emit(program), work).console
    tables = stacks.tables(run.profile[stacks.type])
    for table in tables.values():
        assert table.entries == sum(slot.count for slot in table.occupied) + table.discarded + table.evicted
    assert tables["do_IRQ"].entries > 50
    assert tables["do_IRQ"].evicted > 2
