"""The command as a person meets it: what it prints where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.shell import ROOT, hotpath

HEAVY = ("unicorn", "capstone", "keystone", "elftools", "textual", "rich", "networkx")


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, tui.command; print([name for name in {HEAVY} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_help_lists_the_exit_statuses() -> None:
    ran = hotpath("--help")
    assert ran.returncode == 0
    assert "130 interrupted" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("frobnicate",), "hotpath: No such command 'frobnicate' (see hotpath --help)"),
        (("export",), "hotpath: Missing command (see hotpath export --help)"),
        (("doctor", "--frobnicate"), "hotpath: No such option '--frobnicate' (see hotpath doctor --help)"),
    ],
)
def test_wrong_usage_is_one_line_and_two(arguments: tuple[str, ...], line: str) -> None:
    ran = hotpath(*arguments)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line + "\n")


def test_doctor_finds_what_runs_this_test() -> None:
    ran = hotpath("doctor", "--json")
    report = json.loads(ran.stdout)
    versions = {finding["name"]: finding["version"] for finding in report["findings"]}
    assert report["schema"] == "hotpath.doctor/1"
    assert versions["python"] == sys.version.split()[0]
    assert versions["pytest"] == pytest.__version__


def test_doctor_says_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tui.verbs import doctor

    monkeypatch.setattr(doctor, "REQUIRED", (("no-such-package", "nothing"),))
    ran = CliRunner().invoke(doctor.doctor)
    assert ran.exit_code == 3
    assert "LACK  no-such-package" in ran.stdout
    assert ran.stderr == "Error: not installed: no-such-package\n"


def test_a_full_disk_is_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "tui", "doctor", "--json"]
        ran = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (3, "hotpath: output: No space left on device\n")


def test_a_closed_pipe_is_silent() -> None:
    code = "import os, sys, tui.command\nos.close(0)\nsys.argv[1:] = ['doctor', '--json']\ntui.command.main()"
    reader = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert reader.stdout is not None
    assert reader.stderr is not None
    reader.stdout.close()
    assert reader.stderr.read() == b""
    assert reader.wait(60) == 141
