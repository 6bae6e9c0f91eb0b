"""`hotpath run` and the phase verbs, on results that no pipeline made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rewriter import pipeline
from rewriter.options import Options, System
from rewriter.report import PHASES, PhaseResult
from tests.tui import made_up
from tests.tui.shell import Run
from toykernel.machine import MachineError


class Engine:
    """Stands in for `pipeline.run`; remembers the options, and may change or refuse a phase."""

    options: Options
    changes: dict[str, dict[str, object]]
    error: Exception | None = None

    def __init__(self) -> None:
        self.changes = {}

    def run(
        self, options: Options, system: System, progress: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> Iterator[PhaseResult]:
        self.options = options
        for name in PHASES:
            progress(f"{name}: making it up")
            if self.error is not None and name == "count":
                raise self.error
            yield made_up.result(name, **self.changes.get(name, {}))  # type: ignore[arg-type]
            if name == options.until:
                return


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(pipeline, "run", engine.run)
    return engine


def test_run_shows_every_phase_and_nothing_on_stderr(engine: Engine, hotpath: Run) -> None:
    status, out, err = hotpath("run")
    assert (status, err) == (0, "")
    assert [line.split()[1] for line in out.splitlines() if "§" in line] == list(PHASES)
    assert "\x1b" not in out
    assert engine.options == Options(forgiving=True)


def test_without_a_terminal_hotpath_is_run(engine: Engine, hotpath: Run) -> None:
    assert hotpath() == hotpath("run")


def test_json_is_one_object_and_nothing_else(engine: Engine, hotpath: Run) -> None:
    status, out, err = hotpath("run", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["schema"] == "hotpath.run/1"


def test_choices_reach_the_pipeline(engine: Engine, hotpath: Run) -> None:
    line = "run -p hello -p 'readseek 4096 2' --theta 0.5 --table-size 4 --clean-every 9 --as-published --without sink"
    assert hotpath(*shlex.split(line), "--until", "traces")[0] == 0
    assert engine.options == Options(
        program="readseek",
        commands=("hello", "readseek 4096 2"),
        theta=0.5,
        table_size=4,
        clean_every=9,
        as_published=True,
        forgiving=True,
        without=frozenset({"sink"}),
        until="traces",
    )


def test_some_names_stand_for_a_command_line(engine: Engine, hotpath: Run) -> None:
    assert hotpath("run", "-p", "readseek", "-p", "hello", "-p", "sh")[0] == 0
    assert engine.options.commands == ("readseek 65536 25", "hello", "sh /data/small.sh")


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_verb_shows_that_phase_alone_in_detail(phase: str, engine: Engine, hotpath: Run) -> None:
    status, out, _ = hotpath(phase)
    assert status == 0
    assert engine.options.until == phase
    assert out.startswith(f"{PHASES.index(phase) + 1} {phase}  §")
    assert sum("  §" in line for line in out.splitlines()) == 1
    assert "a_function_with_a_long_name_9" in out
    for listing in made_up.LISTINGS.get(phase, ()):
        assert all(line in out for line in listing.after.splitlines())


def test_a_phase_verb_has_json_too(engine: Engine, hotpath: Run) -> None:
    found = json.loads(hotpath("inline", "--json")[1])
    assert (found["schema"], found["name"], len(found["listings"])) == ("hotpath.phase/1", "inline", 2)


def test_other_behavior_is_a_failed_check(engine: Engine, hotpath: Run) -> None:
    engine.changes["measure"] = {"summary": {"behavior": {"same": False, "checked": []}}}
    status, out, err = hotpath("run", "--json")
    assert status == 1
    assert json.loads(out)["behavior"]["same"] is False
    assert err == "hotpath: the specialized kernel does not behave as the original (see hotpath measure)\n"


def test_a_kernel_that_dies_is_one_line_after_what_was_found(engine: Engine, hotpath: Run) -> None:
    engine.error = MachineError("page fault at 0xc0101234")
    status, out, err = hotpath("run")
    assert (status, err) == (1, "hotpath: page fault at 0xc0101234\n")
    assert "2 values" in out
    assert hotpath("run", "--json")[:2] == (1, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--theta", "0"), "theta is 0, must be above 0 and at most 1"),
        (("--theta", "1.01"), "theta is 1.01, must be above 0 and at most 1"),
        (("--theta", "nan"), "theta is nan, must be above 0 and at most 1"),
        (("--theta", "hot"), "'hot' is not a valid float"),
        (("--table-size", "11"), "table size is 11, must be even and at least 2"),
        (("--table-size", "1000000000"), "table size is 1000000000, must be at most 1024: tables are in memory"),
        (("--clean-every", "4294967296"), "clean every is 4294967296, must be at most 2147483647"),
        (("--growth", "nan"), "growth is nan, must be a number; 10 is ten times the text"),
        (("--growth", "inf"), "growth is inf, must be a number; 10 is ten times the text"),
        (("--table-size", "0"), "table size is 0, must be even and at least 2"),
        (("--clean-every", "0"), "clean every is 0, must be at least 1"),
        (("--until", "never"), "'never' is not one of"),
        (("-p", "no-such-program"), "no program is called 'no-such-program'"),
        (("--without", "magic"), "no pass is called 'magic'; there are inline, "),
        (("-p", ""), "a command line is empty"),
        (("-p", "hello; hello"), "contains ';'"),
        (("surplus",), "unexpected extra argument"),
    ],
)
def test_wrong_choices_are_one_line(arguments: tuple[str, ...], words: str, engine: Engine, hotpath: Run) -> None:
    status, out, err = hotpath("run", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert err.startswith("hotpath: ")
    assert err.count("\n") == 1


def test_save_writes_what_phases_made(engine: Engine, hotpath: Run, tmp_path: Path) -> None:
    assert hotpath("run", "--save", str(tmp_path / "new"), "--until", "count")[0] == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["count.json", "load.json", "values.json"]


REMARKS = [
    {
        "pass": "deadcode",
        "function": "sys_lseek$202",
        "label": "sys_lseek$202.3",
        "kind": "passed",
        "reason": "nobody needs it",
        "detail": "mov [esp]: gone",
        "address": 0xC0101000,
        "executed": 24.6,
        "saved": 24.6,
    },
    {
        "pass": "guard",
        "function": "sys_lseek$202",
        "label": "sys_lseek$202",
        "kind": "missed",
        "reason": 'costs "more"',
        "detail": "",
        "address": None,
        "executed": None,
        "saved": None,
    },
]


def test_remarks_are_yaml_documents_in_the_form_of_llvm(engine: Engine, hotpath: Run) -> None:
    engine.changes = {"specialize": {"summary": {"remarks": REMARKS}}}
    status, out, err = hotpath("export", "remarks")
    assert (status, err, engine.options.until) == (0, "", "specialize")
    first, second = out.removesuffix("...\n").split("...\n")
    assert first.splitlines() == [
        "--- !Passed",
        "Pass:            deadcode",
        "Name:            DeadcodePassed",
        "DebugLoc:        { File: kernel, Line: 3222278144, Column: 0 }",
        'Function:        "sys_lseek$202"',
        "Hotness:         25",
        "Args:",
        '  - String:          "nobody needs it"',
        '  - Detail:          "mov [esp]: gone"',
        '  - Block:           "sys_lseek$202.3"',
        '  - Saved:           "24.6"',
    ]
    assert second.startswith("--- !Missed\nPass:            guard\n")
    assert '"costs \\"more\\""' in second
    assert "Hotness" not in second
    assert "Detail" not in second


def test_remarks_as_json(engine: Engine, hotpath: Run) -> None:
    engine.changes = {"specialize": {"summary": {"remarks": REMARKS}}, "inline": {"summary": {"remarks": REMARKS[1:]}}}
    _, out, _ = hotpath("export", "remarks", "--json")
    assert json.loads(out) == {
        "schema": "hotpath.remarks/1",
        "program": "readseek",
        "remarks": REMARKS,
    }


def test_provenance_is_a_json_object_a_line(engine: Engine, hotpath: Run) -> None:
    rows = [
        {"address": 16 * n, "size": 1, "function": "f", "origins": [n], "pass": None, "reason": None} for n in (1, 2)
    ]
    engine.changes = {"layout": {"provenance": lambda: iter(rows)}}
    status, out, err = hotpath("export", "provenance")
    assert (status, err, engine.options.until) == (0, "", "layout")
    assert [json.loads(line) for line in out.splitlines()] == rows
    _, out, _ = hotpath("export", "provenance", "--json")
    assert json.loads(out) == {"schema": "hotpath.provenance/1", "program": "readseek", "instructions": rows}
