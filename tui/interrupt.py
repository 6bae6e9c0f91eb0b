"""Ctrl-C asks the work to stop at its next chance; a second one insists, and so does a second that passes.

An exception raised inside a callback of the simulator would be swallowed there, so the first Ctrl-C only sets a
flag that the machine and the phases look at.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE = 1.0  # seconds that the work has to stop by itself


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Yield `cancelled()`.  Whatever the block does after Ctrl-C, KeyboardInterrupt leaves it."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)

    before = signal.signal(signal.SIGINT, ask), signal.signal(signal.SIGALRM, ask)
    try:
        yield asked.is_set
    except Exception:
        if not asked.is_set():
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGALRM, before[1])
    if asked.is_set():
        raise KeyboardInterrupt
