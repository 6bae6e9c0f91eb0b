"""What the phase that is looked at has to say, to be scrolled where it is long."""

from __future__ import annotations

from collections.abc import Iterator

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
AHEAD = 2  # screens below the one that is seen for which listings are made


class PhaseView(VerticalScroll):
    """Heading, sentence, tables and listings of one phase, or what it waits for.  Where everything is asked for,
    listings come as one scrolls down to them."""

    DEFAULT_CSS = """
    PhaseView { height: 1fr; padding: 0 1; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    PhaseView Static { height: auto; }
    """

    _walk: Walk | None = None
    _shown: tuple[object, ...] = ()
    _later: Iterator[RenderableType] = iter(())

    def compose(self) -> ComposeResult:
        yield Static(id="content", markup=False)

    def show(self, walk: Walk) -> None:
        """Show the walk's phase; another phase, or another amount of detail, starts at its top."""
        self._walk = walk
        width = max(self.scrollable_content_region.width, 1)
        key = (walk.at, walk.detail, id(walk.result), width)
        if walk.result is not None and key == self._shown:
            return  # another phase has something to tell
        look = Look(width, detail=walk.detail, everything=walk.detail, more=MORE)
        self.query(".later").remove()
        self.query_one("#content", Static).update(content(walk, look))
        whole = walk.result if walk.detail else None
        self._later = render.listings(whole, look) if whole is not None else iter(())
        if self._shown[:2] != key[:2]:
            self.scroll_home(animate=False)
        self._shown = key
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        """Make the next listing, if its place is near what is seen; then look again."""
        if self.virtual_size.height > self.scroll_y + self.size.height * (1 + AHEAD):
            return
        part = next(self._later, None)
        if part is not None:
            self.mount(Static(part, classes="later", markup=False))
            self.call_after_refresh(self._fill)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._fill()

    def on_resize(self, event: Resize) -> None:
        if self._walk is not None:
            self.show(self._walk)


def content(walk: Walk, look: Look) -> RenderableType:
    """The result, or what there is before one."""
    if walk.result is not None:
        return render.phase(walk.result, look, listings=not walk.detail)
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
