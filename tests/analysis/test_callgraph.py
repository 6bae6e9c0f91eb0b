"""Edges between functions, and what an indirect call may reach."""

from __future__ import annotations

from rewriter.analysis.callers import read_after_handler
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
