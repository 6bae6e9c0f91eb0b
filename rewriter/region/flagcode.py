"""Conditions as instructions: operands first, then what sets the flags, then at once what reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rewriter.analysis.value import WORD
from rewriter.region.exits import Refused
from rewriter.region.flag import Condition, Flags, result_of
from rewriter.region.machine import GENERAL, WITH_BYTES, narrow
from rewriter.region.select import Selector
from rewriter.region.value import Value

_OF_RESULT = ("e", "ne", "s", "ns", "p", "np")
_OF_PARTS = ("e", "ne", "b", "ae", "be", "a")  # a narrow comparison agrees with that of words extended by zeros


class Conditions(Selector):
    """Nothing may come between the lines that `ready` gives and the instruction that reads the flags."""

    _sums: list[tuple[str, Value]]  # registers that hold words behind the lines that are ready

    @contextmanager
    def ready(self, flags: Flags, code: str = "") -> Iterator[list[str]]:
        """Bring the operands where they must be, and keep them there; the lines that set the flags, none where they
        are set.  `code`: the only condition that will be asked; "" if it may be any."""
        if self._there(flags, code):
            yield []
            return
        pins, self._sums = len(self.m._pins), []
        lines = self._lines(flags, code)
        yield [] if self._there(flags, code) else lines
        del self.m._pins[pins:]

    def fire(self, lines: list[str], flags: Flags) -> None:
        for line in lines:
            self.m.put(line, flags)
        for register, value in self._sums if lines else ():
            self.m.set(register, value)

    def _there(self, flags: Flags, code: str) -> bool:
        held = self.m.at.flags
        zero = flags.right is not None and flags.right.constant == 0
        return flags in held or (
            flags.kind == "cmp" and zero and code in _OF_RESULT and Flags("result", flags.left) in held
        )

    def _pin(self, register: str) -> str:
        self.m._pins.append(register)
        return register

    def _lines(self, flags: Flags, code: str) -> list[str]:
        if flags.kind == "effect" or flags.left is None or flags.right is None:
            raise Refused("flags that something else has changed")
        if flags.kind != "cmp":
            return self._counted(flags)
        if flags.right.constant == 0:
            return self._against_zero(flags.left, flags.right, code)
        return self._compared(flags.left, flags.right, code)

    def _compared(self, left: Value, right: Value, code: str) -> list[str]:
        size = self._narrow_load(left, right, code)
        if size != WORD:
            assert right.constant is not None
            return [f"cmp {self._memory(left)}, {right.constant:#x}"]
        with self.m.later(left):
            kept = None if right.immediate or self.foldable(right) else self._pin(self.register(right))
        if kept is None and not right.immediate:
            with self.m.later(right):
                first = self._pin(self.register(left))
            return [f"cmp {first}, {self._pinned_operand(right)}"]
        with self.m.later(right):
            fold = self.foldable(left)
        first = self._memory(left) if fold else self._pin(self.register(left))
        return [f"cmp {first}, {kept or self.immediate(right)}"]

    def _narrow_load(self, left: Value, right: Value, code: str) -> int:
        """The size of a pending narrow load that may be compared where it is."""
        pending = self.m.at.pending
        number = right.constant
        if pending is None or pending.result is not left or number is None or code not in _OF_PARTS:
            return WORD
        fits = number < 1 << (8 * pending.size)
        return pending.size if fits and self.foldable(left, pending.size) else WORD

    def _memory(self, value: Value) -> str:
        slot = self.m.stored(value)
        text = self.memory(value)
        self.m._pins += [*self._in_address, *([] if slot is None else [slot])]
        return text

    def _pinned_operand(self, value: Value) -> str:
        if self.foldable(value):
            return self._memory(value)
        return self._pin(self.register(value))

    def _against_zero(self, left: Value, zero: Value, code: str) -> list[str]:
        m = self.m
        size = self._narrow_load(left, zero, code)
        if size != WORD or self.foldable(left):
            return [f"cmp {self._memory(left)}, 0"]
        if left.op == "and" and not m.somewhere(left) and left not in m.needed():
            found = self._tested(left, code)
            if found is not None:
                return [found]
        register = self._pin(self.register(left))
        return [f"test {register}, {register}"]

    def _tested(self, value: Value, code: str) -> str | None:
        """`test` for an `and` that nobody needs; None if that is no better."""
        first, second = value.args
        assert isinstance(first, Value)
        assert isinstance(second, Value)
        pending = self.m.at.pending
        if second.constant is not None and pending is not None and pending.result is first:
            fits = code in ("e", "ne") or pending.size == WORD
            if fits and self.foldable(first, pending.size):
                return f"test {self._memory(first)}, {second.constant & (1 << 8 * pending.size) - 1:#x}"
        if second.immediate:
            return self._tested_register(first, second, code)
        with self.m.later(first):
            fold = self.foldable(second)
            other = None if fold else self._pin(self.register(second))
        with self.m.later(*([second] if fold else [])):
            register = self._pin(self.register(first))
        return f"test {other or self._pinned_operand(second)}, {register}"

    def _tested_register(self, first: Value, second: Value, code: str) -> str:
        register = self._pin(self.register(first))
        small = second.constant is not None and second.constant < 256 and code in ("e", "ne")
        if small and register in WITH_BYTES:
            return f"test {narrow(register, 1)}, {second.constant:#x}"
        return f"test {register}, {self.immediate(second)}"

    def _counted(self, flags: Flags) -> list[str]:
        """add, adc and sbb, in a register of their own, which holds the result then."""
        m = self.m
        assert flags.left is not None
        assert flags.right is not None
        carried = flags.carry.flags.words if flags.carry else ()
        with m.later(flags.right, *carried):
            source = self.register(flags.left)
            with m.pinned(source):
                target = self._pin(m.take())
            m.put(f"mov {target}, {source}")
        with m.later(*carried):
            other = self.immediate(flags.right) if flags.right.immediate else self._pin(self.register(flags.right))
        first = self._lines(flags.carry.flags, flags.carry.code) if flags.carry else []
        self._sums.append((target, result_of(m.pool, flags)))
        return [*first, f"{flags.kind} {target}, {other}"]

    # Values of conditions

    def conditional(self, value: Value, wish: str | None) -> str:
        if value.op == "select":
            return self._select(value, wish)
        if value.op in ("adc", "sbb"):
            return self._with_carry(value, wish)
        asked = value.args[0]
        assert isinstance(asked, Condition)
        with self.ready(asked.flags, asked.code) as lines:
            target = self.m.take(wish, WITH_BYTES if value.op == "set" else GENERAL)
            self.fire(lines, asked.flags)
        if value.op == "set":
            self.m.put(f"set{asked.code} {narrow(target, 1)}")
            self.m.put(f"movzx {target}, {narrow(target, 1)}")
        else:
            self.m.put(f"sbb {target}, {target}", Flags("result", value))
        return target

    def _select(self, value: Value, wish: str | None) -> str:
        m = self.m
        asked, chosen, other = value.args
        assert isinstance(asked, Condition)
        assert isinstance(chosen, Value)
        assert isinstance(other, Value)
        if chosen.immediate and not other.immediate:
            asked, chosen, other = asked.opposite, other, chosen
        with m.later(*asked.flags.words, other):
            source = self.register(chosen)
        with m.pinned(source):
            with m.later(*asked.flags.words):
                target = self.own(other, wish)
            with m.pinned(target), self.ready(asked.flags, asked.code) as lines:
                self.fire(lines, asked.flags)
        m.put(f"cmov{asked.code} {target}, {source}")
        return target

    def _with_carry(self, value: Value, wish: str | None) -> str:
        m = self.m
        first, second, carry = value.args
        assert isinstance(first, Value)
        assert isinstance(second, Value)
        assert isinstance(carry, Condition)
        with m.later(first, *carry.flags.words):
            source = self.immediate(second) if second.immediate else self.register(second)
        with m.pinned(*([] if second.immediate else [source])):
            with m.later(*carry.flags.words):
                target = self.own(first, wish)
            with m.pinned(target), self.ready(carry.flags, carry.code) as lines:
                self.fire(lines, carry.flags)
        m.put(f"{value.op} {target}, {source}", Flags("result", value), Flags(value.op, first, second, WORD, carry))
        return target
