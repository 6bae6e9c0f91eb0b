"""One instruction of a path: its operands as values, stack slots among them; its effects on memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.analysis.memory import ref_at
from rewriter.analysis.state import EVERYTHING, Range, cover
from rewriter.analysis.step import PARTS, Step
from rewriter.analysis.value import Value as Known
from rewriter.analysis.value import signed
from rewriter.ir import ABSOLUTE, Insn, RefKind
from rewriter.reasons import Reason, Why
from rewriter.region.algebra import binary, merged, part, shifted
from rewriter.region.exits import Exits
from rewriter.region.flag import Flags, Unsupported
from rewriter.region.state import State
from rewriter.region.tree import Effect, Exit, Kind
from rewriter.region.value import WORD, Pool, Value, inside
from rewriter.x86.decode import Decoded, Imm, Mem
from rewriter.x86.operands import Operand

Place = int | Value  # a stack slot by its offset, or an address


@dataclass(slots=True)
class Moment:
    """The rules read and change `state`, and append to `effects`.  `step` is the same instruction as the analyses see
    it, `reached` the stack bytes that others may reach behind it on some way; `before` the state in which a fault finds
    us."""

    pool: Pool
    exits: Exits
    state: State
    effects: list[Effect]
    step: Step
    reached: frozenset[Range]
    faults: float  # how often it is expected to fault
    count: int  # of effects so far, in the whole tree
    stack_size: int
    before: State = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.state.copy()

    @property
    def insn(self) -> Insn:
        return self.step.insn

    @property
    def decoded(self) -> Decoded:
        return self.step.decoded

    @property
    def escaped(self) -> frozenset[Range]:
        """The stack bytes that others may reach: none, as long as this path has given no address away."""
        return self.reached if self.state.leaked else frozenset()

    def give_away(self, *values: Value) -> None:
        """Somebody else gets to know these values."""
        if self.pool.may_be_stack(*values):
            self.state.leaked = True

    def give_away_words(self, low: int, high: int) -> None:
        """Somebody else reads these stack bytes; what memory alone knows may be an address."""
        state = self.state
        touched = {slot: value for slot, value in state.slots.items() if low < slot + WORD and slot < high}
        self.give_away(*(value for value in touched.values() if value is not None))
        unknown = None in touched.values() or any(cover([lost], low, high) for lost in state.lost)
        state.leaked |= low < high and unknown

    # Operands

    def read(self, operand: Operand) -> Value:
        """Its value, extended by zeros.  Memory is read."""
        if isinstance(operand, Imm):
            ref = ref_at(self.insn, self.decoded.imm_offset)
            return self._named(ref.target, ref.addend, ref.kind) if ref else self.pool.const(operand.value)
        if isinstance(operand, Mem):
            place = self.place(operand)
            known = self._constant_word(operand, place)
            return self.load(place, operand.size) if known is None else known
        if operand.name not in PARTS:
            raise Unsupported(f"register {operand.name}")
        register, byte = PARTS[operand.name]
        whole = self.state.register(self.pool, register)
        return whole if operand.size == WORD else part(self.pool, whole, byte, operand.size)

    def write(self, operand: Operand, value: Value) -> None:
        """Put a value there; of a narrow operand's value the lowest bytes count."""
        if isinstance(operand, Mem):
            self.store(self.place(operand), operand.size, value)
            return
        assert not isinstance(operand, Imm)
        if operand.name not in PARTS:
            raise Unsupported(f"register {operand.name}")
        register, byte = PARTS[operand.name]
        if register == "esp":
            self.move_esp(value)
        elif operand.size == WORD:
            self.state.registers[register] = value
        else:
            old = self.state.registers[register]
            self.state.registers[register] = merged(self.pool, old, byte, operand.size, value)

    def move_esp(self, value: Value) -> None:
        """What it leaves below it is gone."""
        if value.offset is None:
            raise Unsupported("moves esp by what is not a constant")
        self.state.esp = value.offset
        for slot in [slot for slot in self.state.slots if slot < value.offset]:
            del self.state.slots[slot]
        for slot in [slot for slot in self.state.returns if slot < value.offset]:
            del self.state.returns[slot]

    def _named(self, target: str, addend: int, kind: RefKind) -> Value:
        if kind is not RefKind.ABS32:
            raise Unsupported("a relative operand")
        return self._label(target, addend)

    def _label(self, name: str, addend: int) -> Value:
        """An address; where it is that of a word, it is not 0."""
        if name == ABSOLUTE:
            return self.pool.const(addend)
        address, readonly = self.pool.label(name, addend), self.step.readonly
        if readonly is not None and readonly.holds(Known(name, addend % (1 << 32))):
            self.pool.somewhere.add(address)
        return address

    def _constant_word(self, mem: Mem, place: Place) -> Value | None:
        """What a memory operand reads, where that is read-only data."""
        if isinstance(place, int) or place.op != "label":
            return None
        name, addend = place.args
        assert isinstance(name, str)
        assert isinstance(addend, int)
        known = self.step.constant_word(mem, Known(name, addend % (1 << 32)))
        if known is None or known.label is None:
            return None if known is None else self.pool.const(known.offset)
        return self._label(known.label, signed(known.offset))

    def address(self, mem: Mem) -> Value:
        """The sum of its parts."""
        if mem.segment:
            raise Unsupported("a segment override")
        ref = ref_at(self.insn, self.decoded.disp_offset) if mem in self.decoded.operands else None
        total = self._named(ref.target, ref.addend, ref.kind) if ref else self.pool.const(mem.disp)
        for register, scale in ((mem.base, 1), (mem.index, mem.scale)):
            if register:
                value = self.state.register(self.pool, register)
                total = binary(self.pool, "add", shifted(self.pool, "shl", value, scale.bit_length() - 1), total)
        return total

    # Memory

    def place(self, mem: Mem) -> Place:
        """The stack slot that an operand names, else its address, which is not on this stack."""
        address = self.address(mem)
        if address.offset is not None:
            return address.offset
        touched = self.step.touched(mem, mem.size)
        if touched is None or (touched == EVERYTHING and self.elsewhere(address)):
            self.by_segment()
            return address
        if touched == EVERYTHING or touched[1] - touched[0] != mem.size:
            raise Unsupported("touches the stack at an unknown place")
        return touched[0]

    def elsewhere(self, address: Value) -> bool:
        """Whether an address is certainly not on this stack, though on other paths it might be: as long as this path
        has given none away, nobody else can have one."""
        if self.state.leaked:
            return False
        return not self.pool.may_be_stack(address) and not any(v.op == "current" for v in inside(address))

    def by_segment(self) -> None:
        """Memory that is not on this stack is found by ds or es."""
        if self.state.segments is not None and not self.state.segments.name_memory():
            raise Unsupported("memory by the program's segments")

    def virtual(self, place: Place, size: int) -> bool:
        """Whether this is a stack slot whose word is a value."""
        if not isinstance(place, int):
            return False
        word = place & -WORD
        if not 0 < place - word + size <= WORD:
            raise Unsupported("a word across two stack slots")
        if word == 0:
            raise Unsupported("uses its return address")
        if word in self.state.slots:
            return self.state.slots[word] is not None
        return not any(cover([lost], word, word + WORD) for lost in self.state.lost)

    def slot(self, word: int) -> Value:
        """The value of a virtual slot."""
        found = self.state.slots.get(word)
        if found is None and word < 0:
            raise Unsupported("reads a stack word that nobody wrote")
        value = found if found is not None else self.pool.make("given", word)
        return self.state.equal.get(value, value)

    def load(self, place: Place, size: int) -> Value:
        """What stands there, extended by zeros."""
        if self.virtual(place, size):
            assert isinstance(place, int)
            word = place & -WORD
            whole = self.slot(word)
            return whole if size == WORD else part(self.pool, whole, place - word, size)
        effect = self.effect("load", size=size, address=self._where(place), below=self._below(place))
        narrow = () if size == WORD else (size,)
        effect.result = self.pool.make("result", effect.number, "", *narrow)
        if isinstance(place, int):
            self.pool.from_stack.add(effect.result)
        else:
            self.settle(kills=False)
        self.effects.append(effect)
        return effect.result

    def store(self, place: Place, size: int, value: Value) -> None:
        if isinstance(place, int):
            word = place & -WORD
            if place < self.state.esp:
                raise Unsupported("writes below esp")
            is_virtual = self.virtual(place, size)
            if size == WORD:
                self.state.slots[word] = value
                return
            if is_virtual:
                fresh = word < 0 and word not in self.state.slots  # its other bytes may be anything
                old = self.pool.const(0) if fresh else self.slot(word)
                self.state.slots[word] = merged(self.pool, old, place - word, size, value)
                return
        else:
            self.give_away(value)
            self.settle(kills=False)
        where, below = self._where(place), self._below(place)
        self.effects.append(self.effect("store", size=size, address=where, value=value, below=below))
        if not isinstance(place, int):
            self.settle(kills=True)

    def change(self, place: Place, size: int, name: str, value: Value | None) -> None:
        """An instruction that reads, changes and writes memory in one; the flags are in the processor then."""
        if not isinstance(place, int):
            self.give_away(*([value] if value is not None else []))
            self.settle(kills=False)
        where, below = self._where(place), self._below(place)
        effect = self.effect("change", name=name, size=size, address=where, value=value, below=below)
        self.effects.append(effect)
        if not isinstance(place, int):
            self.settle(kills=True)
        self.state.set_flags(Flags("effect", effect=effect.number))

    def _where(self, place: Place) -> Value:
        return self.pool.stack(place) if isinstance(place, int) else place

    def _below(self, place: Place) -> int | None:
        return self.state.esp if isinstance(place, int) else None

    def settle(self, *, kills: bool, also: tuple[Range, ...] = ()) -> None:
        """Others may read the escaped stack bytes, and those of `also`, so memory must have them; if `kills`, they
        may have been written, so that memory alone knows them."""
        ranges = (*self.escaped, *also)
        if EVERYTHING in ranges:
            raise Unsupported("a stack address may be anywhere")
        for slot, value in sorted(self.state.slots.items()):
            if value is None or not any(cover([r], slot, slot + WORD) for r in ranges):
                continue
            if kills:
                self.state.slots[slot] = None
            else:
                self.keep(slot, value)
        if kills:
            self.state.lost |= frozenset(ranges)

    def keep(self, slot: int, value: Value) -> None:
        where = self.pool.stack(slot)
        self.effects.append(self.effect("keep", address=where, value=value, below=self.state.esp, faults=False))

    def effect(
        self,
        kind: Kind,
        *,
        name: str = "",
        size: int = WORD,
        address: Value | None = None,
        value: Value | None = None,
        below: int | None = None,
        faults: bool = True,
    ) -> Effect:
        """A new effect of this instruction; the caller appends it."""
        number = self.count
        self.count += 1
        effect = Effect(number, kind, self.insn, name, size, address, value, below=below)
        if faults and below is None and self.insn.faults_to is not None:
            effect.fault = self.fault(self.before)
        return effect

    def fault(self, state: State) -> Exit:
        assert self.insn.faults_to is not None
        return self.exits.leave(self.insn.faults_to, 0, state, Why(Reason.FAULT), self.faults)
