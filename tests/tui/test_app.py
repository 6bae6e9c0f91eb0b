"""The walkthrough, driven by keys, on results that no pipeline made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import RenderableType
from textual.pilot import Pilot
from textual.widgets import Static

from rewriter.report import PHASES, Listing, PhaseResult
from tests.tui import made_up
from tui import render
from tui.app import Walkthrough
from tui.render import Look
from tui.screens.help import HelpScreen
from tui.walk import DONE, FAILED, RUNNING, WAITING
from tui.widgets.phase_view import PhaseView
from tui.worker import Phases, one_line

SMALL, LARGE = (80, 24), (120, 40)
Script = Callable[[Walkthrough, Pilot[int]], Coroutine[Any, Any, None]]


def drive(script: Script, phases: Phases = made_up.pipeline, size: tuple[int, int] = SMALL) -> Walkthrough:
    """Run the app without a terminal, and the script on it once the first phases had their chance."""
    app = Walkthrough(phases, "readseek 65536 25 · θ 0.9 · N 12")

    async def session() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(app, pilot)

    asyncio.run(session())
    return app


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Wait for what a thread brings about."""
    for _ in range(500):
        if condition():
            await pilot.pause()
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def screen(app: Walkthrough) -> str:
    """The text on the screen, line by line."""
    return "\n".join(
        "".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()
    )


class Gate:
    """Phases that wait before each result until it is opened once more, as a machine that is polled."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)
        self.cancelled = 0
        self.started = 0

    def phases(self, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Iterator[PhaseResult]:
        self.started += 1
        for name in PHASES:
            progress(f"{name}: at the gate")
            while not self.open.acquire(timeout=0.01):
                if cancelled():
                    self.cancelled += 1
                    raise RuntimeError("cancelled")
            yield made_up.result(name)


def broken(progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Iterator[PhaseResult]:
    """Two phases, and a kernel that dies."""
    for name in PHASES[:2]:
        yield made_up.result(name)
    raise RuntimeError("page fault at\n0xc0101234 [eip]")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
def test_every_screen_shows_all_that_the_phase_says(size: tuple[int, int]) -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: app.walk_state.finished)
        for number, phase in enumerate(PHASES, start=1):
            await pilot.press(str(number))
            text = screen(app)
            assert f"{number} {phase}  §" in text
            assert "".join(made_up.result(phase).sentence.split()) in "".join(text.split())
            assert "do_generic_file_read" in text or phase == "measure"
            view = app.screen.query_one(PhaseView)
            assert view.query_one("#content", Static).region.width <= view.region.width
            assert view.max_scroll_x == 0
            assert max(map(len, text.splitlines())) <= size[0]

    drive(script, size=size)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
def test_the_frame_is_whole(size: tuple[int, int]) -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: app.walk_state.finished)
        first, second, *_, last = screen(app).splitlines()
        assert " ".join(first.split()) == "Hotpath readseek 65536 25 · θ 0.9 · N 12 done in 2.2 s"
        assert second.replace("✓", " ").split() == list(PHASES)
        assert " ".join(last.split()) == "n Next p Previous r Rerun d Detail ? Help q Quit"

    drive(script, size=size)


def test_next_and_previous_stop_at_the_ends() -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await pilot.press("p")
        assert app.walk_state.at == 0
        await pilot.press(*"nnn")
        assert app.walk_state.stage.name == "traces"
        await pilot.press(*"nnnnnnnnnnnn")
        assert app.walk_state.stage.name == "measure"
        await pilot.press("p")
        assert app.walk_state.stage.name == "retarget"

    drive(script)


def test_detail_shows_what_was_left_out_and_starts_at_the_top() -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: app.walk_state.finished)
        await pilot.press("3")
        assert "5 more (d shows all)" in screen(app)
        assert "a_function_with_a_long_name_9" not in screen(app)
        await pilot.press("d", "end")
        await until(pilot, lambda: "a_function_with_a_long_name_9" in screen(app))
        await pilot.press("n")
        assert app.screen.query_one(PhaseView).scroll_y == 0

    drive(script)


def test_long_listings_are_made_when_somebody_scrolls_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    one = render.listing

    def counted(source: Listing, look: Look) -> RenderableType:
        made.append(source.title)
        return one(source, look)

    many = tuple(
        Listing(f"listing {n}", "f:\n    ret", "f:\n" + "    nop\n" * 40 + "    ret", n > 0, ("", "peephole: dead"))
        for n in range(30)
    )

    def phases(progress: Callable[[str], None], cancelled: Callable[[], bool]) -> Iterator[PhaseResult]:
        for result in made_up.pipeline():
            yield replace(result, listings=many) if result.name == "specialize" else result

    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: app.walk_state.finished)
        await pilot.press("6")
        assert set(made) == {"listing 0"}
        await pilot.press("d")
        await pilot.pause()
        assert len(set(made)) < 10
        for _ in range(2 * len(many)):
            if len(set(made)) == len(many):
                break
            await pilot.press("end")
            await pilot.pause()
        assert list(dict.fromkeys(made)) == [each.title for each in many]

    monkeypatch.setattr(render, "listing", counted)
    drive(script, phases)


def test_assembly_stands_side_by_side_where_there_is_room() -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: app.walk_state.finished)
        await pilot.press("6", "d")
        assert any("ja " in line and "jne " in line for line in screen(app).splitlines())
        await pilot.resize_terminal(*SMALL)
        await pilot.press("end")
        await until(pilot, lambda: "+ jne     sys_lseek$0.6" in screen(app))
        assert not any("ja " in line and "jne " in line for line in screen(app).splitlines())

    drive(script, size=LARGE)


def test_help_names_every_key_and_any_key_closes_it() -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = screen(app)
        for words in ("next, previous phase", "run all phases again", "quit", "Any key closes this page."):
            assert words in text
        await pilot.press("n")
        assert not isinstance(app.screen, HelpScreen)
        assert app.walk_state.at == 0

    drive(script)


def test_results_come_while_one_looks() -> None:
    gate = Gate()

    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        walk = app.walk_state
        await until(pilot, lambda: walk.doing != "")
        assert [walk.state(name) for name in PHASES] == [RUNNING] + [WAITING] * 8
        assert "load: at the gate" in screen(app)
        await pilot.press("n")
        assert "Waiting for the phases before." in screen(app)
        gate.open.release(2)
        await until(pilot, lambda: len(walk.results) == 2)
        assert "2 values" in screen(app)
        assert "do_generic_file_read" in screen(app)
        assert "running…" in screen(app)

    drive(script, gate.phases)


def test_quitting_stops_the_work() -> None:
    gate = Gate()

    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: gate.started == 1)
        await pilot.press("q")
        await until(pilot, lambda: gate.cancelled == 1)

    app = drive(script, gate.phases)
    assert app.return_value == 0


def test_rerun_stops_the_work_and_begins_again_in_place() -> None:
    gate = Gate()

    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        gate.open.release(3)
        await until(pilot, lambda: len(app.walk_state.results) == 3)
        await pilot.press("3", "r")
        assert app.walk_state.results == {}
        assert app.walk_state.at == 2
        await until(pilot, lambda: gate.started == 2)
        assert gate.cancelled == 1
        gate.open.release(9)
        await until(pilot, lambda: app.walk_state.finished)
        assert "done in 2.2 s" in screen(app)

    drive(script, gate.phases)


def test_an_error_is_one_line_in_a_panel() -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        walk = app.walk_state
        await until(pilot, lambda: walk.error != "")
        assert [walk.state(name) for name in PHASES] == [DONE, DONE, FAILED] + [WAITING] * 6
        await pilot.press("3")
        assert "page fault at 0xc0101234 [eip]" in screen(app)
        assert "Traceback" not in screen(app)
        assert "failed" in screen(app).splitlines()[0]
        await pilot.press("n")
        assert "Not run, since an earlier phase failed." in screen(app)
        await pilot.press("q")

    assert drive(script, broken).return_value == 1


def test_a_click_on_the_stepper_goes_there() -> None:
    async def script(app: Walkthrough, pilot: Pilot[int]) -> None:
        await pilot.click("Stepper", offset=(18, 0))
        assert app.walk_state.stage.name == "count"

    drive(script)


@pytest.mark.parametrize(
    ("error", "line"),
    [(RuntimeError("died\n at 3"), "died at 3"), (KeyError("x"), "KeyError: 'x'"), (ValueError(), "ValueError")],
)
def test_errors_in_one_line(error: Exception, line: str) -> None:
    assert one_line(error) == line
