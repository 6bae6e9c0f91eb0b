"""The first line: what is specialized, and how far the walk has come."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.walk import Walk


class Masthead(Horizontal):
    """The subject to the left, the state to the right."""

    DEFAULT_CSS = """
    Masthead { height: auto; padding: 0 1; }
    Masthead #subject { width: 1fr; }
    Masthead #state { width: auto; padding-left: 2; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="subject")
        yield Static(id="state")

    def show(self, walk: Walk) -> None:
        subject = Content.assemble(("Hotpath", "bold $primary"), "  ", (walk.subject, "dim"))
        self.query_one("#subject", Static).update(subject)
        self.query_one("#state", Static).update(Content(state(walk)))


def state(walk: Walk) -> str:
    """In a few words: running, failed, or how long it took."""
    if walk.error:
        return "failed"
    return f"done in {walk.seconds:.1f} s" if walk.finished else "running…"
