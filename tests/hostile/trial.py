"""One command line over broken files, in a process of its own that is watched: what it answered, took and left behind.

Allowed are success, with what the case's check wants of it, and one line with exit status 2 or 3; 1 where a kernel
or program that was run may fail.  Never a traceback, a crash, a hang, a gigabyte, or a file that nobody asked for.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui import exits
from tui.command import invoke

SECONDS = 5.0  # of processor time for one command
PATIENCE = 900  # seconds of the clock: on a busy machine the last ones get little of it
GIGABYTE = 1 << 30
LONGEST = 400  # characters of a line
BROKEN, UNFIT = 70, 71  # exit statuses of a child that fell over, or whose success is none
REFUSED = (exits.WRONG, exits.LACKING)


@dataclass(frozen=True)
class Case:
    """Broken `files` by name, and the command line that gets them; `makes` are the files that success may leave, and
    `check` says what is wrong with them.  `fails`: exit status 1 is an answer, too.  Where the content is a string,
    there is a link to that; a name that ends in a slash is a folder."""

    kind: str
    seed: int
    what: str  # how the files were broken
    files: Mapping[str, bytes | str]
    command: tuple[str, ...]
    makes: Collection[str] = ()
    check: Callable[[Path], str | None] = lambda _: None
    fails: bool = False
    seconds: float = SECONDS
    work: Callable[[], object] | None = None  # instead of a command line


@dataclass(frozen=True)
class Answer:
    """`fault`: what is wrong with it, None if nothing is."""

    case: Case
    status: int
    line: str
    seconds: float  # of processor time
    memory: int  # bytes, at most, over what the process had that tried it
    fault: str | None


def attempt(case: Case) -> Answer:
    """Do it, watched."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder, said = Path(name, "work"), Path(name, "said")
        folder.mkdir()
        said.mkdir()
        for path, content in case.files.items():
            _lay(folder, path, content)
        before, held = _tree(folder), _resident()
        child = os.fork()
        if not child:
            _child(case, folder, said)
        status, usage = _watched(child)
        seconds = usage.ru_utime + usage.ru_stime
        words = (said / "2").read_text(errors="replace")
        left = sorted(_tree(folder) - before - ({*case.makes} if status == 0 else set()))
        fault = _fault(case, status, words, left)
        if (said / "took").exists():
            seconds = float((said / "took").read_text())
        if fault is None and seconds > case.seconds:
            fault = f"took {seconds:.1f} s"
        memory = (usage.ru_maxrss << 10) - held
        if fault is None and memory > GIGABYTE:
            fault = f"took {memory >> 20} MiB"
    return Answer(case, status, words.strip()[-LONGEST:], seconds, memory, fault)


def _resident() -> int:
    """Bytes of memory that this process holds: a child's peak begins with them, whatever it does itself."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _lay(folder: Path, name: str, content: bytes | str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith("/"):
        path.mkdir()
    elif isinstance(content, str):
        path.symlink_to(content)
    else:
        path.write_bytes(content)


def _fault(case: Case, status: int, words: str, left: Collection[str]) -> str | None:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    if status == BROKEN:
        return f"fell over: {words.strip().splitlines()[-1]} [{_place(words)}]"
    if status == UNFIT:
        return words.strip()
    if left:
        return f"left {', '.join(left)}"
    if status == 0:
        return None
    if status not in REFUSED and not (case.fails and status == exits.FAILED):
        return f"status {status}: {words.strip()}"
    if words.count("\n") != 1 or not words.endswith("\n") or not words.startswith("hotpath: "):
        return f"not one line: {words[:LONGEST]!r}"
    if not words[:-1].isprintable() or len(words) > LONGEST:
        return f"not a line to read: {words[:LONGEST]!r}"
    return None


def _place(words: str) -> str:
    """The innermost place of a traceback."""
    places = [line.strip() for line in words.splitlines() if line.startswith("  File ")]
    return places[-1].rpartition("/")[2] if places else ""


def _tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _watched(child: int) -> tuple[int, resource.struct_rusage]:
    """Wait for its end; (exit status, or the signal below zero; what it took)."""

    def kill(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    before = signal.signal(signal.SIGALRM, kill)
    signal.alarm(PATIENCE)
    try:
        _, status, usage = os.wait4(child, 0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return os.waitstatus_to_exitcode(status), usage


def _child(case: Case, folder: Path, said: Path) -> None:
    """Never returns."""
    status = BROKEN
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(0)
        limit = int(case.seconds * 3) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (4 * GIGABYTE, 4 * GIGABYTE))
        for number in (1, 2):
            os.dup2(os.open(said / str(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", errors="replace") for n in (1, 2))
        os.chdir(folder)
        os.environ[exits.TRACEBACK] = "1"
        start = os.times()
        status = exits.ending(case.work or (lambda: invoke(list(case.command))))
        end = os.times()
        (said / "took").write_text(str(end.user + end.system - start.user - start.system))
        if status == 0:
            wrong = case.check(folder)
            if wrong is not None:
                sys.stderr.write(wrong)
                status = UNFIT
    except BaseException:
        status = BROKEN
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
