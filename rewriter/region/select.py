"""From values to instructions: each operation in the fewest two-operand instructions, operands in memory folded.

All operands are pinned before the destination is chosen: a register that is given away too early is a silent
miscompilation.
"""

from __future__ import annotations

from rewriter.reasons import Reason
from rewriter.region.flag import Flags
from rewriter.region.machine import WITH_BYTES, narrow
from rewriter.region.operands import LONGEST_SCALE, Operands
from rewriter.region.value import Value

_SWAPPABLE = ("add", "and", "or", "xor", "mul")
_NAMES = {"mul": "imul"}


class Selector(Operands):
    """Puts the result of each operation into a register."""

    def operation(self, value: Value, wish: str | None) -> str:
        """Compute it into a register of its own."""
        first = value.args[0]
        if value.op in ("select", "set", "borrow", "adc", "sbb"):
            return self.conditional(value, wish)
        assert isinstance(first, Value)
        if value.op in ("neg", "not"):
            target = self.own(first, wish)
            self.m.put(f"{value.op} {target}", *(self._flags(value) if value.op == "neg" else ()))
            return target
        if value.op == "signed":
            return self._extended(first, value.args[1], wish)
        second = value.args[1]
        if isinstance(second, int):
            return self._shifted(value.op, first, second, wish, value)
        assert isinstance(second, Value)
        if value.op in ("shld", "shrd"):
            return self._double(value, first, second, wish)
        return self._binary(value, first, second, wish)

    def conditional(self, value: Value, wish: str | None) -> str:
        """select, set, borrow, adc, sbb; see `flagcode`."""
        raise NotImplementedError

    def own(self, value: Value, wish: str | None) -> str:
        """A register with the value that may be overwritten: its own, if nobody needs it there any more."""
        m = self.m
        found = m.find(value)
        if found is None and not value.immediate:
            found = self.register(value, wish)
        if found is not None and found not in m._pins and self._expendable(value, found == wish):
            del m.at.held[found]
            return found
        with m.pinned(*([found] if found else [])):
            target = m.take(wish)
        m.put(f"mov {target}, {found or self.immediate(value)}", why=Reason.MOVED)
        return target

    def _expendable(self, value: Value, wished: bool) -> bool:
        """Whether its register may be overwritten: nobody needs it there, or it is cheap and in the way."""
        return value not in self.m.needed() or (wished and self.m.cheap(value))

    def _shifted(self, op: str, first: Value, count: int, wish: str | None, value: Value) -> str:
        m = self.m
        with m.later(first):
            source = self.register(first)
        if op == "shl" and count <= LONGEST_SCALE and first in m.needed():
            with m.pinned(source):
                target = m.take(wish)
            m.put(f"lea {target}, [{source}*{1 << count}]")
            return target
        target = self.own(first, wish)
        m.put(f"{op} {target}, {count}", *self._flags(value))
        return target

    def _double(self, value: Value, first: Value, second: Value, wish: str | None) -> str:
        m = self.m
        with m.later(first):
            source = self.register(second)
        with m.pinned(source):
            target = self.own(first, wish)
        m.put(f"{value.op} {target}, {source}, {value.args[2]}", *self._flags(value))
        return target

    def _extended(self, first: Value, size: object, wish: str | None) -> str:
        m = self.m
        assert isinstance(size, int)
        source = self.register(first, bytes=size == 1)
        with m.pinned(source):
            alone = first not in m.needed()
        target = source if alone and (wish is None or wish == source) else self._beside(source, wish)
        m.put(f"movsx {target}, {narrow(source, size)}")
        m.at.held.pop(target, None)
        return target

    def _beside(self, source: str, wish: str | None) -> str:
        with self.m.pinned(source):
            return self.m.take(wish)

    def _binary(self, value: Value, first: Value, second: Value, wish: str | None) -> str:
        m, op = self.m, value.op
        if op in _SWAPPABLE and not second.immediate and self._better_second(first, second):
            first, second = second, first
        if op == "add" and not self.foldable(second):
            return self._added(value, wish)
        if op == "and" and second.constant in (0xFF, 0xFFFF):
            source = m.find(first)
            if source is not None and (second.constant == 0xFFFF or source in WITH_BYTES):
                target = self._beside(source, wish)
                m.put(f"movzx {target}, {narrow(source, second.constant.bit_length() // 8)}")
                return target
        if op == "mul" and second.immediate:
            source = self.register(first)
            target = self._beside(source, wish)
            m.put(f"imul {target}, {source}, {self.immediate(second)}", keeps_flags=False)
            return target
        with m.later(first):
            kept = None if second.immediate or self.foldable(second) else self.register(second)
        with m.pinned(*([kept] if kept else [])), m.later(*(() if kept else (second,))):
            target = self.own(first, wish)
        with m.pinned(target):
            source = kept or self.operand(second)
        m.put(f"{_NAMES.get(op, op)} {target}, {source}", *self._flags(value), keeps_flags=False)
        return target

    def _better_second(self, first: Value, second: Value) -> bool:
        """Whether the second operand is the better one to overwrite: it is in a register, or the first in memory."""
        m = self.m
        needed = m.needed()
        if self.foldable(first):
            return True
        return m.find(second) is not None and second not in needed and (m.find(first) is None or first in needed)

    def _added(self, value: Value, wish: str | None) -> str:
        """`lea` keeps both operands, and the flags."""
        text = self.address(value)
        target = self.m.take(wish or self._spare())
        if text != target:
            self.m.put(f"lea {target}, [{text}]")
        return target

    def _flags(self, value: Value) -> tuple[Flags, ...]:
        """What the flags are those of behind the instruction that computed the value."""
        first, second = (*value.args, None)[:2]
        assert isinstance(first, Value)
        zero = self.m.pool.const(0)
        if value.op == "mul":
            return ()
        found = [Flags("result", value)]
        if value.op == "neg":
            found.append(Flags("cmp", zero, first))
        elif value.op in ("and", "or", "xor"):
            found.append(Flags("cmp", value, zero))
        elif value.op in ("add", "sub") and isinstance(second, Value):
            found.append(Flags("add" if value.op == "add" else "cmp", first, second))
        return tuple(found)
