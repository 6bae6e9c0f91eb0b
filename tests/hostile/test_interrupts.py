"""Ctrl-C ends a command soon, with one line, and leaves whole files or none; so do files that cannot be written.

For many: `python -m tests.hostile.interrupts COUNT SEED`.
"""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.hostile import interrupts
from tests.hostile.interrupts import KERNEL, ROOT, WORK, interrupt, whole
from tests.tui.shell import hotpath

PATIENCE = 20.0  # seconds of the clock, on a busy machine; alone it takes one


@pytest.mark.parametrize(
    ("name", "after", "everybody"),
    [
        ("run", 2.0, True),
        ("export", 5.0, True),
        ("certify", 6.0, False),
        ("rewrite", 0.9, True),
    ],
)
def test_an_interrupt_ends_a_command(name: str, after: float, everybody: bool, tmp_path: Path) -> None:
    ending = interrupt(name, after, tmp_path, everybody)
    assert ending.fault is None
    assert ending.seconds < PATIENCE


def test_before_the_libraries_are_there() -> None:
    """Importing them takes longer than all else before the work begins."""
    code = """
import os, signal, sys
import tui.start

class Interrupting:
    def find_spec(*_):
        os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
tui.start.main()
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, "hotpath: interrupted\n")


def limited(size: int, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command where no file can be larger than so many bytes, as on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tui", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, preexec_fn=limit
    )


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000])
def test_a_full_disk_is_one_line(size: int, tmp_path: Path) -> None:
    for arguments in (("rewrite", KERNEL, "-o", "out.elf"), ("load", "--save", "saved", "--plain")):
        ran = limited(size, *arguments, cwd=tmp_path)
        assert ran.returncode in (2, 3), ran.stderr
        assert ran.stderr.count("\n") == 1
        assert ran.stderr.endswith(": File too large\n")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_is_full_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "tui", "load", "--plain"]
        ran = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (3, "hotpath: output: No space left on device\n")


@pytest.mark.skipif(not Path("/proc/1").exists(), reason="there is no /proc")
def test_a_folder_that_takes_no_files_is_one_line() -> None:
    """Also root cannot write there."""
    for arguments in (("rewrite", KERNEL, "-o", "/proc/1/out.elf"), ("load", "--save", "/proc/1/x", "--plain")):
        ran = hotpath(*arguments)
        assert ran.returncode in (2, 3)
        assert ran.stderr.count("\n") == 1
        assert ran.stderr.startswith("hotpath: /proc/1/")


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    """Whoever looks at any moment sees whole files, and both make the same."""
    expected = whole("rewrite")["out.elf"]
    (tmp_path / "saved").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tui", *interrupts.COMMANDS["rewrite"]]
    pair = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    seen: set[bytes] = set()

    def look() -> None:
        while any(one.poll() is None for one in pair):
            if (tmp_path / "saved" / "out.elf").exists():
                seen.add((tmp_path / "saved" / "out.elf").read_bytes())
            time.sleep(0.001)

    looker = threading.Thread(target=look)
    looker.start()
    assert [one.wait() for one in pair] == [0, 0]
    looker.join()
    assert seen <= {expected}
    assert [path.name for path in (tmp_path / "saved").iterdir()] == ["out.elf"]
    assert (tmp_path / "saved" / "out.elf").read_bytes() == expected


def test_a_profile_that_somebody_replaces_is_read_whole(tmp_path: Path) -> None:
    """`--from` beside `--save` in one folder: the old profile or the new one."""
    done = [
        subprocess.Popen(
            [sys.executable, "-m", "tui", "run", "--save", "saved", "--until", "inline", *WORK],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert [len(one.communicate()[0]) > 0 and one.returncode for one in done] == [0, 0]
    assert [path.name for path in (tmp_path / "saved").iterdir() if path.name.startswith(".")] == []
    ran = hotpath("values", "--from", str(tmp_path / "saved"), *WORK)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_phase_looks_whether_it_is_wanted() -> None:
    """The walkthrough cannot raise an exception in a thread: it has to wait for the next look."""
    from rewriter.options import Options
    from rewriter.pipeline import run
    from tui.system import toy

    looks = [time.process_time()]

    def cancelled() -> bool:
        looks.append(time.process_time())
        return False

    for _ in run(Options(commands=("readseek 8192 2",), until="layout"), toy(), cancelled=cancelled):
        pass
    assert max(after - before for before, after in pairwise(looks)) < 1.5


def test_what_answers_first_needs_no_library() -> None:
    """Until it is there, Ctrl-C is answered by Python, with a traceback."""
    code = "import signal, sys; before = {*sys.modules}; import tui.start; print({*sys.modules} - before)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ast.literal_eval(ran.stdout) <= {"__future__", "tui", "tui.start"}
