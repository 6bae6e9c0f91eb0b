"""Other passes with one mistake."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any


def guard_inverted() -> None:
    from rewriter.passes import arguments
    from rewriter.x86.encode import branch

    arguments.branch = lambda condition, label: branch("e", label)  # type: ignore[attr-defined]


def still_read_but_implied() -> None:
    from rewriter.passes import arguments

    arguments._read = lambda work, argument: None


def old_number_is_forgotten() -> None:
    import_module("rewriter.passes.specialize").renumber = lambda work, number: None  # type: ignore[attr-defined]


def threads_skip_what_leads_to_the_test() -> None:
    from rewriter.passes.thread import _Round

    lead = _Round._lead
    _Round._lead = lambda self, source, block, size, target: lead(self, source, block, 0, target)  # type: ignore[method-assign]


def one_way_decides_for_all() -> None:
    from rewriter.passes.thread import _Round

    into = _Round._into

    def only_one(self: Any, block: Any) -> Any:
        return {source: states[:1] for source, states in into(self, block).items()}

    def first(self: Any, block: Any, ways: Any) -> bool:
        known = next(iter(ways.values()), None)
        return branch(self, block, dict.fromkeys(ways, known))

    branch = _Round._branch
    _Round._into, _Round._branch = only_one, first  # type: ignore[method-assign]


def branch_turned_without_its_target() -> None:
    from rewriter.passes import layout
    from rewriter.x86.encode import invert

    honest = layout._turn

    def careless(block: Any, after: Any) -> None:
        last = block.insns[-1] if block.insns else None
        honest(block, after)
        if last is not None and block.insns[-1] is not last:
            block.insns[-1] = invert(block.insns[-1])

    layout._turn = careless


def patterns_pass_everything() -> None:
    from rewriter.passes import peephole

    peephole._Window._passes = lambda self, upper, lower: True  # type: ignore[method-assign]


def dead_is_not_asked() -> None:
    from rewriter.passes import peephole

    peephole.dead = lambda rule, found: 0


def stored_addresses_are_unused() -> None:
    from rewriter.passes import unused

    honest = unused._reached

    def dishonest(program: Any, contract: Any) -> set[str]:
        return honest(replace(program, data=[]), contract)

    unused._reached = dishonest


def tables_are_not_tested() -> None:
    from rewriter.passes import tables

    know = tables._know

    def careless(work: Any, block: Any, rest: Any, cold: Any) -> None:
        know(work, block, rest, cold)
        del block.insns[-2:]

    tables._know = careless


def the_table_is_believed_where_the_test_fails() -> None:
    from rewriter.passes import tables

    know = tables._know

    def careless(work: Any, block: Any, rest: Any, cold: Any) -> None:
        know(work, block, rest, cold)
        cold.insns[:] = rest.insns

    tables._know = careless


def a_copy_may_be_cut_where_it_faults() -> None:
    """`rep movsd` of two words with a fixup becomes two of one word: the second's fault finds ecx at 2."""
    constants = import_module("rewriter.passes.constants")
    honest = constants.moved

    def careless(insn: Any, decoded: Any, state: Any, after: int) -> Any:
        made = honest(replace(insn, faults_to=None), decoded, state, after)
        return None if made is None else [replace(each, faults_to=insn.faults_to) for each in made]

    constants.moved = careless  # type: ignore[attr-defined]
