"""Which step makes a program behave otherwise?  Found by halves: of n steps, with log2(n) runs.

A program is built with the first few steps alone, and run.  Without any step it does what it should, with all of them
it does not; between two neighbors, one that does and one that does not, lies the culprit.  Where the step is made of
edits that can be left out one by one, the edit is found likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rewriter.passes.steps import Edit, Step, Steps

Image = TypeVar("Image")


@dataclass(frozen=True, slots=True)
class Culprit(Generic[Image]):
    """The `number`-th of `total` steps is the first with which the program does something else.

    step: None where it does so without any.  part: of the step's edits, the one, counted from 1; 0 where they were not
    told apart.  why: what the program did.  good, bad: the images without it and with it, None where there is none.
    runs: how many programs were run."""

    step: Step | None
    number: int
    total: int
    part: int
    why: str
    good: Image | None
    bad: Image | None
    runs: int

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What the step did there."""
        if self.step is None:
            return ()
        return self.step.edits[self.part - 1 : self.part] if self.part else self.step.edits

    @property
    def name(self) -> str:
        """Of the part, where it is no edit; "" where it is, or there is none."""
        if self.step is None or not self.step.names:
            return ""
        return self.step.names[max(self.part, 1) - 1]


@dataclass(slots=True)
class _Trial(Generic[Image]):
    """One image: with its steps, and what it did otherwise, None if nothing."""

    steps: Steps
    image: Image | None
    why: str | None


def culprit(
    build: Callable[[Steps], Image],
    differs: Callable[[Image], str | None],
    progress: Callable[[str], None] = lambda _: None,
) -> Culprit[Image] | None:
    """Find it; None where the program behaves with all steps.  A build that fails counts as another behavior.

    `differs`: what an image does otherwise than it should, in one line."""
    runs = 0

    def tried(most: int | None, parts: int | None = None) -> _Trial[Image]:
        nonlocal runs
        runs += 1
        progress(f"run {runs}: {'all steps' if most is None else f'{most} steps'}")
        steps, image = Steps(most, parts), None
        try:
            image = build(steps)
        except (RuntimeError, ValueError, KeyError, AssertionError) as error:
            return _Trial(steps, None, f"it cannot be built: {type(error).__name__}: {error}")
        return _Trial(steps, image, differs(image))

    bad = tried(None)
    if bad.why is None:
        return None
    total = len(bad.steps.done) + (bad.image is None)
    good = tried(0)
    if good.why is not None:
        return Culprit(None, 0, total, 0, good.why, None, good.image, runs)
    low, high = 0, total
    while high - low > 1:
        trial = tried((low + high) // 2)
        if trial.why is None:
            low, good = (low + high) // 2, trial
        else:
            high, bad = (low + high) // 2, trial
    if bad.image is not None and bad.steps.most != high:
        bad = tried(high)
    done = bad.steps.done
    step = done[high - 1] if len(done) >= high else Step(*bad.steps.begun)
    part, last = 0, step.parts
    while bad.image is not None and last - part > 1:
        trial = tried(high, (part + last) // 2)
        if trial.why is None:
            part, good = (part + last) // 2, trial
        else:
            last, bad = (part + last) // 2, trial
    why = bad.why or ""
    return Culprit(step, high, total, last if step.parts > 1 else 0, why, good.image, bad.image, runs)
