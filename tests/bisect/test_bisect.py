"""The step that does harm is found by halves, and named: pass, function, edit (issue 5, "What must be seen" 3)."""

from __future__ import annotations

import json
import subprocess
import sys
from math import ceil, log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewriter.bisection import culprit
from rewriter.passes.steps import Steps
from tests.bisect.broken import BITES, search
from tests.mutants.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", BITES)
def test_a_broken_pass_is_named_with_its_function(mutant: str) -> None:
    """Wrong flag effect, store forwarded across an aliasing store, missing exception entry; `tests/mutants` shows that
    the suite notices them, too."""
    assert MUTANTS[mutant].killers
    command = [sys.executable, "-m", "tests.bisect.broken", mutant]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    found, bite = json.loads(done.stdout), BITES[mutant]
    assert (found["pass"], found["function"]) == (bite.pass_name, bite.function)
    assert (tuple(found["before"]), tuple(found["after"])) == (bite.before, bite.after)
    assert found["runs"] <= 4 + 2 * ceil(log2(found["steps"]))


@pytest.mark.parametrize("mutant", BITES)
def test_nobody_is_blamed_where_nothing_is_broken(mutant: str) -> None:
    assert search(BITES[mutant].text) is None


def test_a_broken_pass_is_named_where_the_kernel_dies_of_it() -> None:
    """A copy of sys_read, whose copy has no exception entry."""
    breaks = "from tests.mutants.mutants import MUTANTS; MUTANTS['copies_cannot_fault'].breaks()"
    command = [sys.executable, "-c", f"{breaks}; import tui.command; tui.command.main()"]
    options = ["bisect", "-p", "usertests pointer-read-border", "--json"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert (found["pass"], found["function"].partition("$")[0]) == ("inline", "sys_read")
    assert "page fault" in found["why"]
    assert found["first"]["good"]["where"].startswith("fixup_exception")


@given(st.integers(1, 300), st.data())
def test_the_first_bad_step_is_found_in_few_runs(total: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(1, total))
    parts = data.draw(st.integers(1, 40))
    worst = data.draw(st.integers(1, parts))

    def build(steps: Steps) -> tuple[int, int]:
        """How many steps were made, and how many parts of the bad one."""
        made = 0
        for n in range(1, total + 1):
            kept = steps.some("pass", f"f{n}", range(parts if n == bad else 1))
            made = len(kept) if n == bad and kept else made
        return len(steps.done), made

    found = culprit(build, lambda image: "it breaks" if image[1] >= worst else None)
    assert found is not None
    assert found.step is not None
    assert (found.number, found.step.function, found.total) == (bad, f"f{bad}", total)
    assert found.part == (worst if parts > 1 else 0)
    assert found.name == str(worst - 1)
    assert found.runs <= 4 + ceil(log2(total + 1)) + ceil(log2(parts + 1))


def test_no_step_is_to_blame_for_what_goes_wrong_without_any() -> None:
    found = culprit(lambda steps: steps.happens("pass", "f"), lambda image: "it breaks")
    assert found is not None
    assert found.step is None
    assert found.why == "it breaks"


def test_a_step_that_cannot_be_built_is_named() -> None:
    def build(steps: Steps) -> int:
        for n in range(9):
            if steps.happens("pass", f"f{n}") and n == 5:
                raise RuntimeError("no")
        return len(steps.done)

    found = culprit(build, lambda image: None)
    assert found is not None
    assert found.step is not None
    assert (found.number, found.step.function, found.why) == (6, "f5", "it cannot be built: RuntimeError: no")
