"""The walkthrough: the nine phases on a terminal, one after the other."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType

from rewriter.report import PHASES
from tui.ember import ANSI, EMBER
from tui.screens.help import HelpScreen
from tui.screens.phase import PhaseScreen
from tui.walk import Walk
from tui.worker import Attempt, Broken, Doing, Done, Phases


class Walkthrough(App[int]):
    """Runs `phases` in a thread and shows what they yield; returns 1 if a phase failed."""

    TITLE = "Hotpath"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "step(1)", "Next"),
        Binding("p", "step(-1)", "Previous"),
        Binding("r", "rerun", "Rerun"),
        Binding("d", "detail", "Detail"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
        *(Binding(str(index + 1), f"go({index})", show=False) for index in range(len(PHASES))),
    ]

    def __init__(self, phases: Phases, subject: str) -> None:
        super().__init__()
        self.walk_state = Walk(subject)
        self._phases = phases
        self._attempt: Attempt | None = None
        self._screen = PhaseScreen()

    def on_mount(self) -> None:
        self.register_theme(EMBER)
        self.theme = EMBER.name
        self.ansi_theme_dark = ANSI
        self.push_screen(self._screen)
        self.call_after_refresh(self.action_rerun)

    def on_unmount(self) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._attempt is not None:
            self._attempt.stop()

    def settled(self, patience: float) -> bool:
        """Whether no work is left behind; wait for so many seconds."""
        return self._attempt is None or self._attempt.ended(patience)

    def action_step(self, by: int) -> None:
        self.walk_state.step(by)
        self._show()

    def action_go(self, index: int) -> None:
        self.walk_state.at = index
        self._show()

    def action_detail(self) -> None:
        self.walk_state.detail = not self.walk_state.detail
        self._show()

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_rerun(self) -> None:
        """Stop what runs, and begin again; the phase looked at stays."""
        self._stop()
        previous, self._attempt = self._attempt, Attempt(self._phases, self)
        self.walk_state.begin()
        self._attempt.start(previous)
        self._show()

    async def action_quit(self) -> None:
        self._stop()
        self.exit(1 if self.walk_state.error else 0)

    @on(Doing)
    @on(Done)
    @on(Broken)
    def _hear(self, message: Doing | Done | Broken) -> None:
        """Take in what the present attempt tells; an earlier one may still have something in the post."""
        if message.attempt is not self._attempt:
            return
        if isinstance(message, Done):
            self.walk_state.results[message.result.name] = message.result
            self.walk_state.doing = ""
        elif isinstance(message, Doing):
            self.walk_state.doing = message.line
        else:
            self.walk_state.error = message.line
        self._show()

    def _show(self) -> None:
        self._screen.show(self.walk_state)
