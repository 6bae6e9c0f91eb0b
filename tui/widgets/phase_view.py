"""What the phase that is looked at has to say, to be scrolled where it is long."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from tui import render, words
from tui.render import HOT, Look
from tui.walk import FAILED, RUNNING, Walk

MORE = " (d shows all)"


class PhaseView(VerticalScroll):
    """Heading, sentence, tables and listings of one phase, or what it waits for."""

    DEFAULT_CSS = """
    PhaseView { height: 1fr; padding: 0 1; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    """

    _walk: Walk | None = None
    _shown: tuple[int, bool] = (-1, False)

    def compose(self) -> ComposeResult:
        yield Static(id="content", markup=False)

    def show(self, walk: Walk) -> None:
        """Show the walk's phase; another phase, or another amount of detail, starts at its top."""
        self._walk = walk
        look = Look(max(self.scrollable_content_region.width, 1), detail=walk.detail, everything=walk.detail, more=MORE)
        self.query_one("#content", Static).update(content(walk, look))
        if self._shown != (walk.at, walk.detail):
            self.scroll_home(animate=False)
        self._shown = walk.at, walk.detail

    def on_resize(self, event: Resize) -> None:
        if self._walk is not None:
            self.show(self._walk)


def content(walk: Walk, look: Look) -> RenderableType:
    """The result, or what there is before one."""
    if walk.result is not None:
        return render.phase(walk.result, look)
    stage = walk.stage
    mark = f"{words.number(stage.name)} {stage.name}"
    heading = Text.assemble((mark, f"bold {HOT}"), (f"  {stage.section}", "dim"))
    return Group(heading, Text(stage.title + "."), Text(""), _pending(walk))


def _pending(walk: Walk) -> RenderableType:
    state = walk.state(walk.stage.name)
    if state == FAILED:
        return Panel(Text(walk.error), title="failed", title_align="left", border_style="red")
    if state == RUNNING:
        return Text(walk.doing or "running…", HOT)
    return Text("Not run, since an earlier phase failed." if walk.error else "Waiting for the phases before.", "dim")
