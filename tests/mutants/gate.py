"""Broken entries of new system calls, each with one plausible mistake."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def segments_are_left_at_exits() -> None:
    from rewriter.region.place import Placer

    leave = Placer.leave

    def left(self: Any, exit: Any) -> None:
        self.load_segments = lambda wanted: None
        leave(self, exit)

    Placer.leave = left  # type: ignore[method-assign]


def memory_by_the_programs_segment() -> None:
    from rewriter.region.machine import SIZES, Machine

    Machine.memory = lambda self, size, address: f"{SIZES[size]} ptr [{address}]"  # type: ignore[method-assign]


def direction_is_believed() -> None:
    from rewriter.region.segments import Segments

    honest = Segments.of_program
    Segments.of_program = staticmethod(lambda pool: honest(pool)._replace(upward=True))  # type: ignore[method-assign]


def a_register_is_kept() -> None:
    from rewriter.region.lift import Lifter

    back = Lifter._back

    def without_esi(self: Any, state: Any, last: Any) -> Any:
        end = back(self, state, last)
        del end.registers["esi"]
        return end

    Lifter._back = without_esi  # type: ignore[method-assign]


def _way_without_a_test(where: str) -> None:
    entry = import_module("rewriter.passes.entry")
    joined = entry.joined

    def broken(early: Any, way: Any, name: str, number: int) -> Any:
        work = joined(early, way, name, number)
        copies = {label: copy for copy, label in work.clone_of.items()}
        block = work.block(copies[getattr(way, where)[-2]])
        del block.insns[-2:]
        return work

    entry.joined = broken  # type: ignore[attr-defined]


def signals_are_not_asked_for() -> None:
    _way_without_a_test("back")


def tracing_is_not_asked_for() -> None:
    _way_without_a_test("there")
