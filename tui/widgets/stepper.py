"""The nine phases in one line; a click goes to one."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click, Resize
from textual.style import Style
from textual.widgets import Static

from rewriter.report import PHASES
from tui.walk import DONE, FAILED, RUNNING, WAITING, Walk

MARKS = {DONE: "✓", RUNNING: "▸", FAILED: "✗", WAITING: "·"}
STYLES = {DONE: "$text-success", RUNNING: "$text-warning", FAILED: "$text-error", WAITING: "dim"}
ROOMY = 100  # columns from which marks and names stand apart


class Stepper(Static):
    """Marks say how far the work is; the phase that is looked at is marked."""

    DEFAULT_CSS = "Stepper { height: auto; padding: 0 1; }"

    _walk: Walk | None = None

    def show(self, walk: Walk) -> None:
        self._walk = walk
        roomy = self.app.size.width >= ROOMY
        steps = [step(walk, index, roomy) for index in range(len(PHASES))]
        self.update(Content("  " if roomy else " ").join(steps))

    async def on_click(self, event: Click) -> None:
        index = event.style.meta.get("phase")
        if index is not None:
            await self.run_action(f"app.go({index})")

    def on_resize(self, event: Resize) -> None:
        if self._walk is not None:
            self.show(self._walk)


def step(walk: Walk, index: int, roomy: bool) -> Content:
    """One phase: its mark and its name, which knows its index."""
    name = PHASES[index]
    state = walk.state(name)
    mark = MARKS[state] + (" " if roomy else "")
    style = "bold $background on $primary" if index == walk.at else "dim" if state == WAITING else ""
    return Content.assemble((mark, STYLES[state]), (name, style)).stylize(Style.from_meta({"phase": index}))
