"""Control-C while the emulator runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Within, a SIGINT calls `stop`; what it means otherwise (KeyboardInterrupt) happens at the end.

    Python would raise it at the beginning of the next callback from the emulator, outside every `try`, and lose it.
    Signals reach the main thread only: in others this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[FrameType | None] = []

    def note(_: int, frame: FrameType | None) -> None:
        seen.append(frame)
        stop()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if seen and callable(before):
            before(signal.SIGINT, seen[0])
