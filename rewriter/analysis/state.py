"""What is known at one point of a function: registers, stack slots, flags, and which stack memory others may reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from rewriter.analysis.arithmetic import Bits, compute
from rewriter.analysis.value import (
    REGISTERS,
    SOMEWHERE_ON_STACK,
    WORD,
    Opaque,
    Place,
    Value,
    constant,
    place_order,
    stack,
)

Range = tuple[int, int]  # stack bytes [low, high) by offset from the entry esp
EVERYTHING: Range = (-(1 << 31), 1 << 31)
TOP = -1  # the site of names that are born at the top of a block


def at_return(touched: Range) -> bool:
    """Whether one of these bytes may be of the function's own return address."""
    low, high = touched
    return low < WORD and high > 0


class Compared(NamedTuple):
    """The flags are those of `cmp left, right` on 32 bits.  `test x, x` is `cmp x, 0`."""

    left: Value
    right: Value


@dataclass(slots=True)
class State:
    """`places` holds every register, and each slot of which something is known (by its lowest byte's offset).
    A slot that is missing holds no address of this stack, other than of its escaped bytes.

    `escaped` are stack bytes whose address somebody else may hold: any access through an unknown pointer, and any
    call, may read and write them.  `nonzero` are words that are known not to be zero.  `unsaved` are slots which do
    not save a register though they hold one's entry value: nothing restores it from there.  `upward`: the
    direction flag is clear.
    """

    places: dict[Place, Value]
    flags: Bits | Compared | None = None
    escaped: frozenset[Range] = frozenset()
    nonzero: frozenset[Value] = frozenset()
    unsaved: frozenset[int] = frozenset()
    upward: bool = True

    def copy(self) -> State:
        return State(dict(self.places), self.flags, self.escaped, self.nonzero, self.unsaved, self.upward)

    @property
    def esp(self) -> int | None:
        """esp relative to the entry esp, in bytes; None where it is not known."""
        return self.places["esp"].slot

    def saved(self) -> list[int]:
        """Slots with what ebx, esi, edi or ebp held at the entry: registers that the function saved."""
        slots = (place for place, value in self.places.items() if isinstance(place, int) and _is_saved(value))
        return [slot for slot in slots if slot not in self.unsaved]

    def kill_slots(self, low: int, high: int) -> None:
        """Forget every slot that has a byte in [low, high), which is overwritten with something that is no address
        of this stack."""
        for place in [p for p in self.places if isinstance(p, int) and low - WORD < p < high]:
            del self.places[place]

    def blur_slots(self, low: int, high: int) -> None:
        """Any of these slots may be overwritten, or not: addresses of this stack may still be there."""
        for place in [p for p in self.places if isinstance(p, int) and low - WORD < p < high]:
            if self.places[place].on_stack:
                self.places[place] = SOMEWHERE_ON_STACK
            else:
                del self.places[place]

    def kill_escaped(self) -> None:
        for low, high in self.escaped:
            self.kill_slots(low, high)

    def decide(self, condition: str) -> bool | None:
        """Whether a condition holds here; None if that is not known."""
        bits = self.bits()
        return bits.holds(condition) if bits else None

    def bits(self) -> Bits | None:
        """The flags as far as they are known."""
        if not isinstance(self.flags, Compared):
            return self.flags
        left, right = self.flags
        if left.base == right.base:
            if left.base is None or left == right:
                known = compute("cmp", left.offset, right.offset, WORD, None)
                return known[1] if known else None
            return Bits({"ZF": False})
        if right == constant(0):
            zero = {"ZF": False} if self.is_nonzero(left) else {}
            return Bits({"CF": False, "OF": False, **zero})
        return None

    def is_nonzero(self, value: Value) -> bool:
        return (
            value in self.nonzero
            or bool(value.constant)
            or (value.label is not None and not value.offset)
            or value.slot is not None
        )

    def assume(self, condition: str, holds: bool) -> State | None:
        """The state behind a branch that went this way; None where it cannot go this way."""
        if self.decide(condition) is (not holds):
            return None
        equal = holds if condition == "e" else not holds if condition == "ne" else None
        if equal is None or not isinstance(self.flags, Compared):
            return self
        left, right = self.flags
        if not equal:
            if right != constant(0):
                return self
            return replace(self, nonzero=self.nonzero | {left})
        if isinstance(left.base, Opaque) and not isinstance(right.base, Opaque):
            return self._where(left.base, right.plus(-left.offset))
        if isinstance(right.base, Opaque) and not isinstance(left.base, Opaque):
            return self._where(right.base, left.plus(-right.offset))
        return self

    def _where(self, name: Opaque, known: Value) -> State:
        """The same with the word `name` known to be `known`."""
        if name.stack:
            return self

        def put(value: Value) -> Value:
            return known.plus(value.offset) if value.base == name else value

        flags = self.flags
        if isinstance(flags, Compared):
            flags = Compared(put(flags.left), put(flags.right))
        places = {place: put(value) for place, value in self.places.items()}
        return replace(self, places=places, flags=flags)


def entry_state(label: str, slots: dict[int, Value] | None = None, unsaved: frozenset[int] = frozenset()) -> State:
    """At a function's first instruction: nothing is known but `slots`."""
    places: dict[Place, Value] = {r: Value(Opaque(label, TOP, "entry " + r)) for r in REGISTERS}
    places["esp"] = stack(0)
    for slot, value in (slots or {}).items():
        places[slot] = value
    return State(places, unsaved=unsaved)


def arrive(label: str, old: State | None, new: State) -> State:
    """What is known at the top of block `label` when control may also come with `new`.

    Where two different words meet, the place gets a name of this block; places in which the *same* pair of words
    meets get the same name, for they are equal.  Names that were born in this block name another round's words by
    now, and are renamed likewise.
    """
    places = _meet(label, old.places if old else new.places, new.places)
    if old is None:
        flags, nonzero, escaped, upward = new.flags, new.nonzero, new.escaped, new.upward
    else:
        flags = old.flags if old.flags == new.flags else None
        nonzero, escaped = old.nonzero & new.nonzero, old.escaped | new.escaped
        upward = old.upward and new.upward
    if isinstance(flags, Compared) and any(_born_in(label, value) for value in flags):
        flags = None
    # A word that keeps its name keeps its facts; those of this block's names were about another round's words.
    return State(places, flags, escaped, frozenset(v for v in nonzero if not _born_in(label, v)), new.unsaved, upward)


def _meet(label: str, old: dict[Place, Value], new: dict[Place, Value]) -> dict[Place, Value]:
    places: dict[Place, Value] = {}
    different: list[Place] = []
    for place, value in new.items():
        before = old.get(place)
        if (before is value or before == value) and not _born_in(label, value) and value != SOMEWHERE_ON_STACK:
            places[place] = value
        else:
            different.append(place)
    different += [place for place in old if place not in new]
    names: dict[tuple[Value, Value], Value] = {}
    for place in sorted(different, key=place_order):
        pair = old.get(place), new.get(place)
        known = [value for value in pair if value is not None]
        if len(known) < 2 or SOMEWHERE_ON_STACK in known:
            if any(value.on_stack for value in known):
                places[place] = SOMEWHERE_ON_STACK
        else:
            both = known[0], known[1]
            if both not in names:
                names[both] = Value(Opaque(label, TOP, place, any(value.on_stack for value in both)))
            places[place] = names[both]
    return places


def _born_in(label: str, value: Value) -> bool:
    base = value.base
    return isinstance(base, Opaque) and base.block == label and base.place not in _ENTRY_PLACES


_ENTRY_PLACES = frozenset("entry " + register for register in REGISTERS)


def _is_saved(value: Value) -> bool:
    return isinstance(value.base, Opaque) and value.base.place in _SAVED and not value.offset


_SAVED = frozenset(f"entry {register}" for register in ("ebx", "esi", "edi", "ebp"))


def saved_register(value: Value) -> str:
    """Whose entry value this is."""
    assert isinstance(value.base, Opaque)
    return str(value.base.place).removeprefix("entry ")


def cover(ranges: Iterable[Range], low: int, high: int) -> bool:
    """Whether one of the ranges has a byte in [low, high)."""
    return any(low < end and start < high for start, end in ranges)
