"""The command on a terminal: a real one, as far as the command can tell."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.tui.shell import ROOT

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
COLOR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|38;[25];)[0-9;]*m")


class Terminal:
    """A child whose stdin, stdout and stderr are one terminal of 80 × 24."""

    def __init__(self, child: subprocess.Popen[bytes], end: int) -> None:
        self.child, self.end, self.seen = child, end, ""

    def read_until(self, words: str, seconds: float = 60) -> str:
        """All that was written until `words` came; "" for the end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if words and words in self.seen:
                return self.seen
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.end, 65536).decode(errors="replace")
                except OSError:  # Linux's way to say that the other end is closed
                    return self.seen
            elif self.child.poll() is not None:
                return self.seen
        raise AssertionError(f"{words!r} never came: {self.seen[-500:]!r}")

    def type(self, keys: str) -> None:
        os.write(self.end, keys.encode())


@contextmanager
def terminal(*arguments: str, **variables: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    quiet = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {**quiet, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **variables}
    child = subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(child, ours)
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def test_progress_and_colors_on_a_terminal() -> None:
    with terminal("load") as screen:
        text = screen.read_until("")
    assert "load" in text.split("1 load")[0]  # progress came first …
    assert "\r\x1b[K" in text  # … and was erased
    assert COLOR.search(text)


def test_no_color_is_obeyed() -> None:
    with terminal("load", NO_COLOR="1") as screen:
        text = screen.read_until("")
    assert "What was loaded" in text
    assert not COLOR.search(text)


@pytest.mark.parametrize("variables", [{}, {"TERM": "dumb"}], ids=["plain", "dumb"])
def test_plain_has_no_escape_codes(variables: dict[str, str]) -> None:
    with terminal("load", *([] if variables else ["--plain"]), **variables) as screen:
        text = screen.read_until("")
    assert "What was loaded" in text
    assert "\x1b" not in text


def test_hotpath_alone_is_the_walkthrough_and_q_leaves_it() -> None:
    with terminal() as screen:
        screen.read_until("Quit")
        screen.type("q")
        screen.read_until("")
        assert screen.child.wait(30) == 0
    assert "Traceback" not in screen.seen


def test_the_walkthrough_shows_the_real_phases() -> None:
    with terminal() as screen:
        screen.read_until("What was loaded")
        screen.type("n")
        screen.read_until("System calls")
        screen.type("q")
        screen.read_until("")
        assert screen.child.wait(30) == 0


def test_ctrl_c_ends_a_run_with_130_and_one_line() -> None:
    with terminal("run", "--plain") as screen:
        screen.read_until("2 values")
        screen.child.send_signal(signal.SIGINT)
        text = screen.read_until("")
        assert screen.child.wait(30) == 130
    assert text.rstrip().endswith("hotpath: interrupted")
    assert "Traceback" not in text
