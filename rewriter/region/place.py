"""Values brought where somebody expects them: fixed registers, stack slots; all at once, without losing any."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rewriter.analysis.value import WORD
from rewriter.reasons import Reason
from rewriter.region.exits import Refused
from rewriter.region.flagcode import Conditions
from rewriter.region.future import Uses
from rewriter.region.machine import esp_plus
from rewriter.region.segments import NUMBERS, Segments, from_register
from rewriter.region.tree import Exit, Return
from rewriter.region.value import Value

FEW = 2  # words for which `push` is shorter than `lea`


class Placer(Conditions):
    """Moves touch no flag."""

    def prepare(self, values: Collection[Value]) -> None:
        """Compute what is no plain move: operations, and the address of the task."""
        for value in dict.fromkeys(values):
            if not self._plain(value):
                with self.m.later(*(v for v in values if v is not value)):
                    self.register(value)

    def _plain(self, value: Value) -> bool:
        return value.immediate or value.offset is not None or self.m.somewhere(value)

    def assign(self, wanted: Mapping[str, Value], avoid: Collection[str] = ()) -> None:
        """Each of these registers gets its value; what is needed later of what they held goes elsewhere, but into none
        of `avoid`."""
        left = {r: v for r, v in wanted.items() if self.m.at.held.get(r) is not v}
        with self.m.later(*wanted.values()):
            while left:
                ready = [r for r in left if not self._blocks(r, left)]
                if ready:
                    self.move(ready[0], left.pop(ready[0]))
                else:
                    self._unblock(next(iter(left)), left, {*wanted, *avoid})
                left = {r: v for r, v in left.items() if self.m.at.held.get(r) is not v}

    def _blocks(self, register: str, left: Mapping[str, Value]) -> bool:
        """Whether the register holds what somebody else still needs, and nobody else holds."""
        m = self.m
        value = m.at.held.get(register)
        if value is None or any(v is value for r, v in m.at.held.items() if r != register):
            return False
        asked = any(v is value for r, v in left.items() if r != register)
        again = m.cheap(value) and value.op not in ("current", "segment")
        return not again and (asked or value in m.needed())

    def move(self, register: str, value: Value) -> None:
        """The value into this register, which nobody needs."""
        m = self.m
        source, slot = m.find(value), m.stored(value)
        if source is not None:
            m.put(f"mov {register}, {source}", why=Reason.MOVED)
        elif value.immediate:
            m.put(f"mov {register}, {self.immediate(value)}", why=Reason.MOVED)
        elif value.offset is not None:
            m.put(f"lea {register}, [esp@{value.offset}]", why=Reason.MOVED)
        elif slot is not None:
            m.put(f"mov {register}, {m.slot(slot)}", why=Reason.MOVED)
        else:
            raise Refused(f"{value} is lost")
        m.set(register, value)

    def _unblock(self, register: str, left: Mapping[str, Value], avoid: Collection[str]) -> None:
        """Break a cycle, or carry what the register holds to where it is in nobody's way."""
        m = self.m
        source = m.find(left[register])
        if source is not None and source in left:
            m.put(f"xchg {register}, {source}", why=Reason.MOVED)
            m.at.held[register], m.at.held[source] = m.at.held[source], m.at.held[register]
            return
        self.rescue(register, avoid)

    def rescue(self, register: str, avoid: Collection[str]) -> None:
        """Keep what a register holds: in another one, else on the stack."""
        m = self.m
        value = m.at.held[register]
        needed = m.needed()
        free = [r for r in ("ebx", "esi", "edi", "ebp", "edx", "ecx", "eax") if r not in avoid and r != register]
        free = [r for r in free if r not in m._pins and m.at.held.get(r) not in needed]
        if free:
            m.put(f"mov {free[0]}, {register}", why=Reason.MOVED)
            m.set(free[0], value)
        else:
            m.spill(value, register)
        del m.at.held[register]

    # The stack

    def store_slots(self, slots: Mapping[int, Value]) -> None:
        """Each of these stack words gets its value; esp is low enough already."""
        m = self.m
        m.reserved |= frozenset(slots)
        left = {slot: value for slot, value in slots.items() if not self._has(slot, value)}
        while left:
            slot = min(left, key=lambda s: (self._in_the_way(s, left), not (m.find(left[s]) or left[s].immediate)))
            value = left.pop(slot)
            with m.later(*left.values()):
                self._save_slot(slot, [value])
                self.store_slot(slot, value)

    def _in_the_way(self, slot: int, left: Mapping[int, Value]) -> bool:
        """Whether a word stands there alone that somebody else still needs."""
        m = self.m
        old = m.at.memory.get(slot)
        if old is None or m.find(old) is not None:
            return False
        with m.later(*(value for other, value in left.items() if other != slot)):
            return old in m.needed()

    def store_slot(self, slot: int, value: Value) -> None:
        m = self.m
        source = self.immediate(value) if value.immediate else self.register(value)
        m.put(f"mov {m.slot(slot)}, {source}", why=Reason.KEPT)
        m.at.memory[slot] = value
        m.at.gone |= {slot}

    def rebuild(self, slots: Mapping[int, Value], esp: int) -> None:
        """Let these words be on the stack, and esp at most there: what lies below it is pushed, from the top."""
        m = self.m
        above = {slot: value for slot, value in slots.items() if slot >= m.at.level}
        below = {slot: value for slot, value in slots.items() if slot < m.at.level}
        with m.later(*below.values()):
            self.store_slots(above)
        for slot in sorted(below, reverse=True):
            value = below.pop(slot)
            with m.later(*below.values()):
                self._push(slot, value)
        self._skip(esp)

    def _push(self, slot: int, value: Value) -> None:
        m = self.m
        source = self.immediate(value) if value.immediate else m.find(value)
        segment = m.at.segments.holder(value) if m.at.segments is not None else None
        if source is None and segment is None:
            stored = m.stored(value)
            source = self.register(value) if stored is None else m.slot(stored)
        if m.at.level <= slot:  # something had to be saved there
            self.store_slots({slot: value})
            return
        self._skip(slot + WORD)
        m.put(f"push {source or segment}", why=Reason.KEPT)
        m.at.level = slot
        m.at.memory[slot] = value

    def _skip(self, level: int) -> None:
        """Lower esp over words that nobody reads."""
        m = self.m
        while level < m.at.level <= level + FEW * WORD:
            m.put("push eax", why=Reason.ESP)
            m.at.level -= WORD
        m.lower(level)

    def _has(self, slot: int, value: Value) -> bool:
        """Whether the word stands there already."""
        if value.op == "given" and value.args[0] == slot:
            return slot not in self.m.at.gone or self.m.at.memory.get(slot) is value
        return self.m.at.memory.get(slot) is value

    def _save_slot(self, slot: int, others: list[Value]) -> None:
        """What stands in a slot that is to be overwritten goes to a register, if it is needed."""
        m = self.m
        old = m.at.memory.get(slot)
        if old is None and slot >= WORD and slot not in m.at.gone:
            old = m.pool.make("given", slot)
        if old is None:
            return
        with m.later(*others):
            if old in m.needed() and m.find(old) is None:
                self.register(old)
        m.at.memory.pop(slot, None)
        m.at.gone |= {slot}

    # Segments

    def load_segments(self, wanted: Segments | None) -> None:
        """Let the segment registers hold these, and the direction flag be clear if it is believed to be."""
        m = self.m
        held = m.at.segments
        if wanted is None or held is None:
            return
        if wanted.upward and not held.upward:
            m.put("cld", why=Reason.MOVED)
            held = m.at.segments = held._replace(upward=True)
        names = [name for name in NUMBERS if getattr(wanted, name) is not getattr(held, name)]
        if not names:
            return
        for name in names:
            self._save_segment(getattr(held, name))
        for name in names:
            self._load_segment(name, getattr(wanted, name))

    def _save_segment(self, value: Value) -> None:
        """What the program had in it must not get lost."""
        m = self.m
        if value in m.needed() and m.find(value) is None and m.stored(value) is None:
            m.spill(value, self.register(value))

    def _load_segment(self, name: str, value: Value) -> None:
        m = self.m
        assert m.at.segments is not None
        slot = m.stored(value)
        if slot is not None and m.find(value) is None:
            m.put(f"mov {name}, word ptr [{esp_plus(slot)}]", why=Reason.MOVED)
        else:
            m.line(from_register(name, self.register(value)), Reason.MOVED)
        m.at.segments = m.at.segments.loaded(name, value)

    # Ways out

    def leave(self, exit: Exit) -> None:
        """Bring everything where the code that was lifted expects it; then control may go there."""
        m = self.m
        flags = exit.flags.words if exit.flags else ()
        if exit.flags is not None and exit.flags.carry is not None:
            flags += exit.flags.carry.flags.words
        registers = list(exit.registers.values())
        m.after, m.reserved = Uses(), frozenset(exit.slots)
        lowest, frame, m.room.frame = m.room.lowest, m.room.frame, 0  # what is spilled here is nobody else's
        m.origin, m.leaving = exit.address, True
        with m.later(*registers, *flags):
            self.rebuild(exit.slots, exit.esp)
        with m.later(*registers, *flags):
            self.load_segments(exit.segments)
            self.prepare(registers)
        if exit.flags is not None:
            with m.later(*registers), self.ready(exit.flags) as lines:
                self.fire(lines, exit.flags)
        self.assign(exit.registers)
        m.move_esp(exit.esp)
        m.room.lowest, m.room.frame = lowest, frame

    def returns(self, end: Return) -> None:
        """The same for `ret`."""
        m = self.m
        registers = list(end.registers.values())
        m.after = Uses()
        with m.later(*registers):
            self.store_slots(end.slots)
        with m.later(*registers):
            self.load_segments(end.segments)
            self.prepare(registers)
            kept = {r: m.stored(v) for r, v in end.registers.items() if m.find(v) is None}
            popped = sorted((slot, r) for r, slot in kept.items() if slot is not None)
            if [slot for slot, _ in popped] != list(range(m.at.level, 0, WORD)):
                popped = []
            self.assign({r: v for r, v in end.registers.items() if r not in {name for _, name in popped}})
        for _, register in popped:
            m.put(f"pop {register}", why=Reason.MOVED)
            m.set(register, end.registers[register])
            m.at.level += WORD
        self.assign(end.registers)
        m.move_esp(0)
