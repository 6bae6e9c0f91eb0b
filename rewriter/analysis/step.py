"""One instruction seen from the state before it: operands read as values, results written back (§4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rewriter.analysis.memory import address_of, load_taints, reach, ref_at, stack_range
from rewriter.analysis.readonly import ReadOnly
from rewriter.analysis.state import EVERYTHING, Range, State
from rewriter.analysis.value import REGISTERS, SOMEWHERE_ON_STACK, WORD, Opaque, Place, Value, constant, signed
from rewriter.ir import ABSOLUTE, Insn, RefKind
from rewriter.x86.decode import Decoded, Imm, Mem, Reg
from rewriter.x86.effects import ANYWHERE
from rewriter.x86.operands import Operand

# Parts of registers: name → (register, lowest byte).
PARTS: dict[str, tuple[str, int]] = {name: (name, 0) for name in REGISTERS}
PARTS |= {name[1:]: (name, 0) for name in REGISTERS}
for _letter in "acdb":
    PARTS |= {f"{_letter}l": (f"e{_letter}x", 0), f"{_letter}h": (f"e{_letter}x", 1)}
_BIAS = 128  # bytes by which an index may count from below the object: array[i - 1]
# String instructions that move esi or edi by this many bytes a round, and ask for no condition.
UNITS = {f"{name}{size}": n for name in ("movs", "stos") for size, n in (("b", 1), ("w", 2), ("d", 4))}


@dataclass(slots=True)
class Step:
    """Instruction `site` of block `label`; the methods read and change `state`."""

    label: str
    site: int
    insn: Insn
    decoded: Decoded
    state: State
    returns: tuple[int, ...]  # offsets of the return addresses on the stack
    steady: bool = False  # an access that may go anywhere leaves this stack alone
    bounds: set[int] = field(default_factory=set)  # slots of saved registers that have bounded something
    readonly: ReadOnly | None = None  # words that nobody changes

    def address(self, mem: Mem) -> Value:
        return address_of(self.insn, self.decoded, mem, self.state)

    def touched(self, mem: Mem, size: int | None) -> Range | None:
        """The stack bytes that this access may touch besides the escaped ones."""
        if (mem, size) == ANYWHERE:
            return None if self.steady or self._maps_memory() else EVERYTHING
        if mem.segment in ("fs", "gs"):
            return None
        found = stack_range(self.address(mem), self.repeated() if size is None else size)
        return self._object(mem) or found if found == EVERYTHING and size is not None else found

    def _maps_memory(self) -> bool:
        """Whether it only changes what lies at an address (`mov cr3, eax`): not on the stack, on which it goes on."""
        return self.decoded.mnemonic in ("mov", "invlpg")

    def exact(self, mem: Mem, size: int | None) -> bool:
        """Whether it certainly touches all of these bytes."""
        return (mem, size) != ANYWHERE and self.address(mem).slot is not None

    def _object(self, mem: Mem) -> Range | None:
        """An index into an object of the frame stays in it, as everywhere in C: the bytes from esp up to the next
        saved register or return address, where the displacement names a place among them."""
        known = [self.state.places[r].slot for r in (mem.base, mem.index if mem.scale == 1 else None) if r]
        slots = [slot + mem.disp for slot in known if slot is not None]
        tainted = sum(self.state.places[r].on_stack for r in (mem.base, mem.index) if r)
        esp = self.state.esp
        if len(slots) != 1 or tainted != 1 or esp is None or self.insn.refs:
            return None
        saved = self.state.saved()
        high = min((place for place in (*self.returns, *saved) if place >= esp), default=esp)
        if not esp - _BIAS <= slots[0] < high:
            return None
        self.bounds.update(saved)
        return esp, high

    def repeated(self) -> int | None:
        """Bytes that a string instruction under `rep` moves or fills, where its count is known; upwards, since the
        direction flag is clear by convention wherever a function begins, and where one sets it nothing is known."""
        count = self.state.places["ecx"].constant
        unit = UNITS.get(self.decoded.mnemonic)
        if self.decoded.prefixes != ("rep",) or count is None or unit is None or not self.state.upward:
            return None
        return count * unit

    def read(self, operand: Operand, into: str | None = None) -> Value | None:
        """The operand's value, zero-extended if it is narrow; None if nothing is known of it.  `into`: the register
        that will hold it, after which a word that has no name yet is called."""
        if isinstance(operand, Imm):
            ref = ref_at(self.insn, self.decoded.imm_offset)
            if ref is None:
                return constant(operand.value)
            return self._named(Value(ref.target, ref.addend & 0xFFFFFFFF)) if ref.kind is RefKind.ABS32 else None
        if isinstance(operand, Mem):
            return self._load(operand, into)
        if operand.name not in PARTS:
            return None
        register, byte = PARTS[operand.name]
        return _part(self.state.places[register], byte, operand.size)

    def _named(self, address: Value) -> Value:
        """An address that the instruction names; where it is that of a word, it is not 0."""
        if address.label == ABSOLUTE:
            return constant(address.offset)
        if self.readonly is not None and self.readonly.holds(address):
            self.state.nonzero |= {address}
        return address

    def _load(self, mem: Mem, into: str | None = None) -> Value | None:
        """An unknown word in a slot gets a name, so that a second load sees that it is the same."""
        address = self.address(mem)
        slot = address.slot
        if slot is None or mem.segment in ("fs", "gs"):
            self.touched(mem, mem.size)  # notes what bounds it
            return self.constant_word(mem, address)
        for byte in range(WORD):
            value = self.state.places.get(slot - byte)
            if value not in (None, SOMEWHERE_ON_STACK) and byte + mem.size <= WORD:
                assert value is not None
                return _part(value, byte, mem.size)
        if mem.size != WORD or self._escaped((slot, slot + WORD)):
            return None
        value = self.state.places[slot] = self.define(
            into or f"loaded {slot}", load_taints(self.state, (slot, slot + WORD))
        )
        return value

    def constant_word(self, mem: Mem, address: Value) -> Value | None:
        """What a memory operand reads, where that is read-only data; a load that may fault reads nothing of ours."""
        if self.readonly is None or mem.segment is not None or self.insn.faults_to is not None:
            return None
        return self.readonly.word(address, mem.size)

    def _escaped(self, touched: Range) -> bool:
        return any(low < touched[1] and touched[0] < high for low, high in self.state.escaped)

    def taints(self, *operands: Operand) -> bool:
        """Whether a result of these operands may be an address of this stack."""
        return any(self._taints(operand) for operand in operands)

    def _taints(self, operand: Operand) -> bool:
        if isinstance(operand, Reg):
            return operand.name in PARTS and self.state.places[PARTS[operand.name][0]].on_stack
        return isinstance(operand, Mem) and load_taints(self.state, self.touched(operand, operand.size))

    def define(self, place: Place, stack: bool = False) -> Value:
        """A new name for what this instruction leaves in `place`."""
        return Value(Opaque(self.label, self.site, place, stack))

    def write(self, operand: Operand, value: Value | None, stack: bool = False) -> None:
        """Put a value into a register or memory; None is a new word, of an address of this stack if `stack`."""
        if isinstance(operand, Mem):
            self.store(operand, operand.size, value, stack)
        elif isinstance(operand, Reg) and operand.name in PARTS:
            register, byte = PARTS[operand.name]
            if operand.size < WORD:
                stack = stack or self.state.places[register].on_stack
                value = _merged(self.state.places[register], byte, operand.size, value)
            if value is None or (register == "esp" and not value.on_stack):
                value = self.define(register, stack or register == "esp")
            self.state.places[register] = value

    def store(self, mem: Mem, size: int | None, value: Value | None, stack: bool) -> None:
        """Write to memory; `stack`: an unknown value may be an address of this stack."""
        touched = self.touched(mem, size)
        if touched is None:
            if stack or (value is not None and value.on_stack):
                self.escape([value if value is not None else None])
            self.state.kill_escaped()
            return
        exact = touched != EVERYTHING and self.exact(mem, size)
        if exact:
            self.state.kill_slots(*touched)
        else:
            self.state.blur_slots(*touched)
        if (not exact or size != WORD or self._escaped(touched)) and (stack or (value is not None and value.on_stack)):
            self.escape([value])
        if exact and size == WORD and not self._escaped(touched):
            self.state.places[touched[0]] = value if value is not None else self.define(touched[0], stack)

    def fill(self, slot: int, value: Value) -> None:
        """A word that a store of several words leaves in one slot."""
        if not self._escaped((slot, slot + WORD)):
            self.state.places[slot] = value

    def escape(self, values: Iterable[Value | None]) -> None:
        """These addresses (None: some address of this stack) get into other hands."""
        for value in values:
            if value is not None:
                self.bounds.update(self.state.saved())
            self.escape_bytes(reach(value, self.state, self.returns) if value is not None else EVERYTHING)

    def escape_bytes(self, touched: Range) -> None:
        """Others may touch these bytes from now on, and whatever the addresses lead to that lie there."""
        pending = [touched]
        while pending:
            low, high = found = pending.pop()
            if found in self.state.escaped:
                continue
            self.state.escaped |= {found}
            pending += [
                reach(held, self.state, self.returns)
                for slot, held in self.state.places.items()
                if isinstance(slot, int) and low - WORD < slot < high and held.on_stack
            ]
        self.state.kill_escaped()

    def push(self, value: Value | None, stack: bool = False) -> None:
        self.move_esp(-WORD)
        self.store(Mem("esp"), WORD, value, stack)

    def pop(self) -> Value | None:
        """The word at esp, which then moves up; None if it is not known."""
        value = self._load(Mem("esp"))
        self.move_esp(WORD)
        return value

    def move_esp(self, distance: int) -> None:
        self.state.places["esp"] = self.state.places["esp"].plus(distance)


def _part(value: Value, byte: int, size: int) -> Value | None:
    if size == WORD:
        return value if byte == 0 else None
    number = value.constant
    return None if number is None else constant(number >> (8 * byte) & ((1 << 8 * size) - 1))


def _merged(whole: Value, byte: int, size: int, part: Value | None) -> Value | None:
    if whole.constant is None or part is None or part.constant is None:
        return None
    mask = ((1 << 8 * size) - 1) << (8 * byte)
    return constant(whole.constant & ~mask | part.constant << (8 * byte) & mask)


def widened(value: Value | None, size: int, is_signed: bool) -> Value | None:
    """A narrow constant extended to 32 bits."""
    if value is None or value.constant is None:
        return None
    return constant(signed(value.constant, size) if is_signed else value.constant)
