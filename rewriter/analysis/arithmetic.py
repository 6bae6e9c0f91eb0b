"""The arithmetic unit on known numbers: results and flags exactly as the processor computes them (§5.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.analysis.value import signed

# Which flags each condition reads, and how; `cc` and its negation differ in the lowest bit of the opcode.
CONDITIONS = ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g")


def condition_of(mnemonic: str) -> str:
    """The condition of a jcc, setcc or cmovcc: `jae` → `ae`; "" for anything else."""
    for prefix in ("j", "set", "cmov"):
        if mnemonic.startswith(prefix) and mnemonic.removeprefix(prefix) in CONDITIONS:
            return mnemonic.removeprefix(prefix)
    return ""


@dataclass(frozen=True, slots=True)
class Bits:
    """Flags that are known: name ("CF", "ZF", "SF", "OF", "PF") → value.  What is missing is unknown."""

    known: Mapping[str, bool]

    def holds(self, condition: str) -> bool | None:
        """Whether a condition (`be`, `g`, …) holds; None if these flags do not decide it."""
        number = CONDITIONS.index(condition)
        value = self._positive(CONDITIONS[number & ~1])
        return value if value is None else value ^ bool(number & 1)

    def _positive(self, condition: str) -> bool | None:
        carry, zero, sign, overflow = (self.known.get(flag) for flag in ("CF", "ZF", "SF", "OF"))
        less = None if sign is None or overflow is None else sign != overflow
        return {
            "o": overflow,
            "b": carry,
            "e": zero,
            "be": _either(carry, zero),
            "s": sign,
            "p": self.known.get("PF"),
            "l": less,
            "le": _either(less, zero),
        }[condition]


def _either(first: bool | None, second: bool | None) -> bool | None:
    if first or second:
        return True
    return None if first is None or second is None else False


def result_bits(result: int, size: int) -> dict[str, bool]:
    """ZF, SF and PF after an operation with this result."""
    result &= (1 << 8 * size) - 1
    parity = (result & 0xFF).bit_count() % 2 == 0
    return {"ZF": result == 0, "SF": bool(result >> (8 * size - 1)), "PF": parity}


def compute(name: str, left: int, right: int, size: int, carry: bool | None) -> tuple[int, Bits] | None:
    """`left op right` on operands of `size` bytes, for add adc sub sbb cmp and or xor test: result and flags."""
    mask = (1 << 8 * size) - 1
    left, right = left & mask, right & mask
    if name in ("adc", "sbb") and carry is None:
        return None
    extra = int(bool(carry)) if name in ("adc", "sbb") else 0
    if name in ("add", "adc"):
        total, exact = left + right + extra, signed(left, size) + signed(right, size) + extra
        flags = {"CF": total > mask, "OF": exact != signed(total, size)}
    elif name in ("sub", "sbb", "cmp"):
        total, exact = left - right - extra, signed(left, size) - signed(right, size) - extra
        flags = {"CF": total < 0, "OF": exact != signed(total, size)}
    elif name in ("and", "test", "or", "xor"):
        total = left & right if name in ("and", "test") else left | right if name == "or" else left ^ right
        flags = {"CF": False, "OF": False}
    else:
        return None
    return total & mask, Bits({**flags, **result_bits(total, size)})


def shift(name: str, left: int, count: int, size: int) -> int | None:
    """The result of shl, sal, shr, sar; their flags are left unknown."""
    mask = (1 << 8 * size) - 1
    count &= 31
    if name in ("shl", "sal"):
        return (left << count) & mask
    if name == "shr":
        return (left & mask) >> count
    if name == "sar":
        return (signed(left, size) >> count) & mask
    return None
