"""One line on stderr that says what is being done, only where a person watches."""

from __future__ import annotations

import os
import shutil
import sys
from types import TracebackType

ERASE = "\r\x1b[K"


class Progress:
    """Call it with a line; leaving the `with` erases the last one."""

    def __init__(self, quiet: bool = False) -> None:
        self.shown = not quiet and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def __call__(self, line: str) -> None:
        if self.shown:
            room = shutil.get_terminal_size().columns - 1
            sys.stderr.write(ERASE + line[:room])
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self("")
