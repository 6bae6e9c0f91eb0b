"""A certificate for each new system call: it does what the call does that it stands for (§5, beyond the paper).

In a state that real work has led to, both calls are made with the same arguments, each in a copy of the machine; wild
ones too, so that guards fail and copies fault.  Both must end the same way, with the same registers and the same bytes
everywhere, but for the call's own kernel stack, which is dead then, and where the kernel writes down the number of a
call (a tracer's log).  The specialized kernel still has the old call: it is one image, and a pointer is the same number
in both copies.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rewriter.ir import Program
from rewriter.run import Ending, Moment

Registers = tuple[int, ...]  # eax, then the arguments
WORD: Final = 4
WORD_MASK: Final = 0xFFFFFFFF
PAGE: Final = 4096
ENOUGH: Final = 1000  # trials of each new call
_NUMBERS: Final = (0, 1, 2, 3, 4, 5, 7, 11, 31, 32, 100, 511, 4095, 4096, 4097, 65536, 0x7FFFFFFF, 0x80000000)
_ADDRESSES: Final = (0, 1, 0x1000, 0xBFFFFFFD, 0xC0000000, 0xC0100000, 0xFFFFF000, 0xFFFFFFFF)
_REMEMBERED: Final = 64  # argument lists of a number


@dataclass(frozen=True, slots=True)
class NewCall:
    """A new system call: `number` does what `call` does where the implied arguments have these values."""

    name: str
    number: int
    call: int
    implied: Mapping[int, int]
    guarded: Mapping[int, int]

    @staticmethod
    def of(row: Mapping[str, Any]) -> NewCall:
        """From a row of the layout's summary, `new_calls`."""
        implied, guarded = ({int(n): value for n, value in row[key].items()} for key in ("implied", "guarded"))
        return NewCall(row["name"], row["number"], row["call"], implied, guarded)


@dataclass(slots=True)
class Certificate:
    """What was tried of one new call.

    `endings`: by how the old call ended, an error of its own; `fallbacks`: trials with an argument that is not the one
    that the new call tests for; `different`: one line for each trial that ended differently; `executed`, `never`:
    addresses of its instructions that ran in some trial, and of those that did not."""

    call: NewCall
    trials: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    fallbacks: int = 0
    different: list[str] = field(default_factory=list)
    executed: set[int] = field(default_factory=set)
    never: set[int] = field(default_factory=set)

    def row(self) -> dict[str, object]:
        order = {address: n for n, address in enumerate(sorted(self.executed | self.never))}
        never = _ranges(sorted(self.never), lambda last, address: order[address] == order[last] + 1)
        return {
            "name": self.call.name,
            "number": self.call.number,
            "trials": self.trials,
            "endings": dict(sorted(self.endings.items())),
            "fallbacks": self.fallbacks,
            "different": self.different,
            "instructions": [len(self.executed), len(order)],
            "never": [f"{first:#x}-{last:#x}" for first, last in never],
        }


class Trials:
    """Thinks up trials at the moments of a run, and compares how they end.

    `kernel`: the specialized one, as it was read again; `enough`: trials of each new call; `moments`: how many the run
    is expected to have, over all of which the trials are spread."""

    def __init__(
        self, kernel: Program, calls: Sequence[NewCall], moments: int, seed: int = 1, enough: int = ENOUGH
    ) -> None:
        self.certificates = [Certificate(call, never=_addresses(kernel, call.name)) for call in calls]
        self.enough = enough
        self._share = 1.1 * enough * len(calls) / max(1, moments)  # of the moments that are taken
        self._random = random.Random(seed)
        self._known: dict[int, list[Registers]] = {}  # arguments that programs passed, by number
        self._pending: Certificate | None = None
        self._tried: tuple[Registers, Registers] = ((), ())

    @property
    def watch(self) -> list[tuple[int, int]]:
        """Ranges [first, last] that hold all instructions of the new calls."""
        mine = sorted(set().union(*(certificate.never for certificate in self.certificates)))
        return _ranges(mine, lambda last, address: address - last <= PAGE)

    def ask(self, moment: Moment) -> Sequence[Registers]:
        """The old call and the new one, for a new call that was not tried enough; nothing at some moments."""
        self._remember(moment.registers)
        open_ones = [c for c in self.certificates if c.trials < self.enough]
        if not open_ones or self._random.random() > self._share:
            return ()
        alike = [c for c in open_ones if c.call.call == moment.registers[0]]
        self._pending = self._random.choice(alike if alike and self._random.random() < 0.8 else open_ones)
        self._tried = self._pair(self._pending.call, moment)
        return self._tried

    def hear(self, moment: Moment, endings: Sequence[Ending]) -> None:
        """Compare the two."""
        assert self._pending is not None
        certificate, (old, new) = self._pending, endings
        certificate.trials += 1
        certificate.endings[_class(old)] += 1
        arguments = self._tried[0][1:]
        certificate.fallbacks += any(arguments[n] != value for n, value in certificate.call.guarded.items())
        difference = difference_between(self._tried, old, new)
        if difference:
            shown = " ".join(f"{word:#x}" for word in self._tried[1])
            certificate.different.append(f"called at {moment.site:#x} with {shown}: {difference}")
        ran = _within(certificate.never, new.blocks)
        certificate.executed |= ran
        certificate.never -= ran

    # What to try

    def _remember(self, registers: Registers) -> None:
        known = self._known.setdefault(registers[0], [])
        if len(known) < _REMEMBERED:
            known.append(registers[1:])
        else:
            known[self._random.randrange(_REMEMBERED)] = registers[1:]

    def _pair(self, call: NewCall, moment: Moment) -> tuple[Registers, Registers]:
        """The same arguments for both; what is implied is only told to the old call, the new one finds anything."""
        known = self._known.get(call.call)
        arguments = [*(self._random.choice(known) if known else moment.registers[1:])]
        if moment.registers[0] == call.call and self._random.random() < 0.7:
            arguments = [*moment.registers[1:]]
        for n in range(len(arguments)):
            if self._random.random() < 0.2:
                arguments[n] = self._argument(moment)
        for n, value in call.guarded.items():
            if self._random.random() < 0.7:
                arguments[n] = value
        told, found = [*arguments], [*arguments]
        for n, value in call.implied.items():
            told[n], found[n] = value, self._random.choice((arguments[n], self._argument(moment)))
        return (call.call, *told), (call.number, *found)

    def _argument(self, moment: Moment) -> int:
        """A number, a descriptor, a length; an address in the program's memory, near the end of a page, or anywhere."""
        kind = self._random.randrange(6)
        if kind == 0:
            value = self._random.choice(_NUMBERS) * self._random.choice((1, 1, 1, -1))
        elif kind == 1:
            value = self._random.choice(_ADDRESSES)
        elif kind == 2:
            value = self._random.randrange(16)
        elif kind == 3 and moment.pages:
            value = self._random.choice(moment.pages) + self._random.choice((0, PAGE - self._random.randrange(1, 70)))
        elif kind == 4:
            value = self._random.choice((moment.site, moment.esp, moment.esp - self._random.randrange(5000)))
        else:
            value = self._random.getrandbits(32)
        return value & WORD_MASK


def difference_between(tried: tuple[Registers, Registers], old: Ending, new: Ending) -> str | None:
    """How two calls ended differently that were `tried`, the old one and the new one; None if they did not."""
    if old.how != new.how:
        return f"{old.how} became {new.how}"
    if not old.registers:
        return None
    expected = [*old.registers]
    for n, (told, found) in enumerate(zip(tried[0][1:], tried[1][1:], strict=True), 1):
        if told != found and expected[n] == told:
            expected[n] = found  # every register comes back as it was, but for eax
    if tuple(expected) != new.registers:
        before, after = (" ".join(f"{word:x}" for word in words) for words in (expected, new.registers))
        return f"registers {before} became {after}"
    for page in sorted({*old.changed, *new.changed}):
        at = _differs(tried, old.changed.get(page), new.changed.get(page))
        if at is not None:
            return f"memory differs at physical {page + at:#x}"
    return None


def _differs(tried: tuple[Registers, Registers], old: bytes | None, new: bytes | None) -> int | None:
    """Where two pages differ first, leaving out words in which the number of the call was written down."""
    if old is None or new is None:
        return 0  # only one of the calls changed it
    if old == new:
        return None
    numbers = tuple(registers[0].to_bytes(WORD, "little") for registers in tried)
    pairs = ((at, (old[at : at + WORD], new[at : at + WORD])) for at in range(0, len(old), WORD))
    return next((at for at, pair in pairs if pair[0] != pair[1] and pair != numbers), None)


def _class(ending: Ending) -> str:
    """How a call ended: an error by its number, or by what became of it."""
    if ending.how != "returned":
        return ending.how
    result = ending.registers[0]
    return f"error {WORD_MASK + 1 - result}" if result > WORD_MASK - PAGE else "returned"


def _addresses(kernel: Program, name: str) -> set[int]:
    """Of all instructions of the functions that belong to a new call."""
    mine = [f for f in kernel.functions if f.name.endswith(name) or f"{name}$" in f.name or f"{name}." in f.name]
    return {insn.origin for f in mine for insn in f.insns() if insn.origin is not None}


def _ranges(ordered: Sequence[int], next_to: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """Ranges [first, last] of these addresses, in each of which every one is `next_to` the one before it."""
    found: list[tuple[int, int]] = []
    for address in ordered:
        if found and next_to(found[-1][1], address):
            found[-1] = found[-1][0], address
        else:
            found.append((address, address))
    return found


def _within(addresses: Collection[int], blocks: Collection[tuple[int, int]]) -> set[int]:
    ordered, found = sorted(addresses), set[int]()
    for start, size in blocks:
        found.update(ordered[bisect_left(ordered, start) : bisect_left(ordered, start + size)])
    return found
