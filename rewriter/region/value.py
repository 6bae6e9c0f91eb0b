"""Words as expressions.  Equal expressions are one object, so that equality is identity (hash-consing)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

MASK = 0xFFFFFFFF
WORD = 4


class Value:
    """A 32-bit word: an operation and its arguments, which are values, numbers, names or conditions.

    Leaves:      const(n)  label(name, addend)  stack(offset from the entry esp)  current(): where the task lies
                 param(register at the entry)  given(offset): a word of the caller's stack, as it was at the entry
                 segment(ds or es): what the program had in it at the gate
                 result(effect, place): what an effect left in a register; a load's word
                 phi(loop, place): what a register or stack slot holds where a loop begins, another word each time;
                 with a third argument, where that may be a place on the stack
    Operations:  add sub and or xor mul not neg shl shr sar (by a number)  shld shrd (by a number)
                 signed (the lowest n bytes, extended)  set(condition)  borrow(condition) = −set
                 select(condition, a, b)  adc sbb (a, b, condition)
    """

    __slots__ = ("args", "leaf", "number", "op", "origin", "parts")

    def __init__(self, op: str, args: tuple[object, ...], number: int, origin: int | None = None) -> None:
        self.op = op
        self.args = args
        self.parts = tuple(values_in(args))  # the values that it is computed from, those of its condition included
        self.leaf = op in LEAVES
        self.number = number  # in the order of creation
        self.origin = origin  # address of the first instruction of the input that computes it

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.args))})"

    @property
    def constant(self) -> int | None:
        number = self.args[0] if self.op == "const" else None
        assert number is None or isinstance(number, int)
        return number

    @property
    def offset(self) -> int | None:
        """Of a place on the stack, from the entry esp."""
        offset = self.args[0] if self.op == "stack" else None
        assert offset is None or isinstance(offset, int)
        return offset

    @property
    def on_stack(self) -> bool:
        """Whether it is a place on the stack, or was one in some round of a loop."""
        return self.op == "stack" or (self.op == "phi" and len(self.args) > 2)

    @property
    def immediate(self) -> bool:
        """Whether an instruction can hold it."""
        return self.op in ("const", "label")


Key: TypeAlias = tuple[str, tuple[object, ...]]
LEAVES = frozenset(["const", "label", "stack", "current", "param", "given", "segment", "result", "phi"])


def inside(value: Value) -> list[Value]:
    """A value and all that it is computed from."""
    found, pending = {value: None}, [value]
    while pending:
        for inner in pending.pop().parts:
            if inner not in found:
                found[inner] = None
                pending.append(inner)
    return list(found)


def values_in(args: tuple[object, ...]) -> Iterator[Value]:
    """Values in a tuple, and in the tuples (conditions, flags) inside it."""
    for arg in args:
        if isinstance(arg, Value):
            yield arg
        elif isinstance(arg, tuple):
            yield from values_in(arg)


class Pool:
    """Makes values; the same arguments give the same object."""

    def __init__(self) -> None:
        self._known: dict[Key, Value] = {}
        self.origin: int | None = None  # of the instruction whose values are made
        self.from_stack: set[Value] = set()  # read from the stack's memory, or perhaps left alone by a call
        self.somewhere: set[Value] = set()  # addresses at which there is a word, so that they are not 0

    def make(self, op: str, *args: object) -> Value:
        """The value as it is written, not simplified: `algebra` does that."""
        found = self._known.get((op, args))
        if found is None:
            found = self._known[op, args] = Value(op, args, len(self._known), self.origin)
        return found

    def found(self, op: str, *args: object) -> Value | None:
        """The same, if it has been made before."""
        return self._known.get((op, args))

    def may_be_stack(self, *values: Value) -> bool:
        """Whether one of them may be a place on this stack."""
        return any(v.on_stack or v in self.from_stack for value in values for v in inside(value))

    def const(self, number: int) -> Value:
        return self.make("const", number & MASK)

    def label(self, name: str, addend: int = 0) -> Value:
        return self.make("label", name, addend)

    def stack(self, offset: int) -> Value:
        return self.make("stack", offset)
