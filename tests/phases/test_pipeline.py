"""What the pipeline as a whole promises: the same behavior, fewer instructions, nothing else touched."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from rewriter.behavior import differences
from rewriter.elf import load
from rewriter.options import Options, System
from rewriter.pipeline import Cancelled, run
from rewriter.profile import Profile, ProfileError
from rewriter.reasons import Reason
from rewriter.report import PHASES, PhaseResult
from rewriter.verify import verify
from toykernel.machine import Machine

ENOSYS = 38
EVERYTHING = ("hello", "readseek 9000 3", "calls", "fault read-null", "fault divide", "readseek 65536 2")


def test_the_nine_phases_come_in_order(results: dict[str, PhaseResult]) -> None:
    assert tuple(results) == PHASES


def test_what_was_loaded_adds_up(results: dict[str, PhaseResult]) -> None:
    found = results["load"]
    images: Any = found.summary["images"]
    pinned: Any = found.summary["pinned"]
    assert {name: row["pinned"] for name, row in images.items()} == {name: len(pinned[name]) for name in images}
    assert sum(row["functions"] for row in images.values()) == found.handled + sum(found.refused.values())
    assert sum(map(len, pinned.values())) == sum(found.refused.values()) > 0


def test_both_kernels_behave_the_same(results: dict[str, PhaseResult]) -> None:
    assert results["measure"].summary["behavior"]["same"] is True  # type: ignore[index]


def test_lseek_and_read_cost_less_and_other_calls_the_same(results: dict[str, PhaseResult]) -> None:
    calls: Any = results["measure"].summary["syscalls"]
    before, after = calls["lseek"]["instructions"]
    assert after <= 0.4 * before
    before, after = calls["read"]["instructions"]
    assert after <= 0.6 * before
    for name in ("close", "open", "exit"):
        before, after = calls[name]["instructions"]
        assert before == after, name


def test_no_argument_of_read_and_lseek_is_refused(results: dict[str, PhaseResult]) -> None:
    """A guard may not pay; but nothing speaks against what the numbers imply."""
    variants: Any = results["measure"].summary["syscalls"]
    assert {"1": 0, "2": 0}.items() <= variants["lseek"]["variants"][0]["constants"].items()
    assert variants["read"]["variants"][0]["constants"]["2"] == 4096
    remarks: Any = results["specialize"].summary["remarks"]
    refused = [row["reason"] for row in remarks if (row["pass"], row["kind"]) == ("arguments", "missed")]
    assert set(refused) <= {Reason.GUARD_COSTS}


def test_the_original_numbers_cost_what_they_did(results: dict[str, PhaseResult], system: System) -> None:
    """Programs that were not retargeted run on the new kernel, instruction for instruction as before; a fault alone
    may take another way, through an exception table that has grown by the entries of the clones.  Numbers behind the
    kernel's own have no call: they are looked for among the new ones first."""
    kernel = results["layout"].files["kernel.specialized.elf"]
    old, new = (
        system.machine.run(k, system.work(EVERYTHING), measure=True, check=True) for k in (system.kernel, kernel)
    )
    assert not differences(old, new)
    sites: Any = results["retarget"].summary["sites"]
    first = min(int(site["is"]) for site in sites)
    pairs = [(a, b) for a, b in zip(old.calls, new.calls, strict=True) if not a.faults]
    known = [(a.instructions, b.instructions) for a, b in pairs if a.number < first]
    assert len(known) > 100
    assert [a for a, _ in known] == [b for _, b in known]
    assert all(a.result == -ENOSYS for a, _ in pairs if a.number >= first)


def test_the_specialized_kernel_is_valid_and_can_be_read_again(results: dict[str, PhaseResult], system: System) -> None:
    program = load(results["layout"].files["kernel.specialized.elf"], system.contract)
    assert verify(program) == []
    names = {f.name for f in program.functions}
    assert {"sys_lseek$202", "sys_read$201"} <= names


def test_a_retargeted_program_runs_on_its_kernel_alone(results: dict[str, PhaseResult], system: System) -> None:
    program = {"readseek": results["retarget"].files["readseek.retargeted.elf"]}
    work = system.work(("readseek 4096 1",), program)
    assert system.machine.run(results["layout"].files["kernel.specialized.elf"], work).exits[0][1] == 0
    assert system.machine.run(system.kernel, work).exits[0][1] == 126


def test_two_runs_differ_in_seconds_alone(results: dict[str, PhaseResult], system: System) -> None:
    again = [replace(result, seconds=0.0) for result in run(Options(), system)]
    first = [replace(result, seconds=0.0) for result in results.values()]
    assert again == first


def test_until_stops_behind_a_phase(system: System) -> None:
    assert [r.name for r in run(Options(until="values"), system)] == ["load", "values"]


def test_cancelling_ends_the_run(system: System) -> None:
    heard: list[str] = []
    results = run(Options(), system, heard.append, lambda: len(heard) > 1)
    with pytest.raises(Cancelled):
        list(results)
    assert heard == ["load", "values: running the training set"]


@pytest.mark.parametrize("phase", ["values", "inline", "specialize", "layout"])
def test_cancelling_ends_what_is_under_way(phase: str, system: System, results: dict[str, PhaseResult]) -> None:
    """No phase goes on for long without a look: it is asked there, and stops at once."""
    profile = Profile.from_json(results["inline"].files["kernel.profile.json"])
    heard: list[str] = []
    looks: list[float] = []

    def cancelled() -> bool:
        if heard and heard[-1].startswith(phase):
            looks.append(time.process_time())
        return len(looks) > 3

    with pytest.raises(Cancelled):
        list(run(Options(profile=profile), system, heard.append, cancelled))
    assert heard[-1].startswith(phase)
    assert looks[-1] - looks[0] < 1


def test_summaries_are_json(results: dict[str, PhaseResult]) -> None:
    for result in results.values():
        assert json.loads(json.dumps(dict(result.summary))) is not None


def test_a_saved_profile_makes_the_same_kernel(results: dict[str, PhaseResult], system: System) -> None:
    profile = Profile.from_json(results["inline"].files["kernel.profile.json"])
    again = {r.name: r for r in run(Options(profile=profile, until="retarget"), system)}
    for phase in ("layout", "retarget"):
        assert again[phase].files == results[phase].files


def test_the_profile_of_another_kernel_is_refused(system: System) -> None:
    with pytest.raises(ProfileError, match="the profile is of kernel"):
        list(run(Options(profile=Profile("0" * 64)), system))


def test_the_ledger_accounts_for_every_instruction(results: dict[str, PhaseResult]) -> None:
    summary: Any = results["measure"].summary
    for name, row in summary["ledger"].items():
        before, after = (mean * row["calls"] for mean in summary["syscalls"][name]["instructions"])
        changes = sum(n for key, n in row.items() if key not in ("calls", "original", "specialized"))
        assert row["original"] + changes == row["specialized"]
        assert (row["original"], row["specialized"]) == pytest.approx((before, after), abs=1)
        each = dict(summary["ledger_per_call"][name])
        first, last = each.pop("original"), each.pop("specialized")
        assert first + sum(each.values()) == pytest.approx(last, abs=1e-9)
        assert (first, last) == pytest.approx(summary["syscalls"][name]["instructions"], abs=1e-3)


def test_an_interrupt_between_any_two_instructions_changes_nothing(
    results: dict[str, PhaseResult], system: System
) -> None:
    """On the way from the gate to a new call and back nothing is saved.  If it came more often than every eleventh,
    nobody would get on; other primes find other instructions."""
    kernel = results["layout"].files["kernel.specialized.elf"]
    programs = {"readseek": results["retarget"].files["readseek.retargeted.elf"]}
    work: Any = system.work(("readseek 9000 3",), programs)
    calm = Machine().run(kernel, work, check=True)
    for every in (11, 13, 17):
        stormy = Machine(storm=every).run(kernel, work, check=True)
        assert stormy.ticks > 300
        assert (stormy.console, stormy.exits) == (calm.console, calm.exits)
        assert [call.registers for call in stormy.calls] == [call.registers for call in calm.calls]
        assert [call.memory for call in stormy.calls] == [call.memory for call in calm.calls]
