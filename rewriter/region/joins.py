"""Where paths come together: from several sides, or after a round of a loop.  They go on as one, with other words in
some places.

At the first arrival everything is taken for what it is then.  Whatever is something else when another path arrives
becomes a word of its own there (`phi`), or is left to memory; if anything was lifted behind it, it is lifted anew,
until no path brings anything new.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.analysis.state import Range, cover
from rewriter.region.alive import alive, of_register, of_slot
from rewriter.region.exits import slot_matters
from rewriter.region.loops import Cycle
from rewriter.region.state import State
from rewriter.region.tree import Node
from rewriter.region.value import WORD, Pool, Value

MOST_TRIES = 40  # times that what is behind a join is lifted


@dataclass(slots=True)
class Arrival:
    """A path that ends at a join; `weight`: how often it comes, none if it comes from behind the join."""

    node: Node
    state: State
    weight: float


@dataclass(slots=True, eq=False)
class Join:
    """`before` is the state at the first arrival; `varying`: the words that are others each time, by register or stack
    slot; `kept`: slots that memory has.  `cycle`: if it is the top of a loop.  `tries`: how often it was begun anew."""

    number: int
    label: str
    cycle: Cycle | None
    before: State
    top: Node
    arrivals: list[Arrival] = field(default_factory=list)
    varying: dict[str | int, Value] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    lost: frozenset[Range] = frozenset()
    leaked: bool = False
    tries: int = 0
    lifted: bool = False  # whether anything is behind it
    matters: int = 0  # of what is there (`Exits.matters`)
    whole: int = 0  # from this slot on all of it
    dead: bool = False  # nobody arrives any more

    def weigh(self) -> None:
        """How often it runs."""
        self.top.weight = sum(a.weight for a in self.arrivals) * (self.cycle.rounds if self.cycle else 1.0)


class Joins:
    """Makes what is known at a join less, until it holds for each path that arrives."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.all: list[Join] = []

    def begin(self, label: str, state: State, cycle: Cycle | None) -> Join:
        """A join that nobody has arrived at yet; the first will come with this state."""
        join = Join(len(self.all), label, cycle, state.copy(), Node(0.0), lost=state.lost, leaked=state.leaked)
        self.all.append(join)
        join.before.set_flags(None)
        return join

    def state(self, join: Join) -> State:
        """What is known there each time."""
        state = join.before.copy()
        for place, value in join.varying.items():
            if isinstance(place, str):
                state.registers[place] = value
            else:
                state.slots[place] = value
        state.slots |= dict.fromkeys(join.kept)
        state.lost, state.leaked = join.lost, join.leaked
        return state

    def bindings(self, join: Join, state: State) -> dict[Value, Value]:
        """What the words are that vary when a path comes with this state."""
        return {value: self._alive(join, place, self._at(state, place)) for place, value in join.varying.items()}

    def learn(self, join: Join, state: State, matters: int, whole: int = 0) -> bool | None:
        """Let a path arrive with this state.  Whether that is something new; None if it cannot.  What does not matter
        there (`Exits.matters`) may be anything, so also what it is the first time; from slot `whole` on all does."""
        held = join.before
        if (state.esp, state.segments, state.returns) != (held.esp, held.segments, held.returns):
            return None
        before = dict(join.varying), len(join.kept), join.lost, join.leaked, len(held.facts), len(held.equal)
        join.matters, join.whole = matters, whole
        for register, value in held.registers.items():
            if register not in join.varying and not self._same(join, state, register, value, state.registers[register]):
                self._vary(join, register)
        for slot in {*held.slots, *state.slots}:
            if slot >= whole or slot_matters(slot, matters):
                self._compare(join, slot, state)
        join.lost |= state.lost
        join.leaked |= state.leaked
        for place, word in list(join.varying.items()):
            self._note_stack(join, place, word, self._at(state, place))
        held.facts = {asked: holds for asked, holds in held.facts.items() if state.facts.get(asked) is holds}
        held.equal = {value: same for value, same in held.equal.items() if state.equal.get(value) is same}
        return before != (join.varying, len(join.kept), join.lost, join.leaked, len(held.facts), len(held.equal))

    def _same(self, join: Join, state: State, place: str | int, was: Value, now: Value) -> bool:
        """Whether what matters of a word is what it was."""
        return state.equal.get(was, was) is now or self._alive(join, place, was) is self._alive(join, place, now)

    def _alive(self, join: Join, place: str | int, value: Value) -> Value:
        if isinstance(place, str):
            return alive(self.pool, value, of_register(place, join.matters))
        return value if place >= join.whole else alive(self.pool, value, of_slot(place, join.matters))

    def _compare(self, join: Join, slot: int, state: State) -> None:
        was, now = _held(join.before, slot), _held(state, slot)
        if slot in join.kept or was == MEMORY:
            return
        if now == MEMORY:
            join.varying.pop(slot, None)
            join.kept.add(slot)
        elif slot not in join.varying and now != was:
            same = isinstance(was, Value) and isinstance(now, Value) and self._same(join, state, slot, was, now)
            if not same:
                self._vary(join, slot)

    def _vary(self, join: Join, place: str | int) -> None:
        join.varying[place] = self.pool.make("phi", join.number, place)
        self._note_stack(join, place, join.varying[place], self._at(join.before, place))

    def _note_stack(self, join: Join, place: str | int, word: Value, value: Value) -> None:
        """Where the word may be a place on the stack it has another name, and so has one that was read from there."""
        if not word.on_stack and self.pool.may_be_stack(value):
            join.varying[place] = self.pool.make("phi", join.number, place, "stack")

    def _at(self, state: State, place: str | int) -> Value:
        """The word there; any one where there is none yet."""
        if isinstance(place, str):
            return state.registers[place]
        value = state.slots.get(place)
        if value is None and place >= 0:
            given = self.pool.make("given", place)
            return state.equal.get(given, given)
        return value if value is not None else self.pool.const(0)


MEMORY, GIVEN, NOTHING = "memory", "given", "nothing"


def _held(state: State, slot: int) -> Value | str:
    """The word in a slot, or who has it."""
    if slot in state.slots:
        value = state.slots[slot]
        return MEMORY if value is None else value
    if cover(state.lost, slot, slot + WORD):
        return MEMORY
    return GIVEN if slot >= 0 else NOTHING


def to_keep(there: State, state: State) -> list[tuple[int, Value]]:
    """Words that memory must get before a path goes to a place where memory has them."""
    return [(s, v) for s, v in sorted(state.slots.items()) if v is not None and _held(there, s) == MEMORY]
