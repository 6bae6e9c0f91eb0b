"""Broken regions, each with one plausible mistake."""

from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module
from typing import Any

from rewriter.x86.state import FLAGS


def exit_without_a_live_slot() -> None:
    from rewriter.region import exits

    exits.slot_matters = lambda slot, mask: slot >= 0


def operands_are_evicted() -> None:
    from rewriter.region.machine import Machine

    Machine.pinned = lambda self, *registers: nullcontext()  # type: ignore[assignment, method-assign, return-value]


def words_that_are_read_are_overwritten() -> None:
    """A register is spilled over the word that the instruction is about to take."""
    from rewriter.region.machine import Machine

    honest = Machine.pinned
    registers_only = lambda self, *places: honest(self, *(p for p in places if isinstance(p, str)))  # noqa: E731
    Machine.pinned = registers_only  # type: ignore[method-assign]


def nothing_is_half_done() -> None:
    from rewriter.region.moment import Moment

    Moment.fault = lambda self, state: self.exits.leave(  # type: ignore[method-assign]
        self.insn.faults_to or "", 0, self.before, "a fault", 0.0
    )


def flags_are_dead_at_exits() -> None:
    from rewriter.region import exits

    honest = exits.Exits.matters
    exits.Exits.matters = lambda self, label, site: honest(self, label, site) & ~FLAGS  # type: ignore[method-assign]


def loads_pass_stores() -> None:
    from rewriter.region import writer

    honest = writer.Writer._to_memory

    def careless(self: Any, *arguments: Any) -> Any:
        pending, self.m.at.pending = self.m.at.pending, None
        found = honest(self, *arguments)
        self.m.at.pending = pending
        return found

    writer.Writer._to_memory = careless  # type: ignore[method-assign]


def overwritten_words_are_still_there() -> None:
    from rewriter.region.place import Placer

    Placer._save_slot = lambda self, slot, others: None  # type: ignore[method-assign]


def clobbered_registers_survive() -> None:
    from rewriter.region.writer import Writer

    honest = Writer._settle

    def hopeful(self: Any, effect: Any) -> None:
        held = {register: value for register, value in self.m.at.held.items() if register != "eax"}
        honest(self, effect)
        self.m.at.held |= held

    Writer._settle = hopeful  # type: ignore[method-assign]
    Writer._clear = lambda self, effect: None  # type: ignore[method-assign]
    Writer._evacuate = lambda self, effect, faulting: None  # type: ignore[method-assign]


def memory_is_never_brought_up_to_date() -> None:
    from rewriter.region.moment import Moment

    Moment.keep = lambda self, slot, value: None  # type: ignore[method-assign]


def return_addresses_stay_holes() -> None:
    from rewriter.region.home import Home

    Home.returns_to = lambda self, label, site: None  # type: ignore[method-assign]


def frames_lose_a_word() -> None:
    from rewriter.region.place import Placer

    honest = Placer._skip

    def dishonest(self: Any, level: int) -> None:
        if self.m.at.level - level != 4:  # a word that nobody reads is left out
            honest(self, level)
        self.m.at.level = level

    Placer._skip = dishonest  # type: ignore[method-assign]


def operations_are_the_same_after_a_sleep() -> None:
    from rewriter.region.moment import Moment

    honest = Moment.load

    def remembering(self: Any, place: Any, size: int) -> Any:
        found = honest(self, place, size)
        if not self.effects or self.effects[-1].result is not found:
            return found
        new = self.effects[-1]
        for effect in reversed(self.effects[:-1]):
            if effect.kind in ("store", "change"):
                break
            if (effect.kind, effect.address, effect.size) == ("load", new.address, size) and new.fault is None:
                self.effects.pop()
                return effect.result
        return found

    Moment.load = remembering  # type: ignore[method-assign]


def words_below_esp_stay() -> None:
    import_module("rewriter.region.writer")._lost = lambda effect, slot: False  # type: ignore[attr-defined]


def popped_words_stay() -> None:
    fixed = import_module("rewriter.region.fixed")
    honest = fixed.call

    def call(m: Any, callee: Any) -> None:
        honest(m, callee)
        effect = m.effects[-1]
        effect.kills = tuple((low, high - callee.pops) for low, high in effect.kills)

    import_module("rewriter.region.lift").call = call  # type: ignore[attr-defined]


def memory_is_made_what_it_was() -> None:
    from rewriter.region import turns

    turns._leave_words = lambda writer: None
    turns.private = lambda m, slot: True


def bytes_of_a_slot_are_counted_backwards() -> None:
    from rewriter.analysis.liveness import STACK_SHIFT
    from rewriter.region import alive, exits, joins

    def backwards(slot: int, matters: int) -> int:
        found = matters >> STACK_SHIFT - slot - 4 & 0b1111
        return sum(0xFF << 8 * byte for byte in range(4) if found >> byte & 1) if slot < 0 else 0xFFFFFFFF

    for module in (alive, exits, joins):
        module.of_slot = backwards  # type: ignore[attr-defined]


def one_of_two_conditions_is_forgotten() -> None:
    lift = import_module("rewriter.region.lift")
    honest = lift.either
    lift.either = lambda asked: honest(asked)[:1]  # type: ignore[attr-defined]


def one_word_is_taken_for_another() -> None:
    """Exits whose states differ in one slot share a tail that stores it."""
    tails = import_module("rewriter.region.tails")
    honest = tails._grown

    def careless(given: Any) -> Any:
        every = honest(given)
        for tail in every:
            held = {slot for slot, _ in tail.words}
            others = [word for child in tail.children for word in child.words if word[0] not in held]
            tail.words |= {*others[:1]}
        return every

    tails._grown = careless  # type: ignore[attr-defined]


def a_tail_is_not_asked_for_its_home() -> None:
    """An exit leaves a word to its tail, which takes it from where nobody has put it."""
    tails = import_module("rewriter.region.tails")
    tails.Tail.left = lambda self, exit: {s: v for s, v in exit.slots.items() if (s, v) not in self.words}


def parts_of_blocks_are_whole_ones() -> None:
    from rewriter.region.home import Home

    of = Home.of

    def careless(self: Any, label: str, site: int) -> Any:
        pieces, self.work.pieces = self.work.pieces, {}
        try:
            return of(self, label, site)
        finally:
            self.work.pieces = pieces

    Home.of = careless  # type: ignore[method-assign]


def every_word_faults_as_the_first() -> None:
    """The fixup of a copy that was taken apart finds the registers from before it."""
    moves = import_module("rewriter.region.moves")
    honest = moves._count

    def late(m: Any, *arguments: Any) -> None:
        if arguments[-1] == 0:
            honest(m, *arguments)

    moves._count = late  # type: ignore[attr-defined]


def operands_at_home_are_forgotten() -> None:
    from rewriter.region.exits import Exits

    Exits._operands = lambda self, home, label, site: 0  # type: ignore[method-assign]
