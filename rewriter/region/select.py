"""From values to instructions: each operation in the fewest two-operand instructions, operands in memory folded.

All operands are pinned before the destination is chosen: a register that is given away too early is a silent
miscompilation.
"""

from __future__ import annotations

from rewriter.analysis.value import WORD
from rewriter.region.exits import Refused
from rewriter.region.flag import Flags
from rewriter.region.machine import WITH_BYTES, Line, Machine, esp_plus, narrow
from rewriter.region.segments import to_register
from rewriter.region.tree import Effect
from rewriter.region.value import Value

_SWAPPABLE = ("add", "and", "or", "xor", "mul")
_NAMES = {"mul": "imul"}
_LONGEST_SCALE = 3


class Selector:
    """Puts values where instructions can use them.  Results live in registers until nobody needs them."""

    def __init__(self, machine: Machine) -> None:
        self.m = machine

    # Operands

    def immediate(self, value: Value) -> str:
        if value.op == "label":
            return f"{{{_symbol(value)}}}"
        assert value.constant is not None
        return hex(value.constant)

    def register(self, value: Value, wish: str | None = None, *, bytes: bool = False) -> str:
        """A register that holds the value; `bytes`: one whose lowest byte has a name."""
        m = self.m
        found = m.find(value)
        among = WITH_BYTES if bytes else None
        if found is not None and (among is None or found in among):
            return found
        wish = wish or m.wishes.get(value)
        if found is not None:
            with m.pinned(found):
                target = m.take(wish, among or WITH_BYTES)
            m.put(f"mov {target}, {found}")
            m.set(target, value)
            return target
        made = self._made(value, wish)
        if among is None or made in among:
            return made
        return self.register(value, wish, bytes=True)

    def operand(self, value: Value, *, memory: bool = True, immediate: bool = True) -> str:
        """The value as a second operand: a constant, a register, or the memory where it stands if it is not needed
        again."""
        if immediate and value.immediate:
            return self.immediate(value)
        if memory and self.foldable(value):
            return self.memory(value)
        return self.register(value)

    def foldable(self, value: Value, size: int = WORD) -> bool:
        """Whether it is in memory only and used once more, so that an instruction may take it from there."""
        m = self.m
        if m.find(value) is not None or value in m.needed():
            return False
        pending = m.at.pending
        if pending is not None and pending.result is value:
            return pending.size == size
        return size == WORD and m.stored(value) is not None

    def memory(self, value: Value) -> str:
        """The operand for what is `foldable`; a load that was pending is part of the instruction then."""
        m = self.m
        pending = m.at.pending
        if pending is not None and pending.result is value:
            assert pending.address is not None
            text = m.memory(pending.size, self.address(pending.address))
            m.at.pending = None
            return text
        slot = m.stored(value)
        assert slot is not None
        return m.slot(slot)

    def flush(self) -> None:
        """Write the load that is pending."""
        effect = self.m.at.pending
        if effect is not None:
            assert effect.result is not None
            self.m.at.pending = None
            self.load(effect, self.m.wishes.get(effect.result))

    def load(self, effect: Effect, wish: str | None = None) -> str:
        m = self.m
        assert effect.address is not None
        assert effect.result is not None
        text = self.address(effect.address)
        target = m.take(wish or self._spare())
        origin, m.origin = m.origin, effect.insn.origin
        m.put(f"{'mov' if effect.size == WORD else 'movzx'} {target}, {m.memory(effect.size, text)}")
        m.origin = origin
        m.set(target, effect.result)
        return target

    # Addresses

    _in_address: tuple[str, ...] = ()

    def address(self, value: Value) -> str:
        """What stands in the brackets.  Its registers are in `_in_address`: pin them while others are taken."""
        terms, disp, label = self._terms(value)
        while not _fits(terms):
            self._simplify(value)
            terms, disp, label = self._terms(value)
        on_stack = next((v for v, scale in terms if v.offset is not None and scale == 1), None)
        others = [term for term in terms if term[0] is not on_stack]
        self._in_address = self._registers([v for v, _ in others])
        parts = [esp_plus(on_stack.offset)] if on_stack is not None and on_stack.offset is not None else []
        for name, (_, scale) in zip(self._in_address, others, strict=True):
            parts.append(f"{name}*{scale}" if scale > 1 else name)
        if label:
            parts.append(f"{{{label}{disp:+d}}}" if disp else f"{{{label}}}")
        elif disp or not parts:
            parts.append(hex(disp & 0xFFFFFFFF) if not parts else f"{'-' if disp < 0 else '+'} {abs(disp):#x}")
        return " + ".join(parts).replace("+ - ", "- ").replace("+ + ", "+ ")

    def _terms(self, value: Value) -> tuple[list[tuple[Value, int]], int, str | None]:
        """A sum as (value, scale) terms, a displacement and a label."""
        terms: list[tuple[Value, int]] = []
        disp, label = 0, None
        pending = [value]
        while pending:
            part = pending.pop()
            if part.op == "label" and label is None:
                label, addend = part.args
                assert isinstance(addend, int)
                disp += addend
            elif part.constant is not None:
                disp += part.constant
            elif part.op == "add" and not self.m.somewhere(part):
                pending += [v for v in part.args if isinstance(v, Value)][::-1]
            elif part.op == "shl" and _scale(part) <= _LONGEST_SCALE and not self.m.somewhere(part):
                inner = part.args[0]
                assert isinstance(inner, Value)
                terms.append((inner, 1 << _scale(part)))
            else:
                terms.append((part, 1))
        assert label is None or isinstance(label, str)
        return terms, ((disp & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31), label

    def _registers(self, values: list[Value]) -> tuple[str, ...]:
        """All of these in registers at once."""
        m = self.m
        if not values:
            return ()
        first, *rest = values
        with m.later(*rest):
            one = self.register(first)
        with m.pinned(one):
            return (one, *self._registers(rest))

    def _simplify(self, value: Value) -> None:
        """Bring a part of a sum that is too long into a register: all but a constant, else one of the terms."""
        first, second = value.args
        assert isinstance(first, Value)
        assert isinstance(second, Value)
        if second.immediate and self.m.find(first) is None:
            self.register(first)
            return
        with self.m.later(first, second):
            part = first if not _fits(self._terms(first)[0]) or self.m.find(first) is None else second
            self.register(part)

    # Operations

    def _made(self, value: Value, wish: str | None) -> str:
        """Compute a value that is in no register."""
        m = self.m
        pending = m.at.pending
        if pending is not None and pending.result is value:
            m.at.pending = None
            return self.load(pending, wish)
        slot = m.stored(value)
        if slot is not None:
            return self._moved(value, m.slot(slot), wish)
        if value.immediate:
            return self._moved(value, self.immediate(value), wish)
        if value.leaf:
            return self._leaf(value, wish)
        target = self._operation(value, wish)
        m.set(target, value)
        return target

    def _moved(self, value: Value, source: str, wish: str | None) -> str:
        target = self.m.take(wish)
        self.m.put(f"mov {target}, {source}")
        self.m.set(target, value)
        return target

    def _leaf(self, value: Value, wish: str | None) -> str:
        m = self.m
        segment = m.at.segments.holder(value) if m.at.segments is not None else None
        if value.op not in ("stack", "current") and segment is None:
            raise Refused(f"{value} is lost")
        target = m.take(wish)
        if value.offset is not None:
            m.put(f"lea {target}, [{esp_plus(value.offset)}]")
        elif segment is not None:
            m.lines.append(Line(to_register(segment, target), m.origin))
        else:
            m.put(f"mov {target}, {-m.stack_size & 0xFFFFFFFF:#x}")
            m.put(f"and {target}, esp", keeps_flags=False)
        m.set(target, value)
        return target

    def _operation(self, value: Value, wish: str | None) -> str:
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
        m.put(f"mov {target}, {found or self.immediate(value)}")
        return target

    def _expendable(self, value: Value, wished: bool) -> bool:
        """Whether its register may be overwritten: nobody needs it there, or it is cheap and in the way."""
        return value not in self.m.needed() or (wished and self.m.cheap(value))

    def _shifted(self, op: str, first: Value, count: int, wish: str | None, value: Value) -> str:
        m = self.m
        with m.later(first):
            source = self.register(first)
        if op == "shl" and count <= _LONGEST_SCALE and first in m.needed():
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

    def _spare(self) -> str | None:
        """A register of the last address that nobody needs any more."""
        needed = self.m.needed()
        return next((r for r in self._in_address if self.m.at.held.get(r) not in needed), None)

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


def _symbol(value: Value) -> str:
    name, addend = value.args
    return f"{name}{addend:+d}" if addend else str(name)


def _fits(terms: list[tuple[Value, int]]) -> bool:
    """Whether an address can have these terms."""
    return len(terms) <= 2 and sum(scale > 1 for _, scale in terms) <= 1


def _scale(value: Value) -> int:
    count = value.args[1]
    assert isinstance(count, int)
    return count
