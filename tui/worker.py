"""The generator of the phases in a thread of its own, which ends when it is told to.

Not a worker of Textual: cancelling one does not end its thread, and quitting waits for it.  Here a flag does, which
the machine polls and which every line of progress looks at; a phase that looks at neither has to be abandoned.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from textual.message import Message
from textual.message_pump import MessagePump

from rewriter.report import PhaseResult

Phases = Callable[[Callable[[str], None], Callable[[], bool]], Iterator[PhaseResult]]


class Stopped(Exception):
    """The attempt is not wanted any more."""


@dataclass
class Doing(Message):
    """The running phase says what it does."""

    attempt: Attempt
    line: str


@dataclass
class Done(Message):
    """A phase has ended."""

    attempt: Attempt
    result: PhaseResult


@dataclass
class Broken(Message):
    """The running phase failed; one line says why."""

    attempt: Attempt
    line: str


@dataclass(eq=False)
class Attempt:
    """One run through the phases; it tells `listener` by messages that carry this attempt."""

    phases: Phases
    listener: MessagePump
    _stop: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask it to end; nothing is told from now on."""
        self._stop.set()

    def ended(self, patience: float) -> bool:
        """Whether the thread has ended; wait for so many seconds."""
        return self._ended.wait(patience)

    def start(self, previous: Attempt | None = None) -> None:
        """Begin, once the previous attempt has let go of the machine."""
        threading.Thread(target=self._run, args=(previous,), daemon=True).start()

    def _run(self, previous: Attempt | None) -> None:
        try:
            if previous is not None:
                self._tell(Doing(self, "waiting for the earlier run to stop"))
                previous._ended.wait()
            self._drive()
        except Exception as error:
            self._tell(Broken(self, one_line(error)))
        finally:
            self._ended.set()

    def _drive(self) -> None:
        for result in self.phases(self._say, self._stop.is_set):
            self._tell(Done(self, result))
            if self._stop.is_set():
                return

    def _say(self, line: str) -> None:
        if self._stop.is_set():
            raise Stopped
        self._tell(Doing(self, line))

    def _tell(self, message: Message) -> None:
        if not self._stop.is_set():
            self.listener.post_message(message)


def one_line(error: Exception) -> str:
    """What an error says; its kind too where it is not one that was meant for people."""
    text = " ".join(str(error).split())
    expected = isinstance(error, (RuntimeError, ValueError, OSError)) and text
    return text if expected else f"{type(error).__name__}: {text}".removesuffix(": ")
