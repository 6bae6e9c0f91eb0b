"""Figure 4: the hot call paths of each system call, indirect calls marked."""

from __future__ import annotations

from typing import Any

from rewriter.analysis.callgraph import CallGraph
from rewriter.analysis.graph import Index
from rewriter.phases.call_tree import call_trees, ways
from rewriter.profile import Trace
from rewriter.report import DIRECT, INDIRECT, JUMPED, PhaseResult
from tests.passes.assembly import program

READ = ("system_call", "sys_read", "generic_file_read", "do_generic_file_read", "file_read_actor", "__copy_to_user")


def test_read_goes_down_to_the_copy_through_three_indirect_calls(results: dict[str, PhaseResult]) -> None:
    paths: Any = results["traces"].summary["hot_paths"]
    (deepest,) = (path for path in paths["read"] if tuple(path["functions"]) == READ)
    assert deepest["indirect"] == [True, True, False, True, False]
    assert deepest["count"] == 400


def test_a_path_of_lseek_is_three_functions_long(results: dict[str, PhaseResult]) -> None:
    paths: Any = results["traces"].summary["hot_paths"]
    assert max(len(path["functions"]) for path in paths["lseek"]) >= 3


def test_every_call_that_was_made_has_a_tree(results: dict[str, PhaseResult]) -> None:
    """But for exit, which the programs that start and end profiling call, too, and which hardly calls anything."""
    made: Any = results["values"].summary["calls"]
    trees = {tree.title.split(":")[0]: tree.root for tree in results["traces"].trees}
    assert set(made) - {"exit"} <= set(trees)
    assert {name: trees[name].count for name in made if name != "exit"} == {
        n: c for n, c in made.items() if n != "exit"
    }


def test_a_trace_says_which_of_its_calls_are_indirect(results: dict[str, PhaseResult]) -> None:
    traces: Any = results["traces"].summary["hot_traces"]
    trace = next(t for t in traces if t["function"] == "file_read_actor")
    assert len(trace["trace"]) == len(trace["indirect"])
    assert trace["indirect"] == [True, False, True, True]


def test_traces_laid_over_each_other_are_a_tree() -> None:
    """f jumps to g, so the call of f is where g was entered; what is rare is on no hot path."""
    text = """
    gate:
        call dword ptr [{data}]
        iretd
    sys_f:
        call f
        call rare
        call helper
        ret
    f:
        jmp g
    g:
        ret
    rare:
        ret
    helper:
        ret
    """
    graph = CallGraph(Index(program(text, ["sys_f"])))
    of_f, of_rare, of_helper = (block.label for block in graph.index.functions["sys_f"].blocks[:3])
    traces = [
        Trace("g", (of_f, "gate"), 900),
        Trace("rare", (of_rare, "gate"), 3),
        Trace("helper", (of_helper, "gate"), 2000),
        Trace("helper", (of_helper,), 7),  # not through the gate
    ]
    entries = {"sys_f": 1000, "g": 900, "rare": 3, "helper": 2007}
    root = call_trees(traces, {"sys_f": "f"}, graph, entries)["f"].root
    (handler,) = root.inner
    assert (root.name, handler.name, handler.mark, handler.count) == ("gate", "sys_f", INDIRECT, 1000)
    assert [(b.name, b.mark, b.count, b.hot) for b in handler.inner] == [
        ("g", JUMPED, 900, True),
        ("rare", DIRECT, 3, False),
        ("helper", DIRECT, 2000, True),
    ]
    assert [way.functions for way in ways(root)] == [("gate", "sys_f", "g"), ("gate", "sys_f", "helper")]
