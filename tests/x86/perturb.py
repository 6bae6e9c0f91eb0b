"""Does an instruction do what its effects say?  Run under Unicorn, twice: the second time with everything changed that
it claims not to read.

`Bench.complaints(raw)` is empty if in all states that were tried
- memory is read and written only where `loads` and `stores` say, and stores of known size write all their bytes;
- what is outside `may_write` keeps its value, esp moves as told, and only what `faults` faults (but for memory);
- changing any part of what is outside `reads` changes nothing else: no other register, flag or byte of memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import unicorn as u
from unicorn import x86_const as x

from rewriter.ir import Insn
from rewriter.x86.effects import Access, Effects, effects
from rewriter.x86.flow import Flow, branch_field, flow
from rewriter.x86.state import AF, ALL_REGISTERS, CF, DF, IF, OF, PF, REGISTERS, SF, ZF, names

MASK = 0xFFFFFFFF
CODE, CODE_SIZE, SLOT = 0x10000000, 0x100000, 0x200
NOWHERE = 0x30000000  # what calls and jumps lead to
DATA, DATA_SIZE = 0x20000000, 0x10000
MARGIN = 0x2000  # of the data area: what is reached from the middle stays inside
PAGE = 0x1000
FLAG_BITS = {CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, OF: 11, DF: 10, IF: 9}
CORNERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, MASK)
STATES, CHANGES = 8, 3
REGISTER_IDS = tuple(getattr(x, f"UC_X86_REG_{name.upper()}") for name in (*REGISTERS, "eflags"))
LOCATIONS = tuple(1 << bit for bit in range(32)) + tuple(FLAG_BITS)


@dataclass(slots=True)
class State:
    """Eight registers, and flags in the bits of `FLAG_BITS`."""

    registers: list[int]
    flags: int

    def get(self, location: int) -> int:
        if location <= ALL_REGISTERS:
            register, byte = divmod(location.bit_length() - 1, 4)
            return self.registers[register] >> 8 * byte & 0xFF
        return self.flags >> FLAG_BITS[location] & 1

    def changed(self, location: int, rng: random.Random) -> None:
        """Another value in this place."""
        if location <= ALL_REGISTERS:
            register, byte = divmod(location.bit_length() - 1, 4)
            self.registers[register] ^= rng.randrange(1, 256) << 8 * byte
        else:
            self.flags ^= 1 << FLAG_BITS[location]

    def copy(self) -> State:
        return State(list(self.registers), self.flags)


@dataclass(slots=True)
class Outcome:
    """What is there afterwards.  `fault`: "memory", "trap", or None."""

    state: State
    fault: str | None
    reads: set[int]  # addresses of bytes
    written: dict[int, int]  # bytes by address


@dataclass
class Bench:
    """A processor without paging, some memory, and instructions one after the other."""

    seed: int = 1

    def __post_init__(self) -> None:
        self.uc = u.Uc(u.UC_ARCH_X86, u.UC_MODE_32)
        self.uc.mem_map(CODE, CODE_SIZE)
        self.uc.mem_write(CODE, b"\xf4" * CODE_SIZE)  # hlt
        self.pages: dict[int, bytes] = {}
        for page in range(DATA, DATA + DATA_SIZE, PAGE):
            self.map(page)
        self.reads: set[int] = set()
        self.writes: set[int] = set()
        self.trapped = False
        self.uc.hook_add(u.UC_HOOK_MEM_READ | u.UC_HOOK_MEM_WRITE, self._access)
        self.uc.hook_add(u.UC_HOOK_INTR, self._interrupt)
        self.uc.hook_add(u.UC_HOOK_INSN_INVALID, self._invalid)
        self.fresh = self.uc.context_save()
        self.at = CODE + SLOT

    def map(self, page: int) -> None:
        if page not in self.pages:
            self.pages[page] = random.Random(page ^ self.seed).randbytes(PAGE)
            self.uc.mem_map(page, PAGE, u.UC_PROT_READ | u.UC_PROT_WRITE)
            self.uc.mem_write(page, self.pages[page])

    def _access(self, uc: u.Uc, kind: int, address: int, size: int, value: int, data: object) -> None:
        into = self.writes if kind == u.UC_MEM_WRITE else self.reads
        into.update((address + n) & MASK for n in range(size))

    def _interrupt(self, uc: u.Uc, number: int, data: object) -> None:
        self.trapped = True
        uc.emu_stop()

    def _invalid(self, uc: u.Uc, data: object) -> bool:
        self.trapped = True
        return False

    def run(self, raw: bytes, state: State) -> Outcome:
        """Execute one instruction, put memory back, and tell."""
        self.reads.clear()
        self.writes.clear()
        self.trapped = False
        self.uc.context_restore(self.fresh)
        self.uc.reg_write_batch(list(zip(REGISTER_IDS, (*state.registers, state.flags | 2), strict=True)))
        fault = None
        try:
            self.uc.emu_start(self.at, self.at + len(raw))
        except u.UcError as error:
            fault = "trap" if error.errno in (u.UC_ERR_INSN_INVALID, u.UC_ERR_EXCEPTION) else "memory"
            if error.errno in (u.UC_ERR_FETCH_UNMAPPED, u.UC_ERR_FETCH_PROT) and flow(raw) is not Flow.NEXT:
                fault = None  # it jumped, and there is no code (behind a short jump there is a hlt)
        fault = "trap" if self.trapped else fault
        values = self.uc.reg_read_batch(REGISTER_IDS)
        after = State(list(values[:8]), values[8])
        written = {address: self.uc.mem_read(address, 1)[0] for address in self.writes if address & -PAGE in self.pages}
        for address in written:
            self.uc.mem_write(address, self.pages[address & -PAGE][address % PAGE : address % PAGE + 1])
        return Outcome(after, fault, set(self.reads), written)

    def place(self, raw: bytes) -> None:
        """Put the instruction where it runs, with hlt around: every one in a slot of its own, because what stood
        there before has been translated."""
        self.uc.mem_write(self.at, b"\xf4" * len(raw) + b"\xf4" * 16)
        self.at += SLOT
        if self.at + SLOT > CODE + CODE_SIZE:
            self.at = CODE + SLOT
            self.uc.ctl_remove_cache(CODE, CODE + CODE_SIZE)
        field = branch_field(raw)
        if field is not None:
            size = len(raw) - field[0]
            raw = raw[: field[0]] + (NOWHERE - CODE if size == 4 else 0x40).to_bytes(size, "little")
        self.uc.mem_write(self.at, raw)

    def complaints(self, raw: bytes, told: Effects | None = None) -> list[str]:
        """What is wrong with the effects of these bytes (those told, or our own); empty if nothing is."""
        told = told or effects(Insn(raw))
        rng = random.Random(raw)
        self.place(raw)
        ran, wrong = 0, []
        for number in range(STATES):
            state = state_for(told, rng, number, self)
            outcome = self.run(raw, state)
            if outcome.fault == "trap" and not told.faults:
                wrong.append("traps, which is not said")
            if outcome.fault is None:
                ran += 1
                wrong += self._contradictions(raw, told, state, outcome, rng)
        unbounded = any(access.size is None for access in (*told.loads, *told.stores))
        if not ran and not told.faults and not unbounded:
            wrong.append("ran in no state")
        return list(dict.fromkeys(wrong))

    def _contradictions(
        self, raw: bytes, told: Effects, state: State, outcome: Outcome, rng: random.Random
    ) -> Iterator[str]:
        yield from memory_contradictions(told, state, outcome)
        for location in LOCATIONS:
            if not told.may_write & location and outcome.state.get(location) != state.get(location):
                yield f"writes {names(location)[0]}"
        moved = outcome.state.registers[4] - state.registers[4] & MASK
        if told.esp_change is not None and moved != told.esp_change & MASK:
            yield f"esp moves by {moved:#x}"
        unread = [location for location in LOCATIONS if not told.reads & location]
        for _ in range(CHANGES):
            yield from self._differences(raw, told, state, outcome, [c for c in unread if rng.random() < 0.4], rng)

    def _differences(
        self, raw: bytes, told: Effects, state: State, outcome: Outcome, changes: list[int], rng: random.Random
    ) -> Iterator[str]:
        """What becomes different once places outside `reads` are."""
        other = state.copy()
        for location in changes:
            other.changed(location, rng)
        again = self.run(raw, other)
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


def memory_contradictions(told: Effects, state: State, outcome: Outcome) -> Iterator[str]:
    """Accesses that were not announced, and announced stores that did not happen."""
    for accesses, done, word in ((told.loads, outcome.reads, "reads"), (told.stores, set(outcome.written), "writes")):
        if any(access.size is None for access in accesses):
            continue
        announced = {address_of(access, state) + n & MASK for access in accesses for n in range(access.size or 0)}
        if done - announced:
            yield f"{word} memory elsewhere"
        if word == "writes" and announced - done:
            yield "does not write all it announces"


def address_of(access: Access, state: State) -> int:
    mem, value = access.mem, dict(zip(REGISTERS, state.registers, strict=True))
    base = value[mem.base] if mem.base else 0
    return base + (value[mem.index] * mem.scale if mem.index else 0) + mem.disp & MASK


def state_for(told: Effects, rng: random.Random, number: int, bench: Bench) -> State:
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
                bench.map(address & MASK & -PAGE)
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
