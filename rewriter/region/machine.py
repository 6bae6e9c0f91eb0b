"""Where values are while a path is written: registers, stack slots, flags; how registers become free.

`level` is where esp really is, as an offset from the entry esp.  It goes down when something must lie on the stack,
and up at exits; nothing that matters ever lies below it (§5.5).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rewriter.analysis.value import WORD
from rewriter.ir import Insn
from rewriter.reasons import Reason
from rewriter.region.exits import Refused
from rewriter.region.flag import Flags
from rewriter.region.future import Room, Uses
from rewriter.region.segments import Segments
from rewriter.region.tree import Effect
from rewriter.region.value import Pool, Value

GENERAL = ("eax", "edx", "ecx", "ebx", "esi", "edi", "ebp")
WITH_BYTES = ("eax", "edx", "ecx", "ebx")
_FREE_TO_MAKE = ("const", "label", "stack", "current")


@dataclass(slots=True)
class Places:
    """What the processor holds at one point of a path."""

    held: dict[str, Value]  # by register
    memory: dict[int, Value] = field(default_factory=dict)  # stack words, by offset
    gone: frozenset[int] = frozenset()  # of the caller's words, those that hold something else than at the entry
    level: int = 0
    flags: tuple[Flags, ...] = ()  # what the flags are those of
    segments: Segments | None = None  # where the code begins at the gate
    pending: Effect | None = None  # a load that is not written yet: an instruction may take it as its operand

    def copy(self) -> Places:
        return Places(
            dict(self.held), dict(self.memory), self.gone, self.level, self.flags, self.segments, self.pending
        )


@dataclass(slots=True)
class Line:
    """An instruction to be: text for the assembler, or one that is there already."""

    text: str | Insn
    origin: int | None
    faults_to: str | None = None
    why: Reason | None = None  # it was written; None: it is as it was
    others: tuple[int, ...] = ()  # what else it stands for


class Later:
    """Meanwhile these values stand at the end of a list."""

    __slots__ = ("_kept", "_values")

    def __init__(self, kept: list[Value], values: tuple[Value, ...]) -> None:
        self._kept, self._values = kept, values

    def __enter__(self) -> None:
        self._kept += self._values

    def __exit__(self, *_: object) -> None:
        del self._kept[len(self._kept) - len(self._values) :]


class Machine:
    """Places, the lines written so far, and what will be needed."""

    def __init__(self, places: Places, pool: Pool, room: Room, wishes: dict[Value, str], stack_size: int) -> None:
        self.at = places
        self.pool = pool
        self.stack_size = stack_size
        self.room = room
        self.wishes = wishes
        self.lines: list[Line] = []
        self.highest = 0  # where esp will have to be at some time: no value can be kept below
        self.origin: int | None = None  # of what is being written
        self.why = Reason.VALUE  # it is written
        self.folded: list[int] = []  # origins of what became part of its operands
        self.leaving = False  # for whom an exit leads to
        self.after = Uses()  # behind the present effect
        self._later: list[Value] = []  # what the present effect still has to use
        self._pins: list[str | int] = []  # registers, and stack words, that somebody is about to read
        self.reserved: frozenset[int] = frozenset()  # stack words that a way out writes: nothing is spilled there

    # Writing

    def put(self, text: str, *flags: Flags, keeps_flags: bool = True, why: Reason | None = None) -> None:
        """`why`: another reason than for what is being written, of which it is no part."""
        self.line(_SLOT.sub(self._placed, text), why)
        if flags or not keeps_flags:
            self.at.flags = flags

    def line(self, text: str | Insn, why: Reason | None = None) -> None:
        others: tuple[int, ...] = ()
        if why is None:
            others = tuple(origin for origin in dict.fromkeys(self.folded) if origin != self.origin)
            self.folded.clear()
        reason = Reason.REBUILT if self.leaving else why or self.why
        self.lines.append(Line(text, self.origin, why=reason, others=others))

    @contextmanager
    def writing(self, origin: int | None, why: Reason) -> Iterator[None]:
        """Meanwhile what is written stands for this instruction, and nothing that was folded before is part of it."""
        before = self.origin, self.why, self.folded
        self.origin, self.why, self.folded = origin, why, []
        yield
        self.origin, self.why, self.folded = before

    def move_esp(self, level: int) -> None:
        """Without touching a flag."""
        distance = level - self.at.level
        if distance:
            self.put(f"lea esp, [esp {'-' if distance < 0 else '+'} {abs(distance):#x}]", why=Reason.ESP)
            self.at.level = level

    def lower(self, level: int | None) -> None:
        """At most there."""
        if level is not None and level < self.at.level:
            self.move_esp(level)

    def slot(self, offset: int, size: int = WORD) -> str:
        """A stack slot as an operand."""
        return f"{SIZES[size]} ptr [{esp_plus(offset)}]"

    def memory(self, size: int, address: str) -> str:
        """Memory as an operand; the processor's ss names it as long as ds is the program's."""
        held = self.at.segments
        found_by = "ss:" if held is not None and not held.name_memory() and "esp@" not in address else ""
        return f"{SIZES[size]} ptr {found_by}[{address}]"

    def _placed(self, match: re.Match[str]) -> str:
        distance = int(match[1]) - self.at.level
        return f"esp {'-' if distance < 0 else '+'} {abs(distance):#x}" if distance else "esp"

    # What is needed

    def later(self, *values: Value) -> Later:
        """Meanwhile keep what these values are made of."""
        return Later(self._later, values)

    @contextmanager
    def pinned(self, *places: str | int) -> Iterator[None]:
        """Meanwhile these registers and stack words are not given away."""
        self._pins += places
        yield
        for place in places:
            self._pins.remove(place)

    def needed(self) -> dict[Value, None]:
        """Values that must not get lost, in the order in which they are used: those that are somewhere, and what the
        others are computed from."""
        found: dict[Value, None] = {}
        pending = list(self._later)
        if self.at.pending is not None and self.at.pending.address is not None:
            pending.append(self.at.pending.address)
        here = {*self.at.held.values(), *self.at.memory.values()}
        self._add(found, [*reversed(self.after.hot), *reversed(pending)], here, cold=False)
        self._add(found, list(reversed(self.after.cold)), here, cold=True)
        return found

    def _add(self, found: dict[Value, None], stack: list[Value], here: set[Value], *, cold: bool) -> None:
        """What only exits need they can compute themselves, if what it is computed from stays.  `here`: what registers
        and stack slots hold."""
        seen: set[Value] = set()
        while stack:
            value = stack.pop()
            if value in seen or value in found:
                continue
            seen.add(value)
            if value.leaf or (value in here and not (cold and self._derivable(value, found))):
                found[value] = None
            else:
                stack += reversed(value.parts)

    def _derivable(self, value: Value, found: dict[Value, None]) -> bool:
        return all(
            v in found or self.free_to_make(v) or (not v.leaf and self._derivable(v, found)) for v in value.parts
        )

    def find(self, value: Value) -> str | None:
        """A register that holds the value."""
        for register, held in self.at.held.items():
            if held is value:
                return register
        return None

    def stored(self, value: Value) -> int | None:
        """A stack slot that holds it."""
        if value.op == "given" and value.args[0] not in self.at.gone:
            offset = value.args[0]
            assert isinstance(offset, int)
            return offset
        for slot, held in self.at.memory.items():
            if held is value:
                return slot
        return None

    def somewhere(self, value: Value) -> bool:
        return self.find(value) is not None or self.stored(value) is not None

    # Registers

    def take(self, wish: str | None = None, among: Collection[str] = GENERAL, avoid: Collection[str] = ()) -> str:
        """A register for a new value; what it held is spilled if it is needed."""
        needed = self.needed()
        usable = [r for r in GENERAL if r in among and r not in self._pins and r not in avoid]
        free = [r for r in usable if not self._matters(r, needed)]
        if wish in free:
            chosen = wish
        elif free:
            held = set(self.at.held.values())
            wanted = {self.wishes.get(v) for v in (*needed, *self.after.hot, *self.after.cold) if v not in held}
            chosen = next((r for r in free if r not in wanted), free[0])
        else:
            chosen = self._evict(usable, needed)
        assert chosen is not None
        self.at.held.pop(chosen, None)
        return chosen

    def _matters(self, register: str, needed: dict[Value, None]) -> bool:
        value = self.at.held.get(register)
        if value is None or value not in needed:
            return False
        return not any(held is value for r, held in self.at.held.items() if r != register)

    def _evict(self, usable: list[str], needed: dict[Value, None]) -> str:
        if not usable:
            raise Refused("too few registers")
        order = {value: n for n, value in enumerate(needed)}
        cheap = [r for r in usable if self.cheap(self.at.held[r])]
        chosen = max(cheap or usable, key=lambda r: order[self.at.held[r]])
        if not cheap:
            self.spill(self.at.held[chosen], chosen)
        return chosen

    def cheap(self, value: Value) -> bool:
        """Whether it can be had again."""
        return self.free_to_make(value) or self.stored(value) is not None

    def free_to_make(self, value: Value) -> bool:
        """Whether an instruction makes it of nothing."""
        held = self.at.segments
        return value.op in _FREE_TO_MAKE or (held is not None and held.holder(value) is not None)

    def spill(self, value: Value, register: str) -> None:
        """Store a value on the stack, where nothing else ever has to be."""
        if self.room.pushes and self.at.level - WORD >= self.highest and self.at.level - WORD in self.room.slots:
            self._push(value, register)
            return
        needed = self.needed()
        home = self.room.homes.get(value)
        tried = [
            s
            for s in [*([] if home is None else [home]), *self.room.slots]
            if s >= self.highest and s not in self.reserved and s not in self._pins
        ]
        slot = next((s for s in tried if s not in self.at.memory or self.at.memory[s] not in needed), None)
        if slot is None:
            raise Refused("no room for a spilled value")
        self.room.lowest = min(self.room.lowest, slot)
        if slot < self.at.level:
            self.move_esp(min(slot, self.room.frame))
        self.put(f"mov {self.slot(slot)}, {register}", why=Reason.KEPT)
        self.at.memory[slot] = value

    def _push(self, value: Value, register: str) -> None:
        self.put(f"push {register}", why=Reason.KEPT)
        self.at.level -= WORD
        self.room.lowest = min(self.room.lowest, self.at.level)
        self.at.memory[self.at.level] = value

    def set(self, register: str, value: Value) -> None:
        self.at.held[register] = value


def esp_plus(offset: int) -> str:
    """A place on the stack, counted from the entry esp: written as esp is when the line is."""
    return f"esp@{offset}"


_SLOT = re.compile(r"esp@(-?\d+)")
SIZES = {1: "byte", 2: "word", 4: "dword"}


def narrow(register: str, size: int) -> str:
    """The name of a register's lowest bytes."""
    return register if size == WORD else register[1:] if size == 2 else register[1] + "l"
