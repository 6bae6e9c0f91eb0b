"""Several processes: whose call is whose, who is who, and what user mode can see of memory."""

from __future__ import annotations

import struct
from collections import Counter

import pytest

from toykernel import image
from toykernel.machine import Machine
from toykernel.machine.memory import Memory

from .test_boot import workload

EXIT, FORK, READ, EXECVE = 1, 2, 3, 11


@pytest.fixture(scope="module")
def pipeline():
    work = workload("hello", "sh -c cat < /bin/hello | wc | tee /copy", "hello")
    return Machine().run(image.kernel(), work, measure=True)


def test_programs_have_their_own_names(pipeline):
    """Also those that a shell executes: a copy has its parent's name until it becomes another."""
    order = list(dict.fromkeys(call.program for call in pipeline.calls))
    assert order[:2] == ["hello", "sh"]
    assert set(order) == {"hello", "sh", "cat", "wc", "tee"}
    assert {call.program for call in pipeline.calls if call.number == EXECVE} == {"sh"}


def test_processes_are_numbered_as_they_come(pipeline):
    first = list(dict.fromkeys(call.process for call in pipeline.calls))
    assert sorted(first) == list(range(len(first)))
    assert first[0] == 0
    programs = {process: {c.program for c in pipeline.calls if c.process == process} for process in first}
    assert programs[0] == programs[max(first)] == {"hello"}
    assert {"sh", "cat"} in programs.values()
    assert {"sh", "wc"} in programs.values()


def test_every_process_ends_once(pipeline):
    ends = Counter(call.process for call in pipeline.calls if call.number == EXIT)
    assert ends == Counter(call.process for call in set_of_processes(pipeline))
    assert all(call.result is None for call in pipeline.calls if call.number == EXIT)


def set_of_processes(run):
    return {call.process: call for call in run.calls}.values()


def test_a_fork_returns_to_its_caller_alone(pipeline):
    """The copy begins on a stack of its own, without having called."""
    forks = [call for call in pipeline.calls if call.number == FORK]
    assert {call.program for call in forks} == {"sh"}
    assert all(call.result > 1 for call in forks)
    assert len({call.result for call in forks}) == len(forks)


def test_a_successful_execve_does_not_return(pipeline):
    """The program that called is gone."""
    assert [call.result for call in pipeline.calls if call.number == EXECVE] == [None] * 3


def test_who_sleeps_is_not_charged_for_others(pipeline):
    """A reader that waits for a writer pays for its own way only, and says that it slept."""
    waited = [call for call in pipeline.calls if call.number == READ and call.switches]
    assert waited
    assert max(call.instructions for call in waited) < 5000


def test_two_runs_of_processes_are_equal():
    work = workload("processes")
    run = Machine().run(image.kernel(), work, measure=True, check=True)
    assert Machine(slice_size=9973).run(image.kernel(), work, measure=True, check=True) == run


def test_pages_that_are_still_shared_are_seen():
    """What will be copied before it is written is the program's own already; what it may only read is not."""
    memory = Memory()
    present, writable, user, copy = 1, 2, 4, 0x200
    memory.store(0x1000, struct.pack("<I", 0x2000 | present | writable | user))
    entries = [present | writable | user, present | user | copy, present | user, present | writable, copy | user]
    memory.store(0x2000, b"".join(struct.pack("<I", 0x10000 * n + bits) for n, bits in enumerate(entries, 1)))
    assert list(memory.user_pages(0x1000)) == [(0x0000, 0x10000), (0x1000, 0x20000)]
