"""What single instructions mean as values: one table by mnemonic; the rest stays as it is (`fixed`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rewriter.region import algebra
from rewriter.region.fixed import fixed
from rewriter.region.flag import Condition, Flags, Unsupported, of_result
from rewriter.region.moment import Moment
from rewriter.region.segments import moved
from rewriter.region.value import WORD, Value
from rewriter.x86.operands import Imm, Mem, Operand, Reg

Rule = Callable[[Moment], None]


def run(moment: Moment) -> None:
    """Take one instruction that goes on to the next.  Raises Unsupported, FlagsLost."""
    mnemonic = moment.decoded.mnemonic
    if moment.state.segments is not None and moved(moment):
        return
    if moment.decoded.prefixes or any(_special(operand) for operand in moment.decoded.operands):
        fixed(moment)
    elif mnemonic.startswith("cmov"):
        _select(moment, mnemonic.removeprefix("cmov"))
    elif mnemonic.startswith("set"):
        _set(moment, mnemonic.removeprefix("set"))
    else:
        RULES.get(mnemonic, fixed)(moment)


def _special(operand: Operand) -> bool:
    """Memory by a segment of its own, or a register that is none of the general ones."""
    if isinstance(operand, Mem):
        return operand.segment is not None
    return isinstance(operand, Reg) and operand.name.startswith(("cr", "dr"))


def _move(m: Moment) -> None:
    target, source = m.decoded.operands
    m.write(target, m.read(source))


def _extend(m: Moment) -> None:
    """movzx, movsx."""
    target, source = m.decoded.operands
    value = m.read(source)
    if m.decoded.mnemonic == "movsx":
        value = algebra.signed_part(m.pool, value, source.size)
    m.write(target, value)


def _lea(m: Moment) -> None:
    target, source = m.decoded.operands
    assert isinstance(source, Mem)
    m.write(target, m.address(source))


def _exchange(m: Moment) -> None:
    left, right = m.decoded.operands
    if isinstance(left, Mem) or isinstance(right, Mem):
        return fixed(m)
    first, second = m.read(left), m.read(right)
    m.write(left, second)
    m.write(right, first)


def _push(m: Moment) -> None:
    (source,) = m.decoded.operands
    if source.size != WORD or (isinstance(source, Reg) and source.name in ("cs", "ds", "es", "ss", "fs", "gs")):
        return fixed(m)
    value = m.read(source)
    m.state.esp -= WORD
    m.store(m.state.esp, WORD, value)


def _pop(m: Moment) -> None:
    (target,) = m.decoded.operands
    if target.size != WORD or (isinstance(target, Reg) and target.name in ("ds", "es", "ss", "fs", "gs")):
        return fixed(m)
    value = m.load(m.state.esp, WORD)
    m.move_esp(m.pool.stack(m.state.esp + WORD))
    m.write(target, value)


def _leave(m: Moment) -> None:
    m.move_esp(m.state.registers["ebp"])
    value = m.load(m.state.esp, WORD)
    m.move_esp(m.pool.stack(m.state.esp + WORD))
    m.state.registers["ebp"] = value


def _sign_of_eax(m: Moment) -> None:
    """cdq."""
    m.state.registers["edx"] = algebra.shifted(m.pool, "sar", m.state.registers["eax"], 31)


def _widen_ax(m: Moment) -> None:
    """cwde."""
    m.state.registers["eax"] = algebra.signed_part(m.pool, m.state.registers["eax"], 2)


def _in_memory(m: Moment, operand: Operand) -> bool:
    """Whether the operand is memory that is no virtual slot."""
    return isinstance(operand, Mem) and not m.virtual(m.place(operand), operand.size)


def _arithmetic(m: Moment) -> None:
    """add adc sub sbb and or xor."""
    target, source = m.decoded.operands
    name = m.decoded.mnemonic
    if isinstance(target, Mem) and _in_memory(m, target):
        if name in ("adc", "sbb"):
            raise Unsupported(f"{name} in memory")
        m.change(m.place(target), target.size, name, m.read(source))
        return
    left, right = m.read(target), m.read(source)
    value, flags = _computed(m, name, left, right, target.size)
    m.write(target, value)
    if flags is not None:
        m.state.set_flags(flags)


def _computed(m: Moment, name: str, left: Value, right: Value, size: int) -> tuple[Value, Flags | None]:
    """Result and flags; the flags are None where they have been set already."""
    pool = m.pool
    if name in ("adc", "sbb"):
        carry = m.state.condition(pool, "b")
        if not isinstance(carry, bool):
            return _carried(m, name, left, right, size, carry)
        if carry:
            raise Unsupported(f"{name} with a known carry")
        name = "add" if name == "adc" else "sub"
    if name == "and" and right.offset is not None:
        left, right = right, left
    if name == "and" and left.offset is not None and right.constant == -m.stack_size & 0xFFFFFFFF:
        current = pool.make("current")
        return current, of_result(pool, current)
    whole = algebra.binary(pool, name, left, right)
    value = whole if size == WORD else algebra.part(pool, whole, 0, size)
    if name in ("add", "sub"):
        return value, Flags("add" if name == "add" else "cmp", left, right, size)
    return value, of_result(pool, value, size)


def _carried(
    m: Moment, name: str, left: Value, right: Value, size: int, carry: Condition
) -> tuple[Value, Flags | None]:
    if size != WORD or carry.flags.kind == "effect":
        raise Unsupported(f"{name} of a carry that is not a value")
    if name == "sbb" and left is right:
        value = m.pool.make("borrow", carry)
        m.state.flags, m.state.carry = Flags("result", value), carry.flags
        return value, None
    return m.pool.make(name, left, right, carry), Flags(name, left, right, WORD, carry)


def _compare(m: Moment) -> None:
    left, right = (m.read(operand) for operand in m.decoded.operands)
    m.state.set_flags(Flags("cmp", left, right, m.decoded.operands[0].size))


def _test(m: Moment) -> None:
    left, right = (m.read(operand) for operand in m.decoded.operands)
    m.state.set_flags(of_result(m.pool, algebra.binary(m.pool, "and", left, right), m.decoded.operands[0].size))


def _count(m: Moment) -> None:
    """inc and dec, which keep the carry."""
    (target,) = m.decoded.operands
    carry = m.state.carry
    if isinstance(target, Mem) and _in_memory(m, target):
        m.change(m.place(target), target.size, m.decoded.mnemonic, None)
        m.state.carry = None
        return
    value, flags = _computed(m, "add" if m.decoded.mnemonic == "inc" else "sub", m.read(target), m.pool.const(1), 4)
    if target.size != WORD:
        value, flags = algebra.part(m.pool, value, 0, target.size), Flags("result", value, None, target.size)
    m.write(target, value)
    m.state.flags, m.state.carry = flags, carry


def _negate(m: Moment) -> None:
    """neg and not."""
    (target,) = m.decoded.operands
    name = m.decoded.mnemonic
    if isinstance(target, Mem) and _in_memory(m, target):
        flags, carry = m.state.flags, m.state.carry
        m.change(m.place(target), target.size, name, None)
        if name == "not":
            m.state.flags, m.state.carry = flags, carry
        return
    old = m.read(target)
    value = algebra.negated(m.pool, old) if name == "neg" else algebra.inverted(m.pool, old)
    m.write(target, value if target.size == WORD else algebra.part(m.pool, value, 0, target.size))
    if name == "neg":
        m.state.set_flags(Flags("cmp", m.pool.const(0), old, target.size))


def _shift(m: Moment) -> None:
    """shl shr sar of a register or slot by a number that is known; ZF, SF and PF are those of the result."""
    target, *rest = m.decoded.operands
    count = m.read(rest[0]).constant if rest else 1
    if count is None or _in_memory(m, target):
        return fixed(m)
    count &= 31
    if count == 0:
        return None
    old = m.read(target)
    name = "shl" if m.decoded.mnemonic == "sal" else m.decoded.mnemonic
    if name == "sar" and target.size != WORD:
        old = algebra.signed_part(m.pool, old, target.size)
    value = algebra.part(m.pool, algebra.shifted(m.pool, name, old, count), 0, target.size)
    m.write(target, value)
    m.state.set_flags(Flags("result", value, None, target.size))


def _double_shift(m: Moment) -> None:
    """shld, shrd of registers by a constant."""
    target, source, count = m.decoded.operands
    number = count.value & 31 if isinstance(count, Imm) else 0
    if not number or target.size != WORD or isinstance(target, Mem):
        return fixed(m)
    value = m.pool.make(m.decoded.mnemonic, m.read(target), m.read(source), number)
    m.write(target, value)
    m.state.set_flags(Flags("result", value))


def _multiply(m: Moment) -> None:
    """imul into a register of the same size."""
    operands = m.decoded.operands
    if len(operands) == 1 or operands[0].size != WORD:
        return fixed(m)
    left, right = (m.read(operand) for operand in operands[-2:])
    m.write(operands[0], algebra.binary(m.pool, "mul", left, right))
    m.state.set_flags(None)


def _select(m: Moment, code: str) -> None:
    target, source = m.decoded.operands
    if target.size != WORD:
        raise Unsupported("a narrow cmov")
    new, old = m.read(source), m.read(target)
    chosen = m.state.condition(m.pool, code)
    if isinstance(chosen, bool):
        m.write(target, new if chosen else old)
    elif new is not old:
        m.write(target, m.pool.make("select", _pure(chosen), new, old))


def _set(m: Moment, code: str) -> None:
    (target,) = m.decoded.operands
    holds = m.state.condition(m.pool, code)
    value = m.pool.const(int(holds)) if isinstance(holds, bool) else m.pool.make("set", _pure(holds))
    m.write(target, value)


def _pure(asked: Condition) -> Condition:
    if asked.flags.kind == "effect":
        raise Unsupported("flags that are not a value")
    return asked


def _nothing(m: Moment) -> None:
    """nop."""


RULES: Final[dict[str, Rule]] = {
    "mov": _move,
    "movzx": _extend,
    "movsx": _extend,
    "lea": _lea,
    "xchg": _exchange,
    "push": _push,
    "pop": _pop,
    "leave": _leave,
    "cdq": _sign_of_eax,
    "cwde": _widen_ax,
    **dict.fromkeys(("add", "adc", "sub", "sbb", "and", "or", "xor"), _arithmetic),
    "cmp": _compare,
    "test": _test,
    "inc": _count,
    "dec": _count,
    "neg": _negate,
    "not": _negate,
    **dict.fromkeys(("shl", "sal", "shr", "sar"), _shift),
    "shld": _double_shift,
    "shrd": _double_shift,
    "imul": _multiply,
    "nop": _nothing,
}
