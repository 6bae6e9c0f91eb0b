"""The bounded table T_f of §3.3: the most frequent keys of one function, in fixed memory.

A key is a fixed number of words (a call trace, a group of arguments).  The table holds `slots` pairs (key, count).
An entry whose key is in the table adds one to its count; else it takes a free slot; else it is discarded.  Every
so often the lower half is cleaned, so that late-comers get a chance: `BoundedTable` says it in Python, `NOTE`
in assembly, and both agree entry by entry.

In memory, in 32-bit words, all zero at first (kprofile's START makes them so again):

    entries  discarded  evicted  age  bonus  (count key₀ key₁ …) × slots

age: entries since the last cleaning; bonus: what is added to the interval until the next one.
entries = Σ counts + discarded + evicted, always.  A table stops for good at 2³²−1 entries.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rewriter.ir import Function
from rewriter.probes.areas import ProbeError
from rewriter.probes.assembly import function

WORD = 4
HEADER = 5 * WORD
FULL = 0xFFFFFFFF

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What all tables of one kind have in common.  `slots` is N of §3.3, even; `clean_every` the entries until
    the first cleaning."""

    key_words: int
    slots: int = 12
    clean_every: int = 1000

    def __post_init__(self) -> None:
        if self.slots < 2 or self.slots % 2 or self.key_words < 1 or not 0 < self.clean_every < 1 << 31:
            raise ValueError(f"no table has {self}")

    @property
    def slot_size(self) -> int:
        """Bytes of a count and its key."""
        return WORD * (1 + self.key_words)

    @property
    def size(self) -> int:
        """Bytes of a table."""
        return HEADER + self.slots * self.slot_size


@dataclass(frozen=True, slots=True)
class Totals:
    """entries = Σ counts in the table + discarded + evicted."""

    entries: int
    discarded: int  # found no room
    evicted: int  # lost in cleaning


@dataclass(slots=True)
class Slot:
    key: Key
    count: int


@dataclass(slots=True)
class BoundedTable:
    """The table as §3.3 describes it.  Occupied slots come first; there are no gaps between them."""

    shape: Shape
    entries: int = 0
    discarded: int = 0  # found no room
    evicted: int = 0  # lost in cleaning
    age: int = 0
    bonus: int = 0
    occupied: list[Slot] = field(default_factory=list)

    def note(self, key: Key) -> None:
        """One entry."""
        if self.entries == FULL:
            return
        self.entries += 1
        self.age += 1
        known = next((slot for slot in self.occupied if slot.key == key), None)
        if known is not None:
            known.count += 1
        elif len(self.occupied) < self.shape.slots:
            self.occupied.append(Slot(key, 1))
        else:
            self.discarded += 1
        if self.age >= self.shape.clean_every + self.bonus:
            self.clean()

    def clean(self) -> None:
        """Keep the more frequent half.  A newcomer can then collect more than the last of the kept before the
        next cleaning: the interval grows by that one's count."""
        self.age = 0
        self.occupied.sort(key=lambda slot: -slot.count)
        kept = self.occupied[: self.shape.slots // 2]
        self.evicted += sum(slot.count for slot in self.occupied[len(kept) :])
        self.occupied = kept
        self.bonus = kept[-1].count

    @property
    def totals(self) -> Totals:
        return Totals(self.entries, self.discarded, self.evicted)

    @staticmethod
    def read(shape: Shape, raw: bytes) -> BoundedTable:
        """The table in `shape.size` bytes that kprofile wrote out."""
        entries, discarded, evicted, age, bonus = struct.unpack_from("<5I", raw)
        return BoundedTable(shape, entries, discarded, evicted, age, bonus, list(_slots(shape, raw)))


def read_tables(shape: Shape, functions: Sequence[str], frame: bytes) -> dict[str, BoundedTable]:
    """The tables of these functions, which lie one behind the other.  Raises ProbeError."""
    if len(frame) != shape.size * len(functions):
        raise ProbeError(f"{len(frame)} bytes of tables, expected {shape.size * len(functions)}")
    return {name: BoundedTable.read(shape, frame[shape.size * i :]) for i, name in enumerate(functions)}


def _slots(shape: Shape, raw: bytes) -> Iterator[Slot]:
    for i in range(shape.slots):
        count, *key = struct.unpack_from(f"<{1 + shape.key_words}I", raw, HEADER + i * shape.slot_size)
        if count:
            yield Slot(tuple(key), count)


def note_function(shape: Shape, name: str) -> Function:
    """`BoundedTable.note` as code to insert: in ebx = table, esi = key; it loses all registers but esp, and the
    flags, and uses no stack.  Interrupts must be off, or the table would be torn.

    Every access goes through ss: the probe may sit where ds is still the interrupted program's.
    """
    return function(
        name,
        NOTE,
        slot=shape.slot_size,
        first=HEADER,
        middle=HEADER + shape.slots // 2 * shape.slot_size,
        slots=shape.slots,
        half=shape.slots // 2,
        words=shape.key_words,
        every=shape.clean_every,
    )


NOTE = """
    cmp dword ptr ss:[ebx], -1          # entries
    je out
    inc dword ptr ss:[ebx]
    inc dword ptr ss:[ebx + 12]         # age
    lea edi, [ebx + $first]
    mov ecx, $slots
look:
    cmp dword ptr ss:[edi], 0
    je insert
    mov edx, $words
match:                                  # the slot's key word edx - 1 is at edi + 4*edx
    mov eax, dword ptr ss:[esi + edx*4 - 4]
    cmp eax, dword ptr ss:[edi + edx*4]
    jne next
    dec edx
    jne match
    inc dword ptr ss:[edi]
    jmp age
next:
    add edi, $slot
    dec ecx
    jne look
    inc dword ptr ss:[ebx + 4]          # discarded
    jmp age
insert:
    inc dword ptr ss:[edi]
    mov edx, $words
copy:
    mov eax, dword ptr ss:[esi + edx*4 - 4]
    mov dword ptr ss:[edi + edx*4], eax
    dec edx
    jne copy
age:
    mov eax, dword ptr ss:[ebx + 16]    # bonus
    add eax, $every
    cmp dword ptr ss:[ebx + 12], eax
    jb out
    mov dword ptr ss:[ebx + 12], 0
    mov ecx, $slots
    dec ecx
pass:                                   # the lightest of the first ecx + 1 slots moves behind the others
    lea edi, [ebx + $first]
    mov edx, ecx
pair:
    mov eax, dword ptr ss:[edi]
    cmp eax, dword ptr ss:[edi + $slot]
    jae sorted
    mov esi, $words
swap:
    mov eax, dword ptr ss:[edi + esi*4]
    mov ebp, dword ptr ss:[edi + esi*4 + $slot]
    mov dword ptr ss:[edi + esi*4 + $slot], eax
    mov dword ptr ss:[edi + esi*4], ebp
    dec esi
    jns swap
sorted:
    add edi, $slot
    dec edx
    jne pair
    dec ecx
    jne pass
    lea edi, [ebx + $middle]
last:                                   # of the kept slots, the last that is occupied; the first always is
    sub edi, $slot
    mov eax, dword ptr ss:[edi]
    test eax, eax
    je last
    mov dword ptr ss:[ebx + 16], eax    # bonus
    lea edi, [ebx + $middle]
    mov ecx, $half
evict:
    mov eax, dword ptr ss:[edi]
    add dword ptr ss:[ebx + 8], eax     # evicted
    mov dword ptr ss:[edi], 0
    add edi, $slot
    dec ecx
    jne evict
out:
    ret
"""
