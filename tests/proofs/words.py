"""Words and conditions of the region as z3's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import z3

from rewriter.region.flag import Condition, Flags
from rewriter.region.value import WORD, Value
from tests.proofs.semantics import FLAGS, Machine, Number, Register, word


def _signed(value: Any, size: Any) -> Any:
    """The lowest bytes, extended by their sign."""
    up = 32 - 8 * size
    return value << up >> up


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "not": lambda a: ~a,
    "shl": lambda a, count: a << count,
    "shr": z3.LShR,
    "sar": lambda a, count: a >> count,
    "down": z3.LShR,
    "signed": _signed,
    "shld": lambda a, b, count: a << count | z3.LShR(b, 32 - count),
    "shrd": lambda a, b, count: z3.LShR(a, count) | b << (32 - count),
}


def meaning(value: Value) -> Any:
    """A word; what it is made of at last may be anything."""
    if value.constant is not None:
        return word(value.constant)
    if value.op in ("set", "borrow", "select"):
        return _chosen(value)
    if value.op in ("adc", "sbb"):
        return result(Flags(value.op, *value.args[:2], WORD, value.args[2]))  # type: ignore[arg-type]
    if value.op in OPERATIONS:
        return OPERATIONS[value.op](*(meaning(a) if isinstance(a, Value) else a for a in value.args))
    return z3.BitVec(str(value), 32)


def _chosen(value: Value) -> Any:
    test = value.args[0]
    assert isinstance(test, Condition)
    if value.op == "select":
        chosen, other = (meaning(a) for a in value.args[1:] if isinstance(a, Value))
        return z3.If(holds(test), chosen, other)
    return z3.If(holds(test), word(1 if value.op == "set" else -1), word(0))


def holds(asked: Condition | bool) -> Any:
    """Whether a condition holds."""
    if isinstance(asked, bool):
        return z3.BoolVal(asked)
    return flags_of(asked.flags).holds(asked.code)


def flags_of(flags: Flags) -> Machine:
    """The processor behind the operation that set them; the result is in `left`."""
    assert flags.left is not None
    right = meaning(flags.right) if flags.right is not None else word(0)
    machine = Machine(
        {"left": meaning(flags.left), "right": right},
        {flag: z3.BoolVal(False) for flag in FLAGS},
        None,
    )
    if flags.carry is not None:
        machine.flags["CF"] = holds(flags.carry)
    operands = Register("left", flags.size), Register("right", flags.size)
    if flags.kind == "result":
        machine.run("cmp", (operands[0], Number(word(0))))
        machine.set(CF=None, OF=None, AF=None)
    else:
        machine.run(flags.kind, operands)
    return machine


def result(flags: Flags) -> Any:
    return flags_of(flags).registers["left"]


def proved(claim: Any, *given: Any) -> bool:
    """Whether the claim holds wherever that is given."""
    if z3.is_true(z3.simplify(claim)):
        return True
    solver = z3.Solver()
    solver.add(*given, z3.Not(claim))
    return bool(solver.check() == z3.unsat)
