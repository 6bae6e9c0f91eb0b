"""Tails (`tails`) as blocks: ebp is the same distance from the words for all that call them, wherever esp is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from rewriter.ir import Insn
from rewriter.region.machine import Line, Machine, Places
from rewriter.region.tails import SAVED, Tail
from rewriter.region.value import Value
from rewriter.region.writer import Writer
from rewriter.x86.encode import assemble

_NEAR = 84  # bytes from the lowest word to where ebp is: most words are a byte's distance from both ebp and esp


class _Beside(Machine):
    """Stack words are found by ebp; all other registers are free."""

    base = 0

    def _placed(self, match: re.Match[str]) -> str:
        distance = int(match[1]) - self.base
        return f"ebp {'-' if distance < 0 else '+'} {abs(distance):#x}"


@dataclass(slots=True)
class TailWriter:
    """`machine` makes one that knows these places; `lines`: of blocks, by label, with the label where each goes on, and
    how often it is expected to run."""

    fresh: Callable[[], str]
    machine: Callable[[Places], Machine]
    lowest: int
    lines: dict[str, tuple[list[Line], str | None, float]] = field(default_factory=dict)
    _heads: dict[tuple[int, int], str] = field(default_factory=dict)
    _bodies: dict[int, str] = field(default_factory=dict)

    @property
    def base(self) -> int:
        """Where ebp is, as an offset from the entry esp."""
        return self.lowest + _NEAR

    def head(self, tail: Tail, esp: int) -> str:
        """The label to be called where esp is this."""
        key = id(tail), esp
        if key not in self._heads:
            self._heads[key] = self.fresh()
            distance = self.base - (esp - SAVED)
            m = self._begun(tail)
            m.put("pushal")
            m.put(f"lea ebp, [esp {'-' if distance < 0 else '+'} {abs(distance):#x}]")
            self._put(self._heads[key], tail, m, self._body(tail))
        return self._heads[key]

    def _body(self, tail: Tail) -> str:
        if id(tail) not in self._bodies:
            label = self._bodies[id(tail)] = self.fresh()
            after = self._body(tail.parent) if tail.parent is not None else None
            m = self._begun(tail)
            self._store(tail, Writer(m))
            if after is None:
                m.put("popal")
                (back,) = assemble(["ret"])
                m.line(Insn(back.raw))
            self._put(label, tail, m, after)
        return self._bodies[id(tail)]

    def _begun(self, tail: Tail) -> Machine:
        known = self.machine(Places({}, {slot: value for value, slot in tail.homes.items() if value.op != "given"}))
        m = _Beside(known.at, known.pool, known.room, {}, known.stack_size)
        m.base, m.leaving = self.base, True
        m._pins.append("ebp")
        return m

    def _put(self, label: str, tail: Tail, m: Machine, after: str | None) -> None:
        first, *others = dict.fromkeys(exit.address for exit in tail.all_exits()) or [None]
        for line in m.lines:
            line.origin, line.others = first, tuple(other for other in others if other is not None)
        self.lines[label] = m.lines, after, sum(exit.weight for exit in tail.all_exits())

    def _store(self, tail: Tail, writer: Writer) -> None:
        """Its words, those that are alike from one register."""
        m = writer.m
        slots: dict[Value, list[int]] = {}
        for slot, value in tail.own().items():
            slots.setdefault(value, []).append(slot)
        for value, places in slots.items():
            names = [m.slot(slot) for slot in places]
            if value.immediate and len(names) == 1:
                self._one(writer, value, names[0])
                continue
            m.at.held = {}
            if value.constant == 0:
                m.put("xor eax, eax")
                register = "eax"
            else:
                register = writer.register(value)
            for name in names:
                m.put(f"mov {name}, {register}")

    def _one(self, writer: Writer, value: Value, name: str) -> None:
        number = writer.immediate(value)
        if value.constant is not None and (value.constant + 0x80) & 0xFFFFFFFF < 0x100:
            writer.m.put(f"push {number}")
            writer.m.put(f"pop {name}")
        else:
            writer.m.put(f"mov {name}, {number}")
