"""What the keys do and what the marks mean."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

TEXT = """\
[bold $primary]Hotpath[/] boots a small kernel on a simulated PC, watches what a program \
asks of it, rewrites the kernel's binary along the hot paths, gives the program new \
system calls, and measures what that bought. Nine phases, each with its section of the paper.

[bold]n  p[/]      next, previous phase         [bold]1 … 9[/]   that phase
[bold]↑  ↓[/]      scroll                       [bold]PgUp PgDn Home End[/]
[bold]d[/]         everything, or in short      [bold]r[/]       run all phases again
[bold]?[/]         this page                    [bold]q[/]       quit

[$text-success]✓[/] done    [$text-warning]▸[/] running    [$text-muted]·[/] waiting    [$text-error]✗[/] failed

In assembly, red lines go and green lines come. θ is the hot functions' share of all \
instructions; N is how many call traces a table holds.

Any key closes this page."""


class HelpScreen(ModalScreen[None]):
    """A page over the phase; any key closes it."""

    CSS = """
    HelpScreen { align: center middle; }
    HelpScreen Static {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(Content.from_markup(TEXT))

    def on_key(self, event: Key) -> None:
        event.stop()
        self.dismiss()

    def on_click(self) -> None:
        self.dismiss()
