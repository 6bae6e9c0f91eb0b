"""Ctrl-C: the first asks, the second insists."""

from __future__ import annotations

import signal
import time

import pytest

from tui import interrupt
from tui.interrupt import interruptible


def interrupted(times: int, log: list[bool]) -> None:
    """Press Ctrl-C so many times inside the block, noting the flag around it."""
    with interruptible() as cancelled:
        log.append(cancelled())
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        log.append(cancelled())


def test_the_first_sets_the_flag_and_ends_the_block_with_keyboard_interrupt() -> None:
    log: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(1, log)
    assert log == [False, True]


def test_the_second_insists() -> None:
    log: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(2, log)
    assert log == [False]


def test_work_that_does_not_look_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "PATIENCE", 0.05)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        busy(20)
    assert time.monotonic() - start < 10
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def busy(seconds: float) -> None:
    with interruptible():
        signal.raise_signal(signal.SIGINT)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass


def stopped() -> None:
    with interruptible():
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("the machine was stopped")


def test_what_the_work_raises_when_cancelled_does_not_matter() -> None:
    with pytest.raises(KeyboardInterrupt):
        stopped()


def test_errors_pass_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="its own"), interruptible():
        raise RuntimeError("its own")
    assert signal.getsignal(signal.SIGINT) is before
