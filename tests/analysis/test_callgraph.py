"""Edges between functions, and what an indirect call may reach."""

from __future__ import annotations

import pytest

from rewriter.analysis.callers import current_at_entry, origins, read_after_handler
from rewriter.analysis.callgraph import CallGraph
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index, Way
from rewriter.contract import Contract, SystemCalls
from rewriter.ir import Symbol
from rewriter.x86.effects import names
from tests.passes.assembly import program

TEXT = """
    f:
        call g
        call [{data}]
        jmp h
    g:
        mov eax, {taken}
        ret
    h:
        je g
        jmp [eax*4 + {data + 8}]
    .a:
        ret
    .b:
        iretd
    taken:
        ret
    gate:
        push eax
        iretd
    unused:
        ret
"""
WORDS = ["gate", 0, "h.a", "h.b", "g"]


def graph() -> CallGraph:
    return CallGraph(Index(program(TEXT, WORDS)))


def test_edges_between_functions() -> None:
    found = graph()
    assert found.calls["f"] == ("g",)
    assert found.tails["f"] == ("h",)
    assert found.tails["h"] == ("g",)
    assert found.indirect == {"f"}


def test_targets_are_taken_and_come_back() -> None:
    found = graph()
    assert found.taken == ("g", "taken", "gate")  # the words behind the table's end are no part of it
    assert found.targets == ("g", "taken")


def test_reachable_lists_callees_first() -> None:
    found = graph().reachable(["f"])
    assert found[-1] == "f"
    assert set(found) == {"f", "g", "h", "taken"}


def test_who_may_be_active_above_a_call() -> None:
    found = graph()
    blocks = found.index.blocks
    assert found.entered_by(blocks["f"]) == {"g"}
    assert found.entered_by(blocks["f.after1"]) >= {"g", "taken", "gate"}
    assert found.entered_by(blocks["g"]) == frozenset()


def test_a_table_ends_where_its_words_lead_elsewhere() -> None:
    index = Index(program(TEXT, WORDS))
    assert index.table(index.blocks["h.after1"]) == ("h.a", "h.b")
    assert [e.way for e in index.edges(index.blocks["h.after1"])] == [Way.TABLE, Way.TABLE]


def test_what_is_read_after_a_handler() -> None:
    text = """
    gate:
        push edx
        push ebx
        mov ebx, 5
        call [eax*4 + {data}]
        add eax, ebx
        pop ebx
        pop edx
        ret
    other:
        call [{data + 64}]
        mov [{data + 68}], edx
        ret
    sys_a:
        ret
    """
    found = program(text, ["sys_a"])
    found.symbols.append(Symbol("table", "data"))
    contract = Contract(SystemCalls("table", "sys_a", "gate", 4))
    read = read_after_handler(found, contract, Depths(Index(found), contract))
    assert {"eax", "ebx"} <= set(names(read))
    assert "edx" not in names(read)  # behind the table's calls nobody reads it
    every = read_after_handler(found, Contract(), Depths(Index(found), Contract()))
    assert "edx" in names(every)


GATE = """
    gate:
        push eax
        push ecx
        {before}
    .to_the_table:
        call [eax*4 + {data}]
    .back:
        pop ecx
        pop eax
        iretd
    sys_a:
        ret
    elsewhere:
        cmp eax, 3
        jmp {target}
        ret
"""


@pytest.mark.parametrize(
    ("before", "target", "expected"),
    [
        ("nop", "sys_a", {"ebp": {"ebp"}, "ecx": {"ecx"}, "esi": {"esi"}}),
        ("mov ebp, ecx", "sys_a", {"ebp": {"ecx"}, "ecx": {"ecx"}}),
        ("mov ecx, 8\n xor ebp, ebp", "sys_a", {"ecx": set(), "ebp": set()}),
        ("mov ebp, [esi]\n call sys_a", "sys_a", {"ebp": None, "esi": {"esi"}}),
        ("nop", "gate", {"ebp": {"ebp"}}),
    ],
)
def test_on_which_registers_a_handlers_depend(before: str, target: str, expected: dict[str, set[str] | None]) -> None:
    found = program(GATE.replace("{before}", before).replace("{target}", target), ["sys_a"])
    found.symbols.append(Symbol("table", "data"))
    contract = Contract(SystemCalls("table", "sys_a", "gate", 4))
    known = origins(found, contract, Depths(Index(found), contract))
    assert {register: known.get(register) for register in expected} == expected


def test_a_jump_to_the_gate_brings_its_own_registers() -> None:
    """What another entry does before it jumps there is followed, and what enters in the middle is not believed."""
    text = GATE.replace("{before}", "nop").replace("{target}", "gate").replace("cmp eax, 3", "mov ebp, edx")
    found = program(text, ["sys_a"])
    found.symbols.append(Symbol("table", "data"))
    contract = Contract(SystemCalls("table", "sys_a", "gate", 4))
    assert origins(found, contract, Depths(Index(found), contract))["ebp"] == {"ebp", "edx"}
    for label, believed in (("gate.to_the_table", False), ("gate.back", True)):
        within = program(text, ["sys_a", label])
        within.symbols.append(Symbol("table", "data"))
        assert bool(origins(within, contract, Depths(Index(within), contract))) is believed


def test_in_which_registers_handlers_find_the_task() -> None:
    text = GATE.replace("{before}", "mov edx, esp\n and edx, -8192").replace("{target}", "gate")
    found = program(text, ["sys_a"])
    found.symbols.append(Symbol("table", "data"))
    contract = Contract(SystemCalls("table", "sys_a", "gate", 4))
    assert current_at_entry(found, contract, Depths(Index(found), contract)) == {"edx"}


HANDLERS = """
    gate:
        call [eax*4 + {data}]
        iretd
    sys_a:
        mov ebx, 1
        ret
    sys_b:
        ret
    through:
        call [{data + 64}]
        ret
    taken:
        ret
"""


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        (HANDLERS, ""),
        (HANDLERS + " kept:\n mov eax, {sys_a}\n ret\n", "ebx"),  # it may be given to anybody
        (HANDLERS + " kept:\n mov eax, {data + 4}\n ret\n", "ebx"),  # and so may the table
    ],
)
def test_only_the_gate_calls_what_stands_in_the_table_alone(text: str, elsewhere: str) -> None:
    """A handler that changes ebx is no reason to believe that of every indirect call."""
    found = program(text, ["sys_a", "sys_b", *[0] * 14, "taken"])
    found.symbols.append(Symbol("table", "data"))
    depths = Depths(Index(found), Contract(SystemCalls("table", "sys_none", "gate", 4)))
    index = depths.index
    assert (elsewhere or "eax") in names(depths.of_call(index.blocks["through"].insns[-1]).clobbers)
    assert elsewhere or "ebx" not in names(depths.of_call(index.blocks["through"].insns[-1]).clobbers)
    assert "ebx" in names(depths.of_call(index.blocks["gate"].insns[-1]).clobbers)
