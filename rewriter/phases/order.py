"""The passes of a run in their order, and which of them a run leaves out: what ablation varies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rewriter.options import Options
from rewriter.passes.arguments import NAME as ARGUMENTS
from rewriter.passes.deadcode import deadcode
from rewriter.passes.entry import NAME as ENTRY
from rewriter.passes.inline import NAME as INLINE
from rewriter.passes.peephole import peephole
from rewriter.passes.tables import NAME as TABLES
from rewriter.passes.transform import BEYOND_THE_PAPER, PASSES, Pass
from rewriter.region.region import region

UNUSED: Final = "unused"
BEYOND: Final[tuple[tuple[str, Pass], ...]] = (("region", region), ("peephole", peephole), ("deadcode", deadcode))
# Passes that begin a group; those that prepare others, or tidy up, belong to the group before them.
GROUPS: Final = ("inline", "arguments", "duplicate", "flatten", "sink", "peephole", "region", "layout", "entry")

_BEFORE: Final = (INLINE, TABLES, ARGUMENTS)
_IN_PLACE: Final = PASSES[:-1]
ORDER: Final = (
    *_BEFORE,
    *(name for name, _ in (*_IN_PLACE, *BEYOND, PASSES[-1])),
    *(ENTRY, UNUSED),
)
ALL_PASSES: Final = tuple(dict.fromkeys(ORDER))  # can be left out


def prefixes(options: Options) -> Iterator[tuple[int, str]]:
    """How many passes each prefix of those that the options run has, for `Options.first`, and its last pass."""
    ours = {"region", ENTRY, *BEYOND_THE_PAPER} if options.as_published else set[str]()
    before = len(_BEFORE) + len(_IN_PLACE)
    behind = range(before, before + len(BEYOND))
    for n, name in enumerate(ORDER):
        if name not in options.without | ours and not (options.as_published and n in behind):
            yield n + 1, name


def left_out(options: Options) -> frozenset[str]:
    """Passes that are not run at all: those that were named, and those behind the last."""
    return options.without | (set(ALL_PASSES) - set(ORDER[: options.first]))


def beyond(options: Options) -> tuple[tuple[str, Pass], ...]:
    """The passes that follow those in place."""
    return () if options.as_published else BEYOND[: _behind(options, len(_BEFORE) + len(_IN_PLACE))]


def in_place(options: Options) -> int:
    """How many of `PASSES` are run, the last apart."""
    return len(_IN_PLACE[: _behind(options, len(_BEFORE))])


def _behind(options: Options, before: int) -> int | None:
    return None if options.first is None else max(0, options.first - before)
