"""What registers, stack slots and flags hold at one point of a path; and what the path has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from rewriter.analysis.arithmetic import CONDITIONS
from rewriter.analysis.state import Range
from rewriter.analysis.value import REGISTERS
from rewriter.region.algebra import binary, inverted, negated, shifted, signed_part
from rewriter.region.flag import Condition, Flags, Unsupported, condition
from rewriter.region.orders import implied
from rewriter.region.segments import Segments
from rewriter.region.value import Pool, Value


@dataclass(slots=True)
class State:
    """`slots`: words of the stack by offset from the entry esp; None: memory has it, read it there.  A missing slot
    of the caller's holds what it did at the entry, one of our own holds nothing; but in the ranges `lost`, memory
    has those, too.

    `flags` and `carry` (which `inc` and `dec` keep) are those of two operations, mostly of the same.  `facts` are
    conditions that the path has tested, `equal` the words that are a constant since.  `leaked`: somebody else may hold
    an address of this stack.  `segments`: where the code begins at the gate.
    """

    registers: dict[str, Value]
    slots: dict[int, Value | None] = field(default_factory=dict)
    lost: frozenset[Range] = frozenset()
    esp: int = 0
    flags: Flags | None = None
    carry: Flags | None = None
    facts: dict[Condition, bool] = field(default_factory=dict)
    equal: dict[Value, Value] = field(default_factory=dict)
    leaked: bool = False
    segments: Segments | None = None
    returns: dict[int, Value] = field(default_factory=dict)  # return addresses of calls that are inlined, by slot
    flags_by: int | None = None  # the origin of what set the flags

    @staticmethod
    def at_entry(pool: Pool, known: Mapping[str, Value]) -> State:
        """Every register holds its parameter, or what is known of it."""
        return State({name: known.get(name) or pool.make("param", name) for name in REGISTERS if name != "esp"})

    def copy(self) -> State:
        return State(
            dict(self.registers),
            dict(self.slots),
            self.lost,
            self.esp,
            self.flags,
            self.carry,
            dict(self.facts),
            dict(self.equal),
            self.leaked,
            self.segments,
            dict(self.returns),
            self.flags_by,
        )

    def be(self, other: State) -> None:
        """Take everything from another, which is not used any more."""
        for each in fields(State):
            setattr(self, each.name, getattr(other, each.name))

    def register(self, pool: Pool, name: str) -> Value:
        return pool.stack(self.esp) if name == "esp" else self.registers[name]

    def set_flags(self, flags: Flags | None) -> None:
        self.flags = self.carry = flags

    def condition(self, pool: Pool, code: str) -> Condition | bool:
        """A condition on the flags; decided where the path has shown it.  Raises Unsupported."""
        found = condition(pool, code, self._asked(code))
        return found if isinstance(found, bool) else self.decided(pool, found)

    def _asked(self, code: str) -> Flags | None:
        if code in ("b", "ae"):
            return self.carry
        if code in ("be", "a") and self.carry != self.flags:
            raise Unsupported(f"condition {code} of two operations")
        return self.flags

    def decided(self, pool: Pool, asked: Condition) -> Condition | bool:
        """The condition, in the light of facts."""
        base = positive(asked)
        if base in self.facts:
            return self.facts[base] is (base == asked)
        known = implied(base, self.facts.items())
        if known is not None:
            return known is (base == asked)
        if asked.flags.kind != "cmp" or not self.equal:
            return asked
        left, right = asked.flags.left, asked.flags.right
        assert left is not None
        assert right is not None
        found = condition(pool, asked.code, Flags("cmp", self.simplest(pool, left), self.simplest(pool, right)))
        return found if isinstance(found, bool) else asked

    def simplest(self, pool: Pool, value: Value) -> Value:
        """The value with words that are known to equal a constant replaced."""
        if value in self.equal:
            return self.equal[value]
        if value.leaf or not self.equal:
            return value
        args = [self.simplest(pool, a) if isinstance(a, Value) else a for a in value.args]
        return value if list(value.args) == args else rebuilt(pool, value, args)

    def assume(self, pool: Pool, asked: Condition, holds: bool) -> None:
        """The path goes on where the condition turned out so."""
        base = positive(asked)
        truth = holds is (base == asked)
        self.facts[base] = truth
        for word, known in ((base, truth), (base.opposite, not truth)):
            if (made := pool.found("set", word)) is not None:
                self._replace(made, pool.const(int(known)))
        if base.code != "e" or base.flags.kind != "cmp" or not truth:
            return
        left, right = base.flags.left, base.flags.right
        assert left is not None
        assert right is not None
        if right.immediate and not left.immediate:
            self._replace(left, right)

    def _replace(self, word: Value, known: Value) -> None:
        """The path has shown what a word is."""
        self.equal[word] = known
        self.registers = {name: known if v is word else v for name, v in self.registers.items()}
        self.slots = {at: known if v is word else v for at, v in self.slots.items()}


def positive(asked: Condition) -> Condition:
    """Of a condition and its opposite, the one that facts are kept by."""
    return asked if CONDITIONS.index(asked.code) % 2 == 0 else asked.opposite


def rebuilt(pool: Pool, value: Value, args: list[object]) -> Value:
    """The same operation on other arguments, simplified."""
    first, second = (*args, None)[:2]
    if not isinstance(first, Value):
        return value
    if value.op in ("add", "sub", "and", "or", "xor", "mul"):
        assert isinstance(second, Value)
        return binary(pool, value.op, first, second)
    if value.op in ("shl", "shr", "sar"):
        assert isinstance(second, int)
        return shifted(pool, value.op, first, second)
    if value.op == "signed":
        assert isinstance(second, int)
        return signed_part(pool, first, second)
    if value.op in ("neg", "not"):
        return negated(pool, first) if value.op == "neg" else inverted(pool, first)
    return value
