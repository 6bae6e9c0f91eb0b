"""A pass that leaves an invalid function costs the new call that it did so to, and no other, if the options forgive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewriter.elf import load
from rewriter.options import Options, System
from rewriter.passes import entry, specialize
from rewriter.passes.transform import Broken
from rewriter.passes.work import Work
from rewriter.phases import specialize as phase
from rewriter.pipeline import Learned, finished, learn, make
from rewriter.reasons import Reason
from rewriter.report import PhaseResult
from rewriter.verify import verify
from tui.exits import DEFECT, Defect, ending
from tui.system import errors_in_one_line

OPTIONS = Options(commands=("readseek 16384 6",), forgiving=True)


@pytest.fixture(scope="module")
def learned(system: System) -> Learned:
    return finished(learn(OPTIONS, system, lambda _: None, lambda: False))


def made(options: Options, system: System, learned: Learned) -> dict[str, PhaseResult]:
    return {r.name: r for r in make(options, system, learned, lambda _: None, lambda: False)}


def breaking(work: Work) -> None:
    if work.name.startswith("sys_lseek"):
        work.function.blocks[0].falls_to = "nowhere"


def breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = tuple((name, breaking if name == "flatten" else each) for name, each in specialize.PASSES)
    monkeypatch.setattr(specialize, "PASSES", passes)


def test_its_new_call_is_refused(monkeypatch: pytest.MonkeyPatch, system: System, learned: Learned) -> None:
    breaks(monkeypatch)
    results = made(OPTIONS, system, learned)
    remarks = [r for r in results["specialize"].summary["remarks"] if r["reason"] == Reason.BROKEN]
    assert [(r["function"].partition("$")[0], r["kind"]) for r in remarks] == [("sys_lseek", "missed")]
    assert remarks[0]["detail"].startswith("after flatten: sys_lseek$")
    assert results["specialize"].refused[Reason.BROKEN] == 1
    kernel = load(results["layout"].files["kernel.specialized.elf"], system.contract)
    assert verify(kernel) == []
    new = {f.name.partition("$")[0] for f in kernel.functions if f.name.startswith("sys_") and "$" in f.name}
    assert new == {"sys_read"}


def test_who_does_not_forgive_hears_of_it(monkeypatch: pytest.MonkeyPatch, system: System, learned: Learned) -> None:
    breaks(monkeypatch)
    with pytest.raises(Broken, match=r"after flatten: sys_lseek\$\d+: .* nowhere, which does not exist"):
        made(replace(OPTIONS, forgiving=False), system, learned)


def test_an_entry_that_is_invalid_is_left_out(
    monkeypatch: pytest.MonkeyPatch, system: System, learned: Learned
) -> None:
    """The call stays, as one that has none."""

    def enter(*arguments: object, **options: object) -> entry.Entered | None:
        entered = entry.enter(*arguments, **options)  # type: ignore[arg-type]
        if entered is not None:
            entered.function.blocks[-1].falls_to = "nowhere"
        return entered

    monkeypatch.setattr(phase, "enter", enter)
    results = made(OPTIONS, system, learned)
    remarks = [r for r in results["specialize"].summary["remarks"] if r["reason"] == Reason.BROKEN]
    assert {r["function"].partition("$")[0] for r in remarks} == {"sys_lseek", "sys_read"}
    assert all(r["detail"].startswith("after entry: ") for r in remarks)
    kernel = load(results["layout"].files["kernel.specialized.elf"], system.contract)
    assert {"sys_lseek", "sys_read"} <= {f.name.partition("$")[0] for f in kernel.functions if "$" in f.name}


def test_what_cannot_be_thrown_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with errors_in_one_line():
            raise Broken("the specialized kernel: f: falls to nothing")

    assert ending(work) == DEFECT
    said = capsys.readouterr().err
    assert said.startswith(
        "hotpath: a pass left something invalid: the specialized kernel: f: falls to nothing (hotpath"
    )
    assert said.count("\n") == 1


def test_what_nobody_expected_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert ending(lambda: {}["a\nb"]) == DEFECT
    said = capsys.readouterr().err
    assert "a defect of Hotpath, at phases/test_broken.py:" in said
    assert "KeyError: 'a\\nb'" in said
    assert said.count("\n") == 1
    monkeypatch.setenv("HOTPATH_TRACEBACK", "1")
    with pytest.raises(KeyError):
        ending(lambda: {}["a"])


def test_a_defect_is_an_error_of_the_command() -> None:
    assert Defect("x").exit_code == DEFECT
