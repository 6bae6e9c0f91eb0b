"""Every instruction of a specialized kernel says where it comes from, and what was made says by whom and why."""

from __future__ import annotations

from typing import Any

import pytest

from rewriter.elf import load
from rewriter.ir import Insn
from rewriter.options import Options, System
from rewriter.phases.order import ALL_PASSES
from rewriter.pipeline import run
from rewriter.profile import Profile
from rewriter.reasons import Reason
from rewriter.report import PhaseResult
from rewriter.x86.effects import effects
from rewriter.x86.flow import CALLS, Flow, flow
from tests.phases.runs import made, other

Rows = list[dict[str, Any]]
REGION = (Reason.VALUE, Reason.MEMORY, Reason.CONDITION, Reason.MOVED, Reason.KEPT, Reason.ESP, Reason.REBUILT)


@pytest.fixture(scope="module", params=["default", "as published", "shuffled", "training set"])
def laid(request: pytest.FixtureRequest, system: System) -> tuple[System, PhaseResult]:
    found = made(request.param).results["layout"]
    return other("shuffled") if request.param == "shuffled" else system, found


def rows_of(result: PhaseResult) -> Rows:
    assert result.provenance is not None
    found: Any = list(result.provenance())
    return list(found)


def decoded(image: bytes, system: System) -> dict[int, Insn]:
    """The instructions of an image, by address, but for functions whose bytes are not understood."""
    functions = load(image, system.contract).functions
    return {i.origin: i for f in functions if not f.verbatim for i in f.insns() if i.origin is not None}


def test_every_instruction_of_the_text_has_an_entry(laid: tuple[System, PhaseResult]) -> None:
    system, result = laid
    rows = rows_of(result)
    made = decoded(result.files["kernel.specialized.elf"], system)
    entries = {row["address"]: row for row in rows}
    assert len(entries) == len(rows)
    assert made.keys() <= entries.keys()
    assert all(entries[address]["size"] == len(insn.raw) for address, insn in made.items())


def test_what_is_unchanged_is_the_instruction_that_it_says(laid: tuple[System, PhaseResult]) -> None:
    system, result = laid
    old, new = decoded(system.kernel, system), decoded(result.files["kernel.specialized.elf"], system)
    unchanged = [row for row in rows_of(result) if row["pass"] is None]
    assert len(unchanged) > 10_000
    for row in unchanged:
        (origin,) = row["origins"]
        if origin in old and row["address"] in new:
            was, now = old[origin], new[row["address"]]
            assert blank(was) == blank(now) or flow(was.raw) in (Flow.JUMP, Flow.BRANCH)


def blank(insn: Insn) -> bytes:
    """Its bytes without what its references fill in."""
    raw = bytearray(insn.raw)
    for ref in insn.refs:
        raw[ref.offset : ref.offset + 4] = bytes(4)
    return bytes(raw)


def test_what_was_made_names_pass_reason_and_instructions_of_the_input(laid: tuple[System, PhaseResult]) -> None:
    system, result = laid
    old = decoded(system.kernel, system)
    made = [row for row in rows_of(result) if row["pass"] is not None]
    assert {row["pass"] for row in made} <= {*ALL_PASSES, "dispatch"}
    assert {row["reason"] for row in made} <= {str(reason) for reason in Reason} - {Reason.WRITTEN}
    assert all(origin in old for row in made for origin in row["origins"])
    alone = {row["reason"] for row in made if not row["origins"]}
    assert alone <= {
        *(Reason.CONNECTED, Reason.ONE_FRAME, Reason.REBUILT, Reason.PASSED_ON, Reason.DISPATCH, Reason.TESTED),
        *(Reason.RENUMBERED, Reason.CONDITION, Reason.MOVED, Reason.KEPT, Reason.ESP),
    }


def test_a_region_names_what_it_stands_for(laid: tuple[System, PhaseResult]) -> None:
    """What touches memory stands for an instruction that does, what decides for one that tests or branches."""
    system, result = laid
    old = decoded(system.kernel, system)
    rows = [row for row in rows_of(result) if row["pass"] == "region"]
    for row in rows:
        stands_for = [old[origin] for origin in row["origins"]]
        assert row["reason"] in REGION
        if row["reason"] == Reason.MEMORY:
            calls = any(flow(insn.raw) in CALLS for insn in stands_for)
            assert calls or any(effects(insn).loads or effects(insn).stores for insn in stands_for), row
        if row["reason"] == Reason.CONDITION and stands_for:
            assert any(flow(i.raw) in (Flow.BRANCH, Flow.CALL_INDIRECT) or effects(i).may_write for i in stands_for)
    several = [row for row in rows if len(row["origins"]) > 1]
    assert several or not rows


def test_tests_of_arguments_stand_for_nothing(results: dict[str, PhaseResult], system: System) -> None:
    """What one pass wrote is still known behind the others; what several instructions became knows all of them."""
    profile = Profile.from_json(results["inline"].files["kernel.profile.json"])
    options = Options(profile=profile, until="layout", without=frozenset({"region", "entry"}))
    *_, last = run(options, system)
    rows = rows_of(last)
    assert {row["pass"] for row in rows if row["reason"] == Reason.TESTED} == {"arguments"}
    peepholes = [row for row in rows if row["pass"] == "peephole"]
    assert any(len(row["origins"]) > 1 for row in peepholes)
