"""Values as operands: constants, registers, memory; addresses with all that fits into them.

What is in no register is brought into one: from where it is stored, or by the operation that makes it (`select`).
"""

from __future__ import annotations

from rewriter.analysis.value import WORD
from rewriter.reasons import Reason
from rewriter.region.exits import Refused
from rewriter.region.machine import WITH_BYTES, Machine, esp_plus
from rewriter.region.segments import to_register
from rewriter.region.tree import Effect
from rewriter.region.value import Value

LONGEST_SCALE = 3


class Operands:
    """Results live in registers until nobody needs them."""

    def __init__(self, machine: Machine) -> None:
        self.m = machine

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
            m.put(f"mov {target}, {found}", why=Reason.MOVED)
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
            m.folded += [pending.insn.origin] if pending.insn.origin is not None else []
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
        with m.writing(effect.insn.origin, Reason.MEMORY):
            text = self.address(effect.address)
            target = m.take(wish or self._spare())
            m.put(f"{'mov' if effect.size == WORD else 'movzx'} {target}, {m.memory(effect.size, text)}")
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
                self._fold(part)
                pending += [v for v in part.args if isinstance(v, Value)][::-1]
            elif part.op == "shl" and _scale(part) <= LONGEST_SCALE and not self.m.somewhere(part):
                inner = part.args[0]
                assert isinstance(inner, Value)
                self._fold(part)
                terms.append((inner, 1 << _scale(part)))
            else:
                terms.append((part, 1))
        assert label is None or isinstance(label, str)
        return terms, ((disp & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31), label

    def _fold(self, value: Value) -> None:
        """It is part of an operand: the instruction stands for what computed it, too."""
        self.m.folded += [value.origin] if value.origin is not None else []

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

    def _spare(self) -> str | None:
        """A register of the last address that nobody needs any more."""
        needed = self.m.needed()
        return next((r for r in self._in_address if self.m.at.held.get(r) not in needed), None)

    # Into a register

    def _made(self, value: Value, wish: str | None) -> str:
        """Compute a value that is in no register."""
        m = self.m
        pending = m.at.pending
        if pending is not None and pending.result is value:
            m.at.pending = None
            return self.load(pending, wish)
        slot = m.stored(value)
        if slot is not None:
            with m.pinned(slot):
                return self._moved(value, m.slot(slot), wish)
        if value.immediate:
            return self._moved(value, self.immediate(value), wish)
        if value.leaf:
            return self._leaf(value, wish)
        with m.writing(value.origin or m.origin, Reason.VALUE):
            target = self.operation(value, wish)
        m.set(target, value)
        return target

    def _moved(self, value: Value, source: str, wish: str | None) -> str:
        target = self.m.take(wish)
        self.m.put(f"mov {target}, {source}", why=Reason.MOVED)
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
            m.line(to_register(segment, target), Reason.MOVED)
        else:
            m.put(f"mov {target}, {-m.stack_size & 0xFFFFFFFF:#x}")
            m.put(f"and {target}, esp", keeps_flags=False)
        m.set(target, value)
        return target

    def operation(self, value: Value, wish: str | None) -> str:
        """Compute it into a register of its own; see `select`."""
        raise NotImplementedError


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
