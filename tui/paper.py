"""Where the command prints: rich on a terminal, plain text into a pipe."""

from __future__ import annotations

import os
import sys
from io import StringIO

from rich.console import Console, RenderableType

from tui.render import Look

ENDLESS = 100_000  # columns of plain text, which nothing wraps


class Paper:
    """stdout.  `plain` asks for plain text also on a terminal; NO_COLOR keeps the lines and drops the colors."""

    def __init__(self, plain: bool = False) -> None:
        self.plain = plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"
        self._console = Console(file=sys.stdout, highlight=False, emoji=False, markup=False)

    def look(self, detail: bool) -> Look:
        if self.plain:
            return Look(ENDLESS, plain=True, detail=detail)
        return Look(self._console.width, detail=detail)

    def print(self, what: RenderableType) -> None:
        """Print, and an empty line behind it."""
        if self.plain:
            sys.stdout.write(plain_text(what) + "\n")
        else:
            self._console.print(what)
            self._console.print()
        sys.stdout.flush()


def plain_text(what: RenderableType, width: int = ENDLESS) -> str:
    """Lines without colors and without blanks at their ends."""
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False, emoji=False, markup=False)
    with console.capture() as capture:
        console.print(what)
    return "".join(line.rstrip() + "\n" for line in capture.get().splitlines())
