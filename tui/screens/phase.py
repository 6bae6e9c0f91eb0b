"""The one screen of all nine phases: masthead, stepper, what the phase says, keys."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer, Rule

from tui.walk import Walk
from tui.widgets.masthead import Masthead
from tui.widgets.phase_view import PhaseView
from tui.widgets.stepper import Stepper


class PhaseScreen(Screen[None]):
    """Shows a walk; it has no state of its own."""

    CSS = """
    PhaseScreen Rule { margin: 0; height: 1; color: $primary-muted; }
    PhaseScreen Footer { background: $surface; }
    """

    def compose(self) -> ComposeResult:
        yield Masthead()
        yield Stepper()
        yield Rule()
        yield PhaseView()
        yield Footer()

    def show(self, walk: Walk) -> None:
        self.query_one(Masthead).show(walk)
        self.query_one(Stepper).show(walk)
        self.query_one(PhaseView).show(walk)
