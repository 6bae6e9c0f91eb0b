"""What the instructions mean that the rules are about: bit vectors for registers, an array for memory.

A flag is a value and whether it is undefined; an undefined one may be anything, so its value is a fresh variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import z3

FLAGS = ("CF", "PF", "AF", "ZF", "SF", "OF")
_UNDEFINED = iter(range(1 << 62))


def word(number: int) -> Any:
    return z3.BitVecVal(number, 32)


@dataclass(frozen=True)
class Register:
    name: str
    size: int = 4
    byte: int = 0  # the lowest of its bytes


@dataclass(frozen=True)
class Number:
    value: Any


@dataclass(frozen=True)
class Memory:
    """`size` 0: only the address is meant."""

    address: Any
    size: int = 4


Operand = Register | Number | Memory
_ONE = Number(z3.BitVecVal(1, 32))


@dataclass
class Machine:
    """The state, and what was done to memory: (loads or stores, address, word) in this order."""

    registers: dict[str, Any]
    flags: dict[str, Any]
    memory: Any
    undefined: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(FLAGS, z3.BoolVal(False)))
    accesses: list[tuple[str, Any, Any]] = field(default_factory=list)
    taken: Any = None  # whether the branch was

    def copy(self) -> Machine:
        return Machine(
            dict(self.registers), dict(self.flags), self.memory, dict(self.undefined), list(self.accesses), self.taken
        )

    def run(self, mnemonic: str, operands: tuple[Operand, ...]) -> None:
        """Execute one instruction.  KeyError for one that has no meaning here."""
        if mnemonic.startswith("set"):
            self.write(operands[0], z3.If(self.holds(mnemonic[3:]), z3.BitVecVal(1, 8), z3.BitVecVal(0, 8)))
        elif mnemonic.startswith("cmov"):
            new, old = (self.read(operand, 4) for operand in (operands[1], operands[0]))
            self.write(operands[0], z3.If(self.holds(mnemonic[4:]), new, old))
        elif mnemonic.startswith("j"):
            self.taken = self.holds(mnemonic[1:])
        else:
            MEANINGS[mnemonic](self, mnemonic, *operands)

    def read(self, operand: Operand, size: int) -> Any:
        if isinstance(operand, Number):
            return z3.Extract(8 * size - 1, 0, operand.value)
        if isinstance(operand, Register):
            whole = self.registers[operand.name]
            return z3.Extract(8 * (operand.byte + size) - 1, 8 * operand.byte, whole) if size < 4 else whole
        parts = [z3.Select(self.memory, operand.address + n) for n in reversed(range(size))]
        value = z3.Concat(*parts) if size > 1 else parts[0]
        self.accesses.append(("load", operand.address, value))
        return value

    def write(self, operand: Operand, value: Any) -> None:
        if isinstance(operand, Memory):
            for n in range(operand.size):
                self.memory = z3.Store(self.memory, operand.address + n, z3.Extract(8 * n + 7, 8 * n, value))
            self.accesses.append(("store", operand.address, value))
        elif isinstance(operand, Register):
            low, high = 8 * operand.byte, 8 * (operand.byte + operand.size)
            old = self.registers[operand.name]
            parts = [z3.Extract(31, high, old)] if high < 32 else []
            parts += [value, *([z3.Extract(low - 1, 0, old)] if low else [])]
            self.registers[operand.name] = z3.Concat(*parts) if len(parts) > 1 else value

    def set(self, where: Any = None, **flags: Any) -> None:
        """Change flags, where that holds; None is undefined.  A pair is a value, and whether it is undefined."""
        for name, told in flags.items():
            value, unknown = told if isinstance(told, tuple) else (told, z3.BoolVal(told is None))
            if value is None or isinstance(told, tuple):
                fresh = z3.Bool(f"undefined {next(_UNDEFINED)}")
                value = fresh if value is None else z3.If(unknown, fresh, value)
            if where is not None:
                value = z3.If(where, value, self.flags[name])
                unknown = z3.If(where, unknown, self.undefined[name])
            self.flags[name], self.undefined[name] = value, unknown

    def set_result(self, result: Any, where: Any = None) -> None:
        """ZF, SF and PF of this result."""
        top = result.size() - 1
        parity = z3.BitVecVal(1, 1)
        for bit in range(8):
            parity = parity ^ z3.Extract(bit, bit, result)
        self.set(where, ZF=result == 0, SF=z3.Extract(top, top, result) == 1, PF=parity == 1)

    def holds(self, code: str) -> Any:
        flag = self.flags
        less = flag["SF"] != flag["OF"]
        found = {
            "o": flag["OF"],
            "b": flag["CF"],
            "e": flag["ZF"],
            "be": z3.Or(flag["CF"], flag["ZF"]),
            "s": flag["SF"],
            "p": flag["PF"],
            "l": less,
            "le": z3.Or(less, flag["ZF"]),
        }
        opposites = {"no": "o", "ae": "b", "ne": "e", "a": "be", "ns": "s", "np": "p", "ge": "l", "g": "le"}
        return found[code] if code in found else z3.Not(found[opposites[code]])


def size_of(*operands: Operand) -> int:
    """The size of an operation: numbers have none of their own."""
    return next(operand.size for operand in operands if not isinstance(operand, Number))


def _nop(m: Machine, name: str, *_: Operand) -> None:
    pass


def _mov(m: Machine, name: str, target: Operand, source: Operand) -> None:
    m.write(target, m.read(source, size_of(target, source)))


def _lea(m: Machine, name: str, target: Operand, source: Operand) -> None:
    assert isinstance(source, Memory)
    m.write(target, source.address)


def _extend(m: Machine, name: str, target: Operand, source: Operand) -> None:
    size = size_of(source)
    extend = z3.ZeroExt if name == "movzx" else z3.SignExt
    m.write(target, extend(8 * (size_of(target) - size), m.read(source, size)))


def _sum(m: Machine, name: str, target: Operand, source: Operand) -> None:
    """add adc sub sbb cmp."""
    size = size_of(target, source)
    left, right = m.read(target, size), m.read(source, size)
    carry = z3.If(m.flags["CF"], z3.BitVecVal(1, 8 * size + 1), z3.BitVecVal(0, 8 * size + 1))
    result = _added(m, left, right, carry if name in ("adc", "sbb") else None, name in ("add", "adc"))
    if name != "cmp":
        m.write(target, result)


def _added(m: Machine, left: Any, right: Any, carry: Any, plus: bool) -> Any:
    wide = (z3.ZeroExt(1, left), z3.ZeroExt(1, right))
    total = wide[0] + wide[1] if plus else wide[0] - wide[1]
    if carry is not None:
        total = total + carry if plus else total - carry
    bits = left.size()
    result, top = z3.Extract(bits - 1, 0, total), bits - 1
    over = (left ^ result) & (right ^ result) if plus else (left ^ right) & (left ^ result)
    m.set(
        CF=z3.Extract(bits, bits, total) == 1,
        OF=z3.Extract(top, top, over) == 1,
        AF=z3.Extract(4, 4, left ^ right ^ result) == 1,
    )
    m.set_result(result)
    return result


def _logic(m: Machine, name: str, target: Operand, source: Operand) -> None:
    """and or xor test."""
    size = size_of(target, source)
    left, right = m.read(target, size), m.read(source, size)
    result = left | right if name == "or" else left ^ right if name == "xor" else left & right
    m.set(CF=z3.BoolVal(False), OF=z3.BoolVal(False), AF=None)
    m.set_result(result)
    if name != "test":
        m.write(target, result)


def _count(m: Machine, name: str, target: Operand) -> None:
    """inc dec, which keep CF."""
    left, carry = m.read(target, size_of(target)), (m.flags["CF"], m.undefined["CF"])
    result = _added(m, left, z3.BitVecVal(1, left.size()), None, name == "inc")
    m.flags["CF"], m.undefined["CF"] = carry
    m.write(target, result)


def _negate(m: Machine, name: str, target: Operand) -> None:
    left = m.read(target, size_of(target))
    m.write(target, ~left if name == "not" else _added(m, z3.BitVecVal(0, left.size()), left, None, False))


def _shift(m: Machine, name: str, target: Operand, source: Operand = _ONE) -> None:
    """shl shr sar: a count of 0 changes no flag, only one of 1 defines OF, one beyond the operand leaves CF open."""
    assert isinstance(source, Number)
    bits, count = 8 * size_of(target), source.value & 31
    left = m.read(target, size_of(target))
    wide = z3.SignExt(64 - bits, left) if name == "sar" else z3.ZeroExt(64 - bits, left)
    far = z3.ZeroExt(32, count)
    shifted = wide << far if name == "shl" else wide >> far
    last = z3.Extract(bits, bits, shifted) if name == "shl" else z3.Extract(0, 0, wide >> (far - 1))
    carry, result = last == 1, z3.Extract(bits - 1, 0, shifted)
    top = z3.Extract(bits - 1, bits - 1, left) == 1
    over = {"shl": (z3.Extract(bits - 1, bits - 1, result) == 1) != carry, "shr": top, "sar": z3.BoolVal(False)}
    some, open_ = count != 0, z3.And(z3.UGE(count, bits), z3.BoolVal(name != "sar"))
    m.set(some, CF=(carry, open_), OF=(over[name], count != 1), AF=None)
    m.set_result(result, some)
    m.write(target, result)


def _double_shift(m: Machine, name: str, target: Operand, source: Operand, count: Operand) -> None:
    """shld shrd of four bytes, by a number from 2 to 31: OF is undefined then."""
    assert isinstance(count, Number)
    left, right, far = m.read(target, 4), m.read(source, 4), z3.ZeroExt(32, count.value & 31)
    pair = z3.Concat(left, right) if name == "shld" else z3.Concat(right, left)
    shifted = pair << far if name == "shld" else z3.LShR(pair, far)
    last = pair << (far - 1) if name == "shld" else z3.LShR(pair, far - 1)
    result = z3.Extract(63, 32, shifted) if name == "shld" else z3.Extract(31, 0, shifted)
    carry = z3.Extract(63, 63, last) if name == "shld" else z3.Extract(0, 0, last)
    m.set(CF=carry == 1, OF=None, AF=None)
    m.set_result(result)
    m.write(target, result)


def _exchange(m: Machine, name: str, left: Operand, right: Operand) -> None:
    first, second = m.read(left, size_of(left)), m.read(right, size_of(right))
    m.write(left, second)
    m.write(right, first)


def _widen(m: Machine, name: str) -> None:
    """cdq cwde."""
    eax = m.registers["eax"]
    if name == "cdq":
        m.registers["edx"] = eax >> 31
    else:
        m.registers["eax"] = z3.SignExt(16, z3.Extract(15, 0, eax))


def _multiply(m: Machine, name: str, target: Operand, left: Operand, right: Operand | None = None) -> None:
    """imul of two operands, or three."""
    words = [m.read(operand, 4) for operand in ((target, left) if right is None else (left, right))]
    result, over = words[0] * words[1], _overflows(*words)
    m.set(CF=over, OF=over, PF=None, AF=None, ZF=None, SF=None)
    m.write(target, result)


def _overflows(left: Any, right: Any) -> Any:
    """Whether a product does not fit.  Of words that are not known it is some function of them: that is less than the
    truth, and quick."""
    left, right = z3.simplify(left), z3.simplify(right)
    if z3.is_bv_value(left) and z3.is_bv_value(right):
        return z3.SignExt(32, left) * z3.SignExt(32, right) != z3.SignExt(32, left * right)
    return z3.Function("overflows", left.sort(), right.sort(), z3.BoolSort())(left, right)


def _by(meaning: Callable[..., None], *names: str) -> Mapping[str, Callable[..., None]]:
    return dict.fromkeys(names, meaning)


MEANINGS: Mapping[str, Callable[..., None]] = {
    **_by(_nop, "nop"),
    **_by(_mov, "mov"),
    **_by(_lea, "lea"),
    **_by(_extend, "movzx", "movsx"),
    **_by(_sum, "add", "adc", "sub", "sbb", "cmp"),
    **_by(_logic, "and", "or", "xor", "test"),
    **_by(_count, "inc", "dec"),
    **_by(_negate, "neg", "not"),
    **_by(_shift, "shl", "shr", "sar"),
    **_by(_double_shift, "shld", "shrd"),
    **_by(_multiply, "imul"),
    **_by(_exchange, "xchg"),
    **_by(_widen, "cdq", "cwde"),
}
