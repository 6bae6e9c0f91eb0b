"""What can be known of a 32-bit word without running: a constant, an address, a place on the stack, a copy (§4.2)."""

from __future__ import annotations

from typing import NamedTuple

REGISTERS = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
WORD = 4
_MASK = 0xFFFFFFFF

Place = str | int  # a register, or a stack slot by its offset from the entry esp, in bytes


class Opaque(NamedTuple):
    """An unknown word with a name: what `place` got when control last passed instruction `site` of `block`
    (site −1: the top of the block, where different values meet).  Equal names are equal words: so copies are seen.

    `stack`: it may have been computed from an address of this stack, so memory at it may be a slot.
    """

    block: str
    site: int
    place: Place
    stack: bool = False


ENTRY_ESP = Opaque("", 0, "esp", True)
CURRENT = Opaque("", 0, "current")  # the lowest address of this stack, where the kernel keeps its task
TASK = 4096  # bytes at most of what lies there; beyond, frames may


class Value(NamedTuple):
    """`base + offset` modulo 2³²: a constant (no base), a label, the entry esp, or an opaque word."""

    base: str | Opaque | None
    offset: int = 0

    @property
    def constant(self) -> int | None:
        return self.offset if self.base is None else None

    @property
    def label(self) -> str | None:
        return self.base if isinstance(self.base, str) else None

    @property
    def slot(self) -> int | None:
        """Offset from the entry esp, signed, where this is such an address."""
        return signed(self.offset) if self.base == ENTRY_ESP else None

    @property
    def on_stack(self) -> bool:
        """Whether memory at this address may be a stack slot, known or not."""
        return isinstance(self.base, Opaque) and self.base.stack

    def plus(self, distance: int) -> Value:
        return Value(self.base, (self.offset + distance) & _MASK)


def constant(number: int) -> Value:
    return Value(None, number & _MASK)


def stack(offset: int) -> Value:
    return Value(ENTRY_ESP, offset & _MASK)


def signed(number: int, size: int = WORD) -> int:
    """The two's complement reading of the lowest `size` bytes."""
    sign = 1 << (8 * size - 1)
    return ((number & (2 * sign - 1)) ^ sign) - sign


# Words without a name of their own: nothing may be concluded from two of them being equal.
SOMEWHERE = Value(Opaque("", 0, "an address"))
SOMEWHERE_ON_STACK = Value(Opaque("", 0, "a stack address", True))


def place_order(place: Place) -> tuple[int, int]:
    """Registers first, then slots upwards."""
    return (0, REGISTERS.index(place)) if isinstance(place, str) else (1, place)
