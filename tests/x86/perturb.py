"""Does an instruction do what its effects say?  It is executed twice: the second time with everything changed that it
claims not to read.

`Bench.complaints(raw)` is empty if in all states that were tried
- memory is read and written only where `loads` and `stores` say, and stores of known size write all their bytes;
- what is outside `may_write` keeps its value, esp moves as told, and only what `faults` faults (but for memory);
- changing any part of what is outside `reads` changes nothing else: no other register, flag or byte of memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.ir import Insn
from rewriter.x86.effects import Access, Effects, effects
from rewriter.x86.state import REGISTERS, names
from tests.x86.processor import (
    CODE,
    CODE_SIZE,
    DATA,
    DATA_SIZE,
    FLAG_BITS,
    LOCATIONS,
    MASK,
    PAGE,
    Outcome,
    Processor,
    State,
)

MARGIN = 0x2000  # of the data area: what is reached from the middle stays inside
CORNERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, MASK)
STATES, CHANGES = 8, 3


@dataclass(frozen=True)
class Bench:
    """Compares effects with what a processor does."""

    processor: Processor

    def complaints(self, raw: bytes, told: Effects | None = None) -> list[str]:
        """What is wrong with the effects of these bytes (those told, or our own); empty if nothing is."""
        told = told or effects(Insn(raw))
        rng = random.Random(raw)
        self.processor.place(raw)
        ran, wrong = 0, []
        for number in range(STATES):
            state = state_for(told, rng, number, self.processor)
            outcome = self.processor.run(state)
            if outcome.fault == "trap" and not told.faults:
                wrong.append("traps, which is not said")
            if outcome.fault is None:
                ran += 1
                wrong += self._contradictions(told, state, outcome, rng)
        unbounded = any(access.size is None for access in (*told.loads, *told.stores))
        if not ran and not told.faults and not unbounded:
            wrong.append("ran in no state")
        return list(dict.fromkeys(wrong))

    def _contradictions(self, told: Effects, state: State, outcome: Outcome, rng: random.Random) -> Iterator[str]:
        yield from memory_contradictions(told, state, outcome, self.processor.watches)
        for location in LOCATIONS:
            if not told.may_write & location and outcome.state.get(location) != state.get(location):
                yield f"writes {names(location)[0]}"
        moved = outcome.state.registers[4] - state.registers[4] & MASK
        if told.esp_change is not None and moved != told.esp_change & MASK:
            yield f"esp moves by {moved:#x}"
        unread = [location for location in LOCATIONS if not told.reads & location]
        for _ in range(CHANGES):
            yield from self._differences(told, state, outcome, [c for c in unread if rng.random() < 0.4], rng)

    def _differences(
        self, told: Effects, state: State, outcome: Outcome, changes: list[int], rng: random.Random
    ) -> Iterator[str]:
        """What becomes different once places outside `reads` are."""
        other = state.copy()
        for location in changes:
            other.changed(location, rng)
        again = self.processor.run(other)
        if (again.fault, again.written) != (None, outcome.written):
            yield f"memory or faults depend on {names(sum(changes))}"
            return
        for location in LOCATIONS:
            value, kept = again.state.get(location), other.get(location)
            expected = {outcome.state.get(location)} if told.may_write & location else {kept}
            if told.may_write & ~told.writes & location and location in changes:
                expected.add(kept)
            if value not in expected:
                yield f"{names(location)[0]} depends on some of {names(sum(changes))}"


def memory_contradictions(told: Effects, state: State, outcome: Outcome, watched: bool) -> Iterator[str]:
    """Accesses that were not announced, and announced stores that did not happen."""
    for accesses, done, word in ((told.loads, outcome.reads, "reads"), (told.stores, set(outcome.written), "writes")):
        if any(access.size is None for access in accesses):
            continue
        announced = {address_of(access, state) + n & MASK for access in accesses for n in range(access.size or 0)}
        if done - announced:
            yield f"{word} memory elsewhere"
        if word == "writes" and watched and announced - done:
            yield "does not write all it announces"


def address_of(access: Access, state: State) -> int:
    mem, value = access.mem, dict(zip(REGISTERS, state.registers, strict=True))
    base = value[mem.base] if mem.base else 0
    return base + (value[mem.index] * mem.scale if mem.index else 0) + mem.disp & MASK


def state_for(told: Effects, rng: random.Random, number: int, processor: Processor) -> State:
    """Random values, corners and small ones, but for what leads to memory: that leads into mapped memory."""
    kinds = (lambda: rng.getrandbits(32), lambda: rng.choice(CORNERS), lambda: rng.randrange(64))
    registers = [rng.choice(kinds)() if number % 3 else kinds[number // 3 % 3]() for _ in REGISTERS]
    if told.faults and number % 2:
        registers[2] = rng.choice((0, 0, MASK))  # edx, so that some quotients fit
    state = State(registers, sum(rng.getrandbits(1) << bit for bit in FLAG_BITS.values()))
    unbounded = any(access.size is None for access in (*told.loads, *told.stores))
    if unbounded:
        state.registers = [rng.randrange(-200, 200) & MASK for _ in REGISTERS]
        state.registers[1] = rng.randrange(8)  # ecx counts
    for access in (*told.loads, *told.stores):
        aim(access, state, rng)
        start = address_of(access, state)
        for address in (start - 64, start, start + 256):
            if not CODE <= address & MASK < CODE + CODE_SIZE:
                processor.map(address & MASK & -PAGE)
    return state


def aim(access: Access, state: State, rng: random.Random) -> None:
    """Set the registers of an address so that it lies in the data area, or near its displacement if that is far."""
    mem = access.mem
    target = DATA + MARGIN + rng.randrange(DATA_SIZE - 2 * MARGIN)
    if abs(mem.disp) >= 0x1000000:  # an address already, of a table
        target = mem.disp + rng.randrange(64) * 8
    value = dict(zip(REGISTERS, state.registers, strict=True))
    if mem.index and mem.index != mem.base:
        if mem.base is None:
            value[mem.index] = (target - mem.disp) // mem.scale & MASK
        elif mem.index != "esp":
            value[mem.index] = rng.randrange(-8, 9) & MASK if rng.random() < 0.9 else value[mem.index]
    if mem.base == mem.index and mem.base:
        value[mem.base] = (target - mem.disp & MASK) // (1 + mem.scale)
    elif mem.base:
        value[mem.base] = target - mem.disp - (value[mem.index] * mem.scale if mem.index else 0) & MASK
    state.registers[:] = [value[name] for name in REGISTERS]
