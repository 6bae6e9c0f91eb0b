"""Analyses that are wrong in one way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any


def no_fault_edge() -> None:
    from rewriter.analysis.graph import Index, Way

    edges = Index.edges
    Index.edges = lambda self, block: [e for e in edges(self, block) if e.way is not Way.FAULT]  # type: ignore[method-assign]


def carry_across_inc() -> None:
    from rewriter.x86 import effects, state

    honest = effects._effects

    def dishonest(raw: bytes, refs: frozenset[int]) -> Any:
        found = honest(raw, refs)
        counts = len(raw) == 1 and 0x40 <= raw[0] < 0x50  # inc and dec of a register
        return replace(found, writes=found.writes | state.CF, may_write=found.may_write | state.CF) if counts else found

    effects._effects = dishonest  # type: ignore[assignment]


def signs_are_words() -> None:
    from rewriter.analysis import rules_arithmetic

    rules_arithmetic.sign_of = lambda word: word


def shared_numbers_are_changed() -> None:
    from rewriter.analysis.sites import _Numbers

    def loaded_for(self: Any, site: Any) -> tuple[Any, str]:
        return next(iter(self.definitions.get(site, ())), None), ""

    _Numbers.loaded_for = loaded_for  # type: ignore[method-assign]


def fixups_are_tail_calls() -> None:
    from rewriter.analysis.body import Body
    from rewriter.analysis.graph import Way

    honest = Body.leaves
    Body.leaves = lambda self, edge: (  # type: ignore[method-assign]
        (edge.way is Way.FAULT and self.index.is_entry(edge.target)) or honest(self, edge)
    )


def calls_change_no_slots() -> None:
    from rewriter.analysis.state import State

    State.kill_escaped = lambda self: None  # type: ignore[method-assign]


def stores_change_no_slots() -> None:
    from rewriter.analysis.step import Step

    honest = Step.store

    def hopeful(self: Any, mem: Any, size: Any, value: Any, stack: bool) -> None:
        known = dict(self.state.places)
        honest(self, mem, size, value, stack)
        if self.touched(mem, size) is None:
            self.state.places = known

    Step.store = hopeful  # type: ignore[method-assign]


def dead_means_unread_registers() -> None:
    from rewriter.analysis.liveness import Liveness

    touches = Liveness.touches
    Liveness.touches = lambda self, label: [  # type: ignore[method-assign]
        replace(touch, keep=False) if touch.results else touch for touch in touches(self, label)
    ]


def what_is_dead_needs_no_address() -> None:
    from rewriter.analysis.liveness import Touch

    honest = Touch.before
    Touch.before = lambda self, after, *, stays=True: honest(self, after, stays=False)  # type: ignore[method-assign]


def all_data_are_read_only() -> None:
    from rewriter.analysis import readonly

    readonly._unwritten = lambda program: {data.name: data for data in program.data}
