"""Pointer tables hold what loads found, as the image says where that lies, and nobody notices."""

from collections import Counter

import pytest

from rewriter.analysis.graph import Index
from rewriter.analysis.operations import Point
from rewriter.contract import Contract
from rewriter.elf import data_at, emit, load
from rewriter.probes.areas import ProbeError
from rewriter.probes.pointers import insert_pointer_tables
from rewriter.probes.stack_walk import insert_stack_walk
from rewriter.verify import verify
from rewriter.x86.flow import Flow, flow
from tests.probes.stepper import workload
from toykernel import image
from toykernel.machine import Machine

LSEEK, WRITE = 19, 4


def test_the_kernel_tells_which_tables_its_files_have():
    contract = Contract.parse(image.contract())
    original = load(image.kernel(), contract)
    index, program = Index(original), original.copy()
    calls = [b for b in original.function("sys_lseek").blocks if flow(b.insns[-1].raw) is Flow.CALL_INDIRECT]
    (lseek,) = (Point(b.label, n) for b in calls for n, i in enumerate(b.insns) if i.raw[:2] == b"\x8b\x50")
    write = Point("sys_write.4", 0)
    stacks = insert_stack_walk(program, contract, ["generic_file_llseek", "sys_write"])
    tables = insert_pointer_tables(program, contract, index, [lseek, write], "stacks")
    assert verify(program) == []
    commands = "kprofile start stacks", "readseek 8192 3", "hello", "kprofile write stacks"
    changed, work = emit(program), workload(*commands)
    run, plain = Machine().run(changed, work, check=True), Machine().run(image.kernel(), work, check=True)
    frame = run.profile[stacks.type]
    found = tables.read(frame, data_at(changed))
    names = {(s.target, s.offset): s.name for s in original.symbols if s.kind == "object"}
    seen = {point: {names[place]: count for place, count in places.items()} for point, places in found.items()}
    calls = Counter(call.number for call in run.calls if call.program in ("readseek", "hello"))
    assert seen[lseek] == {"regular_file": calls[LSEEK]}
    assert seen[write] == {"regular_file": 2, "console_operations": calls[WRITE] - 2}
    sites = {trace.sites[0] for trace in stacks.read(frame[: stacks.size]) if trace.function == "generic_file_llseek"}
    assert sites == {lseek.label}  # the return address has moved into another block
    ours = [[c.registers for c in r.calls if c.program in ("readseek", "hello")] for r in (run, plain)]
    assert ours[0] == ours[1]


def test_a_kernel_without_a_place_for_them_is_refused():
    contract = Contract.parse(image.contract())
    program = load(image.kernel(), contract)
    with pytest.raises(ProbeError, match="nothing yet"):
        insert_pointer_tables(program, contract, Index(program), [Point("sys_write.4", 0)], "stacks")
    with pytest.raises(ProbeError, match="no type"):
        insert_pointer_tables(program, Contract(), Index(program), [Point("sys_write.4", 0)], "stacks")
    assert insert_pointer_tables(program, contract, Index(program), [], "stacks").read(b"", {}) == {}
