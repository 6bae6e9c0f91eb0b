"""Which stack bytes a memory operand may touch, and whose address gets into other hands (§4.2, §5.7)."""

from __future__ import annotations

from collections.abc import Iterable

from rewriter.analysis.state import EVERYTHING, Range, State
from rewriter.analysis.value import CURRENT, SOMEWHERE, SOMEWHERE_ON_STACK, TASK, WORD, Value, constant, signed
from rewriter.ir import ABSOLUTE, Insn, Ref, RefKind
from rewriter.x86.decode import Decoded, Mem


def ref_at(insn: Insn, offset: int | None) -> Ref | None:
    """The reference that replaces the field at `offset`."""
    for ref in insn.refs:
        if ref.offset == offset:
            return ref
    return None


def address_of(insn: Insn, decoded: Decoded, mem: Mem, state: State) -> Value:
    """The address of a memory operand; SOMEWHERE or SOMEWHERE_ON_STACK where it is not known."""
    explicit = mem in decoded.operands  # the slot that a push writes has no field
    ref = ref_at(insn, decoded.disp_offset) if explicit else None
    total = constant(mem.disp)
    if ref is not None:
        named = Value(None if ref.target == ABSOLUTE else ref.target, ref.addend & 0xFFFFFFFF)
        total = named if ref.kind is RefKind.ABS32 else SOMEWHERE
    for register, scale in ((mem.base, 1), (mem.index, mem.scale)):
        if register is not None:
            total = _sum(total, state.places.get(register, SOMEWHERE), scale)
    return total


def _sum(total: Value, term: Value, scale: int) -> Value:
    if term.constant is not None:
        return total.plus(term.constant * scale)
    if scale == 1 and total.constant is not None:
        return term.plus(total.constant)
    stack = total.on_stack or term.on_stack or _above_task(total) or _above_task(term)
    return SOMEWHERE_ON_STACK if stack else SOMEWHERE


def _above_task(address: Value) -> bool:
    """Whether an address counted from the bottom of the stack lies beyond the task there, perhaps among the registers
    that were saved at the top.  An index into the task stays in it, as any index into an object of C does."""
    return address.base == CURRENT and not 0 <= signed(address.offset) < TASK


def stack_range(address: Value, size: int | None) -> Range | None:
    """The stack bytes that an access of `size` bytes (None: unbounded) may touch besides the escaped ones."""
    if address.slot is not None and size is not None:
        return address.slot, address.slot + size
    if _above_task(address):
        return EVERYTHING
    return EVERYTHING if address.on_stack else None


def load_taints(state: State, touched: Range | None) -> bool:
    """Whether a word loaded from there may be an address of this stack.  A slot of which nothing is known holds
    none (see State)."""
    if touched is None:
        return False
    return touched == EVERYTHING or any(
        value.on_stack for slot in range(touched[0] - WORD + 1, touched[1]) if (value := state.places.get(slot))
    )


def reach(address: Value, state: State, returns: Iterable[int]) -> Range:
    """The stack bytes that whoever holds this address may touch.

    An object lies in one frame: between the esp of now and the next return address above it, or among the
    arguments above the last one; and it holds no register that the function saved.  `returns` are the offsets of the
    return addresses on the stack, 0 among them.
    """
    slot, esp = address.slot, state.esp
    if slot is None or esp is None or slot < esp or any(slot in range(place, place + WORD) for place in returns):
        return EVERYTHING
    low, high = esp, EVERYTHING[1]
    for place in (*returns, *state.saved()):
        if place < slot:
            low = max(low, place + WORD)
        elif place > slot:
            high = min(high, place)
    return low, high
