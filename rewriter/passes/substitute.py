"""An instruction's operands replaced by constants, by registers that hold the same word, by plainer addresses."""

from __future__ import annotations

from rewriter.analysis.memory import address_of, ref_at
from rewriter.analysis.readonly import ReadOnly
from rewriter.analysis.state import State
from rewriter.analysis.transfer import operand_value
from rewriter.analysis.value import WORD, Value, signed
from rewriter.ir import Insn
from rewriter.passes.results import holder
from rewriter.passes.rewrite import immediate, memory_text, rebuilt
from rewriter.x86.decode import Decoded, Imm, Mem, Reg
from rewriter.x86.effects import effects
from rewriter.x86.encode import call
from rewriter.x86.flow import Flow, flow
from rewriter.x86.operands import Operand

# Operands that are only read, and may be a register, a slot or a number alike.
_SOURCES = {
    "mov": (1,),
    "push": (0,),
    **dict.fromkeys(("add", "adc", "sub", "sbb", "and", "or", "xor", "imul"), (1,)),
    **dict.fromkeys(("cmp", "test"), (0, 1)),
}


def substituted(insn: Insn, decoded: Decoded, state: State, readonly: ReadOnly) -> list[Insn] | None:
    """The instruction with better operands; None if there are none."""
    if flow(insn.raw) is Flow.CALL_INDIRECT:
        return _direct_call(insn, decoded, state, readonly)
    if effects(insn).fixed or flow(insn.raw) is not Flow.NEXT:
        return None
    texts = {
        n: text
        for n, operand in enumerate(decoded.operands)
        if (text := _better(insn, decoded, n, operand, state, readonly))
    }
    if decoded.mnemonic == "imul" and len(decoded.operands) != 2:
        texts = {}
    made = rebuilt(insn, texts) if texts else None
    return None if made is None or (made.raw, made.refs) == (insn.raw, insn.refs) else [made]


def _direct_call(insn: Insn, decoded: Decoded, state: State, readonly: ReadOnly) -> list[Insn] | None:
    value = operand_value(insn, decoded.operands[0], state, readonly)
    if value is None or value.label is None or value.offset:
        return None
    made = call(value.label)
    return [Insn(made.raw, made.refs, insn.origin)]


def _better(
    insn: Insn, decoded: Decoded, position: int, operand: Operand, state: State, readonly: ReadOnly
) -> str | None:
    """Other text for one operand; None if it is best as it is."""
    if isinstance(operand, Imm) or operand.size not in (0, 1, 2, WORD):
        return None
    if decoded.mnemonic == "pop":
        return None  # computes its address with the esp behind it
    source = position in _SOURCES.get(decoded.mnemonic, ()) and operand.size == WORD
    if isinstance(operand, Reg):
        if not source or operand.name == "esp":
            return None
        return _source(insn, decoded, position, operand_value(insn, operand, state), state, operand)
    slot = address_of(insn, decoded, operand, state).slot
    if slot is not None:
        text = _source(insn, decoded, position, operand_value(insn, operand, state), state) if source else None
        return text or _by_esp(operand, slot, state)
    word = operand_value(insn, operand, state, readonly) if source else None
    return (word and _source(insn, decoded, position, word, state)) or _plainer(insn, decoded, operand, state)


def _source(
    insn: Insn, decoded: Decoded, position: int, value: Value | None, state: State, mine: Reg | None = None
) -> str | None:
    """A number or a register in place of a read-only operand."""
    if value is None:
        return None
    number = immediate(value) if position == len(decoded.operands) - 1 else None
    if number is not None and not (decoded.mnemonic == "test" and decoded.operands[0] == decoded.operands[1]):
        return number
    copy = holder(value, state)
    return None if copy is None or (mine is not None and copy == mine.name) else copy


def _by_esp(mem: Mem, slot: int, state: State) -> str | None:
    """A slot addressed through another register than esp."""
    if (mem.base == "esp" and mem.index is None) or state.esp is None:
        return None
    return memory_text(Mem("esp", disp=slot - state.esp, size=mem.size), None)


def _plainer(insn: Insn, decoded: Decoded, mem: Mem, state: State) -> str | None:
    """The same address through the register in which it was born, or with known parts folded into it."""
    if mem.segment or mem.base == "esp" or decoded.mnemonic == "lea":
        return None
    ref = ref_at(insn, decoded.disp_offset)
    address = address_of(insn, decoded, mem, state)
    if mem.index is None and address.label is not None and mem.base is not None:
        return memory_text(Mem(size=mem.size), None).replace("0x0", immediate(address) or "")
    index = mem.index and (holder(state.places[mem.index], state) or mem.index)
    if mem.base is None or ref is not None:
        return memory_text(Mem(mem.base, index, mem.scale, mem.disp, mem.size), ref) if index != mem.index else None
    base, distance = _born_near(state.places[mem.base], state) or (mem.base, 0)
    if (base, index) == (mem.base, mem.index):
        return None
    return memory_text(Mem(base, index, mem.scale, mem.disp + distance, mem.size), None)


def _born_near(value: Value, state: State) -> tuple[str, int] | None:
    """A register in which the base of this value was born and still is, and the distance from it."""
    copy = holder(value, state)
    home = holder(Value(value.base, 0), state) if value.base is not None else None
    if home is not None and copy != home:
        return home, signed(value.offset)
    return (copy, 0) if copy is not None else None
