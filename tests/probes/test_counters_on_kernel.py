"""In the kernel itself, counters equal a single-stepping oracle on the same run, and no program notices them."""

from collections import Counter

import pytest

from rewriter.analysis.graph import Index, Way
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.probes.conservation import Conservation
from rewriter.probes.counters import COUNTS, insert_counters
from rewriter.probes.edges import graph_of
from rewriter.verify import verify
from tests.probes.stepper import Stepper, places_of, workload
from toykernel import image
from toykernel.machine import Machine, Qemu

CONTRACT = Contract.parse(image.contract())
WORK = workload("kprofile start blocks edges", "readseek 8192 3", "kprofile write blocks edges", "calls", "hello")
CLEAR, COPY = b"\xf3\xab", b"\xf3\xa5"  # rep stosd, rep movsd: what kprofile's START and WRITE come down to


class Oracle(Stepper):
    """Remembers what it had counted when the kernel cleared the counters, and when it copied them."""

    def __init__(self, program, work, counters):
        super().__init__(program, work, counters.blocks)
        self.cleared, self.copied = [], []
        self.clears, self.copies = (frozenset(places_of(program, raw)) for raw in (CLEAR, COPY))

    def instruction(self, address, size):
        begins = address != self._last
        super().instruction(address, size)
        if begins and address in self.clears and self.register("EDI") == self.addresses[COUNTS]:
            self.cleared.append(self.seen())
        if begins and address in self.copies and self.register("ESI") == self.addresses[COUNTS]:
            self.copied.append(self.seen())

    def seen(self):
        return self.blocks.copy(), self.edges.copy()


class Counted:
    def __init__(self, kernel):
        self.kernel = kernel
        self.program = load(kernel, CONTRACT)
        index = Index(self.program)
        self.graph = graph_of(self.program, index, set(index.functions))
        self.counters = insert_counters(self.program, CONTRACT)
        self.oracle = Oracle(self.program, WORK, self.counters)
        self.oracle.run()
        self.run = Machine().run(emit(self.program), WORK)


@pytest.fixture(scope="module", params=["few edges", "all edges", "one unit"])
def counted(request):
    """As usual; with counters also on the edges that follow from others, the ways to fixups among them; and in a
    kernel where the compiler inlined what it liked."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "all edges":
            patch.setattr(Conservation, "to_count", lambda self, edges: list(edges))
        return Counted(image.kernel_one_unit() if request.param == "one unit" else image.kernel())


def minus(after, before, keys):
    return {key: after[key] - before[key] for key in keys}


def test_the_program_is_valid_and_nearly_all_of_it_is_counted(counted):
    assert verify(counted.program) == []
    refused = sum(counted.counters.refused.values())
    assert counted.counters.handled + refused == len(counted.program.code)
    assert refused < 0.04 * len(counted.program.functions)


def test_block_counters_equal_the_oracle_at_every_read_out(counted):
    """Counters are cleared twice (blocks, then edges: each type is all of them), and written twice."""
    _, (before, _) = counted.oracle.cleared
    for number, (after, _) in zip((0, 1), counted.oracle.copied, strict=True):
        found, _ = counted.counters.decode(counted.run.profile[number])
        assert found == minus(after, before, counted.counters.blocks)
        assert sum(found.values()) > 4_000


def test_edge_counts_equal_the_oracle_at_the_end(counted):
    """Of what passes other code on the way (returns, faults, and what goes on behind a page that was fetched) the
    oracle cannot tell; it is what enters the block."""
    counters, oracle = counted.counters, counted.oracle
    raw = oracle.memory(oracle.addresses[COUNTS], counters.size)
    blocks, edges = counters.decode(raw)
    before, edges_before = oracle.cleared[-1]
    assert blocks == minus(oracle.blocks, before, counters.blocks)
    faulting = {source for (source, _), ways in counted.graph.edges.items() if Way.FAULT in ways}
    direct = [
        (source, target)
        for source, target in counters.edges
        if Way.RETURN not in counted.graph.edges[source, target] and source not in faulting and target in blocks
    ]
    expected = minus(oracle.edges, edges_before, direct)
    different = {edge for edge in direct if edges[edge] != expected[edge]}
    assert len(different) <= 2  # kprofile clears, and the power goes off, in the middle of a block
    assert len(direct) > 500


def test_flow_is_conserved_but_for_calls_under_way(counted):
    blocks, edges = counted.counters.read(counted.run.profile)
    unfinished = counted.counters.unfinished(blocks, edges)
    assert sum(unfinished.values()) < 30
    returning = {source for (source, _), ways in counted.graph.edges.items() if Way.RETURN in ways}
    assert set(unfinished) <= returning


def test_faults_are_counted_edges(counted):
    """`calls` passes bad pointers: that takes the ways to fixups."""
    counters, oracle = counted.counters, counted.oracle
    _, edges = counters.decode(oracle.memory(oracle.addresses[COUNTS], counters.size))
    faults = {edge for edge, ways in counted.graph.edges.items() if Way.FAULT in ways}
    assert sum(edges[edge] for edge in faults) > 0


def test_no_program_notices_the_counters(counted):
    work = workload("readseek 8192 3", "calls", "fault divide", "fault read-kernel", "hello")
    original = Machine().run(counted.kernel, work, check=True)
    probed = Machine().run(emit(counted.program), work, check=True)
    assert (probed.console, probed.exits) == (original.console, original.exits)
    assert [call.registers for call in probed.calls] == [call.registers for call in original.calls]
    assert [call.memory for call in probed.calls] == [call.memory for call in original.calls]


def test_the_machine_counts_the_same(counted):
    """Two oracles agree: this test's own, and the machine's."""
    leaders = {counted.oracle.addresses[label]: label for label in counted.counters.blocks}
    executed = Machine().run(emit(counted.program), WORK, watch=leaders).executed
    assert {leaders[address]: n for address, n in executed.items() if n} == dict(counted.oracle.blocks)


def test_interrupts_at_any_instruction_lose_no_count(monkeypatch):
    """With counters on all edges each block's count is there three times: its own, what enters it, what leaves it."""
    monkeypatch.setattr(Conservation, "to_count", lambda self, edges: list(edges))
    program = load(image.kernel(), CONTRACT)
    index = Index(program)
    graph = graph_of(program, index, set(index.functions))
    counters = insert_counters(program, CONTRACT)
    work = workload("readseek 4096 2", "kprofile stop blocks", "kprofile write blocks")
    run = Machine(storm=199).run(emit(program), work)
    assert run.console == Machine().run(emit(program), work).console
    blocks, edges = counters.decode(run.profile[0])
    assert blocks["do_IRQ"] > 200
    entering, leaving = Counter(), Counter()
    for (source, target), count in edges.items():
        leaving[source] += count
        entering[target] += count
    torn = {b for b in blocks if b not in graph.entered and entering[b] != blocks[b]}
    torn |= {s for s, _ in edges if s not in graph.left and leaving[s] != blocks[s]}
    assert torn == set()


@pytest.mark.skipif(not Qemu.available(), reason="qemu-system-i386 is not installed")
def test_counters_work_on_qemu(counted):
    """Another PC, another timer: what does not depend on time was executed as often."""
    work = workload("kprofile start edges", "readseek 8192 3", "kprofile stop edges", "kprofile write edges")
    ours, _ = counted.counters.read(Machine().run(emit(counted.program), work).profile)
    theirs, _ = counted.counters.read(Qemu().profile(emit(counted.program), work))
    calls = ("sys_read", "sys_lseek", "sys_open", "sys_write", "sys_kprofile")
    assert {name: theirs[name] for name in calls} == {name: ours[name] for name in calls}
    assert ours["sys_read"] > 8
