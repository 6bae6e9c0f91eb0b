"""What runs first: before the libraries are there, Ctrl-C already ends in one line."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # as typing has it, which would have to be imported before anybody answers Ctrl-C
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

LINE, STATUS = b"hotpath: interrupted\n", 130  # as tui.exits has them, which is not imported yet


def main() -> NoReturn:
    """The entry point of the script `hotpath`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else whoever started us wants no Ctrl-C
        signal.signal(signal.SIGINT, _leave)
    from rewriter.garbage import look_seldom

    look_seldom()
    from tui.command import main as command

    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, LINE)
    os._exit(STATUS)
