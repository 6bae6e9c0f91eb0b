"""`hotpath measure --ablation`, on rows that no kernel made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from rewriter import ablation
from rewriter.ablation import ALL, ORIGINAL, UP_TO, WITHOUT, Row
from rewriter.options import Options, System
from rewriter.pipeline import Cancelled
from tests.tui.shell import Run

ROWS = (
    Row(ORIGINAL, "", 0, {"read": 269.0, "lseek": 132.0, "close": 85.0}, ()),
    Row(ALL, "", 2, {"read": 119.0, "lseek": 44.0, "close": 85.0}, ()),
    Row(WITHOUT, "sink", 2, {"read": 119.0, "lseek": 50.0, "close": 85.0}, ()),
    Row(UP_TO, "inline", 2, {"read": 260.0, "lseek": 130.5, "close": 85.0}, ()),
)
BROKEN = Row(WITHOUT, "entry", 2, {"read": 1.0}, ("console: line 3 differs",))


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    found = list(ROWS)

    def made(options: Options, system: System, progress: object, cancelled: Callable[[], bool]) -> Iterator[Row]:
        assert options.until == "measure"
        for row in found:
            if row.name == "interrupt":
                raise Cancelled
            yield row

    monkeypatch.setattr(ablation, "ablation", made)
    return found


def test_a_row_for_each_kernel_and_a_column_for_each_call_that_changed(rows: list[Row], hotpath: Run) -> None:
    status, out, err = hotpath("measure", "--ablation", "--plain")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["passes", "new", "calls", "read", "lseek"] in lines
    assert ["all", "passes", "2", "119.0", "44.0"] in lines
    assert ["without", "sink", "2", "119.0", "50.0"] in lines
    assert ["up", "to", "inline", "2", "260.0", "130.5"] in lines


def test_json_has_every_call(rows: list[Row], hotpath: Run) -> None:
    status, out, err = hotpath("measure", "--ablation", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["schema"] == "hotpath.ablation/1"
    assert found["rows"][2] == {
        "kind": "without",
        "pass": "sink",
        "new_calls": 2,
        "instructions": {"read": 119.0, "lseek": 50.0, "close": 85.0},
        "same": True,
        "differences": [],
    }


def test_a_kernel_that_behaves_otherwise_is_a_failed_check(rows: list[Row], hotpath: Run) -> None:
    rows.append(BROKEN)
    status, out, err = hotpath("measure", "--ablation", "--plain")
    assert status == 1
    assert "without entry" in out
    assert err == ("hotpath: 1 kernels behave otherwise than the original; without entry: console: line 3 differs\n")


def test_only_measure_has_it(hotpath: Run) -> None:
    status, _, err = hotpath("layout", "--ablation")
    assert status == 2
    assert "--ablation" in err
