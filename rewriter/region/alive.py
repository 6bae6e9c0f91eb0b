"""Words of which only some bytes matter: what a compiler keeps in `bl`, or in one byte of a stack word, is put together
with bytes that nobody reads any more, and need not be."""

from __future__ import annotations

from rewriter.analysis.liveness import STACK_SHIFT
from rewriter.analysis.value import WORD
from rewriter.region.algebra import may_be_set
from rewriter.region.value import MASK, Pool, Value
from rewriter.x86.effects import register_mask

_WHOLE = (1 << WORD) - 1


def of_register(register: str, matters: int) -> int:
    """The bits of it that matter, where this does (`Exits.matters`)."""
    every = register_mask(register)
    return _bits(((matters & every) // (every & -every)) & _WHOLE)


def of_slot(slot: int, matters: int) -> int:
    """The same of a stack word; of the caller's, all."""
    if slot >= 0:
        return MASK
    found = matters >> STACK_SHIFT - slot - WORD & _WHOLE
    return _bits(sum(1 << byte for byte in range(WORD) if found >> WORD - 1 - byte & 1))


def _bits(found: int) -> int:
    return sum(0xFF << 8 * byte for byte in range(WORD) if found >> byte & 1)


def alive(pool: Pool, value: Value, bits: int) -> Value:
    """A simpler word with the same bits in these places."""
    if value.constant is not None or not bits:
        return pool.const((value.constant or 0) & bits)
    if value.op not in ("and", "or"):
        return value
    for side, other in zip(value.parts, value.parts[::-1], strict=True):
        if not may_be_set(side) & bits if value.op == "or" else side.constant is not None and not bits & ~side.constant:
            return alive(pool, other, bits)
    return value
