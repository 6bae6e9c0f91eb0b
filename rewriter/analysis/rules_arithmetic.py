"""What each mnemonic of the arithmetic unit does to what is known (§4.2): see `rules`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rewriter.analysis.arithmetic import Bits, compute, shift
from rewriter.analysis.state import Compared, State
from rewriter.analysis.step import Step, widened
from rewriter.analysis.value import CURRENT, WORD, Opaque, Value, constant, signed
from rewriter.x86.decode import Imm, Mem, Reg

Rule = Callable[[Step, int], bool]  # of a step, and the size of the kernel's stacks
_LOWEST: Final = Value(CURRENT)  # esp & -stack_size
_PLACE_OF_RESULT: Final = "result"  # of an operation on memory


def _alu(step: Step, stack_size: int) -> bool:
    target, source = step.decoded.operands
    if isinstance(target, Imm):
        return False
    name, size = step.decoded.mnemonic, target.size
    left, right = step.read(target), step.read(source)
    if target == source and name in ("xor", "sub") and isinstance(target, Reg):
        left = right = constant(0)
    value, flags = _combine(name, left, right, size, _carry(step.state))
    if value is None and name == "and" and size == WORD and left and right:
        value = _current(left, right, stack_size)
    if name not in ("cmp", "test"):
        if value is None and size == WORD:
            place = _PLACE_OF_RESULT if isinstance(target, Mem) else target.name
            clean = name == "and" and any(
                v is not None and v.constant == -stack_size & 0xFFFFFFFF for v in (left, right)
            )
            value = step.define(place, step.taints(target, source) and not clean)
        if name in ("and", "or", "xor") and size == WORD and value is not None and flags is None:
            flags = Compared(value, constant(0))
        step.write(target, value, step.taints(target, source))
    step.state.flags = flags
    return True


def _combine(
    name: str, left: Value | None, right: Value | None, size: int, carry: bool | None
) -> tuple[Value | None, Bits | Compared | None]:
    """Value and flags of `left name right`, None where unknown."""
    if left is None or right is None:
        return _absorbed(name, left, right, size), None
    if left.constant is not None and right.constant is not None:
        known = compute(name, left.constant, right.constant, size, carry)
        return (constant(known[0]), known[1]) if known else (None, None)
    if size != WORD:
        return None, None
    if name in ("sub", "cmp"):
        value = left.plus(-right.offset) if right.constant is not None else None
        if value is None and left.base == right.base:
            value = constant(left.offset - right.offset)
        return value, Compared(left, right)
    if name == "add":
        return (left.plus(right.offset) if right.constant is not None else _added(right, left)), None
    if name in ("and", "or", "xor", "test"):
        same = constant(0) if name == "xor" else left
        value = same if left == right else _absorbed(name, left, right, size)
        return value, Compared(value, constant(0)) if value is not None else None
    return None, None


def _added(right: Value, left: Value) -> Value | None:
    return right.plus(left.offset) if left.constant is not None else None


def _absorbed(name: str, left: Value | None, right: Value | None, size: int) -> Value | None:
    """x & 0, x | -1, and what a neutral number leaves of the other operand."""
    ones = (1 << 8 * size) - 1
    for number, other in ((left, right), (right, left)):
        known = None if number is None else number.constant
        if known is None:
            continue
        if (name in ("and", "test") and known == 0) or (name == "or" and known == ones):
            return number
        if (name in ("and", "test") and known == ones) or (name in ("or", "xor") and known == 0):
            return other
    return None


def _current(left: Value, right: Value, stack_size: int) -> Value | None:
    """esp & -stack_size does not change while this stack is in use, and is no address of a slot (§3)."""
    for address, mask in ((left, right), (right, left)):
        if address.slot is not None and mask.constant == -stack_size & 0xFFFFFFFF:
            return _LOWEST
    return None


def _count(step: Step, _: int) -> bool:
    """inc, dec: the carry flag stays."""
    (target,) = step.decoded.operands
    left, distance = step.read(target), 1 if step.decoded.mnemonic == "inc" else -1
    carry = _carry(step.state)
    value: Value | None = None
    step.state.flags = None
    if left is not None and left.constant is not None:
        known = compute("add" if distance == 1 else "sub", left.constant, 1, target.size, None)
        assert known is not None
        kept = {} if carry is None else {"CF": carry}
        flags = {name: bit for name, bit in known[1].known.items() if name != "CF"}
        value, step.state.flags = constant(known[0]), Bits({**flags, **kept})
    elif left is not None and target.size == WORD:
        value = left.plus(distance)
    step.write(target, value, step.taints(target))
    return True


def _carry(state: State) -> bool | None:
    bits = state.bits()
    return bits.known.get("CF") if bits else None


def _shift(step: Step, _: int) -> bool:
    operands = step.decoded.operands
    target, count = operands[0], operands[1] if len(operands) > 1 else Imm(1, 1)
    left, by = step.read(target), step.read(count)
    value = None
    if left is not None and by is not None and left.constant is not None and by.constant is not None:
        result = shift(step.decoded.mnemonic, left.constant, by.constant, target.size)
        value = None if result is None else constant(result)
    elif left is not None and by == constant(31) and (step.decoded.mnemonic, target.size) == ("sar", WORD):
        value = sign_of(left)
    if by is None or by.constant is None or by.constant & 31:
        step.state.flags = None
    elif value is None:
        value = left
    step.write(target, value, step.taints(target))
    return True


def sign_of(word: Value) -> Value | None:
    """0 or -1, by its sign: the upper half of a word that is widened to 64 bits.  Its name is born with the word's."""
    if word.constant is not None:
        return constant(-(word.constant >> 31))
    if not isinstance(word.base, Opaque) or word.on_stack:
        return None
    return Value(word.base._replace(place=f"sign of {word.base.place}+{word.offset:#x}"))


def _invert(step: Step, _: int) -> bool:
    """not (flags stay), neg."""
    (target,) = step.decoded.operands
    left, negate = step.read(target), step.decoded.mnemonic == "neg"
    value, known = None, None
    if left is not None and left.constant is not None:
        known = compute("sub" if negate else "xor", 0 if negate else -1, left.constant, target.size, None)
    if known is not None:
        value = constant(known[0])
    if negate:
        step.state.flags = known[1] if known else None
    step.write(target, value, step.taints(target))
    return True


def _multiply(step: Step, _: int) -> bool:
    operands = step.decoded.operands
    if len(operands) == 1:
        return False
    factors = [step.read(operand) for operand in operands[-2:]]
    value, product = None, 1
    known = [factor.constant for factor in factors if factor is not None and factor.constant is not None]
    if len(known) == len(factors):
        for number in known:
            product *= signed(number, operands[0].size)
        value = constant(product & ((1 << 8 * operands[0].size) - 1))
    step.state.flags = None
    step.write(operands[0], value, step.taints(*operands[-2:]))
    return True


def _extend(step: Step, _: int) -> bool:
    target, source = step.decoded.operands
    if target.size != WORD:
        return False
    value = widened(step.read(source), source.size, step.decoded.mnemonic == "movsx")
    step.write(target, value, step.taints(source))
    return True


def _sign(step: Step, _: int) -> bool:
    """cdq: edx becomes the sign of eax."""
    left = step.read(Reg("eax", WORD))
    step.write(Reg("edx", WORD), sign_of(left) if left is not None else None)
    return True


def _halfword_sign(step: Step, _: int) -> bool:
    """cwde: ax sign-extended to eax."""
    step.write(Reg("eax", WORD), widened(step.read(Reg("ax", 2)), 2, True), step.taints(Reg("eax", WORD)))
    return True


ARITHMETIC: Final[dict[str, Rule]] = {
    **dict.fromkeys(("add", "adc", "sub", "sbb", "cmp", "and", "or", "xor", "test"), _alu),
    **dict.fromkeys(("inc", "dec"), _count),
    **dict.fromkeys(("shl", "sal", "shr", "sar"), _shift),
    **dict.fromkeys(("not", "neg"), _invert),
    "imul": _multiply,
    **dict.fromkeys(("movzx", "movsx"), _extend),
    "cdq": _sign,
    "cwde": _halfword_sign,
}
