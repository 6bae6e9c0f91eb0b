"""The JSON of `run` has the form that other tools read."""

from __future__ import annotations

import json

from rewriter.options import Options
from rewriter.report import PHASES
from tests.tui import made_up
from tui import document


def test_what_phases_found_stands_at_the_top_once() -> None:
    found = document.run_document(Options(), list(made_up.pipeline()))
    assert list(found) == [
        *("schema", "program", "theta", "table_size", "phases"),
        *("hot_functions", "hot_traces", "static", "syscalls", "behavior"),
    ]
    phases = found["phases"]
    assert isinstance(phases, list)
    assert [phase["name"] for phase in phases] == list(PHASES)
    assert list(phases[2]) == ["name", "seconds", "handled", "refused", "summary"]
    assert phases[2]["summary"] == {"instructions": 79000}
    assert found["hot_functions"] == ["do_generic_file_read"]
    assert found["behavior"] == {"same": True, "checked": ["console"]}


def test_phases_that_were_not_run_are_not_there() -> None:
    found = document.run_document(Options(until="count"), list(made_up.pipeline())[:3])
    assert "hot_functions" in found
    assert "hot_traces" not in found
    assert "behavior" not in found


def test_runs_differ_in_seconds_alone() -> None:
    texts = [
        document.text(document.run_document(Options(), [made_up.result(name, seconds) for name in PHASES]))
        for seconds in (0.25, 17.125)
    ]
    lines = [text.splitlines() for text in texts]
    different = [pair for pair in zip(*lines, strict=True) if len(set(pair)) > 1]
    assert len(different) == len(PHASES)
    assert all('"seconds": ' in line for pair in different for line in pair)


def test_one_phase_in_full() -> None:
    found = json.loads(document.text(document.phase_document(Options(), made_up.result("inline"))))
    assert found["schema"] == "hotpath.phase/1"
    assert found["name"] == "inline"
    assert found["tables"][0]["columns"] == ["function", "instructions", "share", "covered"]
    assert found["listings"][1]["after"] == made_up.AFTER
