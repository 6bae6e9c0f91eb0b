"""An instruction whose result is known becomes the shortest way to that result, or goes."""

from __future__ import annotations

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.memory import address_of
from rewriter.analysis.state import State, cover
from rewriter.analysis.transfer import operand_value
from rewriter.analysis.value import REGISTERS, WORD, Opaque, Value, signed
from rewriter.ir import Insn
from rewriter.passes.rewrite import assembled, immediate, rebuilt
from rewriter.x86.decode import Decoded, Mem, Reg
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import Flow, flow

_ADDING = ("add", "sub", "inc", "dec")
_GENERAL = [name for name in REGISTERS if name != "esp"]


def known_result(
    insn: Insn, decoded: Decoded, state: State, behind: State, after: int, *, hot: bool = True
) -> list[Insn] | None:
    """What may stand in the instruction's place, given the states around it and what matters after it; None if it
    must stay.  No register but the result changes its value, and no flag that matters.  Where it is not `hot`, one
    more instruction is not too many for a load that goes."""
    found = effects(insn)
    if found.fixed or flow(insn.raw) is not Flow.NEXT:
        return None
    if decoded.mnemonic == "pop":
        return _pop(insn, decoded, state, hot)
    if found.stores:
        return _store(insn, decoded, state)
    if found.may_write & FLAGS & after:
        return None
    free = all(_free(address_of(insn, decoded, mem, state)) for mem, _ in found.loads)
    if decoded.mnemonic.startswith("cmov"):
        return _select(insn, decoded, state, free)
    register = next((r for r in _GENERAL if found.may_write & ~FLAGS == register_mask(r)), None)
    if register is not None and free:
        return _register(insn, decoded, register, state, behind)
    return _set(insn, decoded, state) if decoded.mnemonic.startswith("set") else None


def _free(address: Value) -> bool:
    """Whether a load from there may go: behind a pointer there may be a device."""
    return address.slot is not None or address.label is not None


def _register(insn: Insn, decoded: Decoded, register: str, state: State, behind: State) -> list[Insn] | None:
    value = behind.places[register]
    if value == state.places[register]:
        return []
    number = immediate(value)
    if number is not None:
        line = f"mov {register}, {number}"
    elif (copy := holder(value, state)) is not None:
        line = f"mov {register}, {copy}"
    elif decoded.mnemonic in _ADDING and (place := _nearby(value, register, state)) is not None:
        line = f"lea {register}, [{place}]"
    else:
        return None
    made = assembled(line, insn)
    same = made is not None and (made.raw, made.refs) == (insn.raw, insn.refs)
    return None if made is None or same else [made]


def holder(value: Value, state: State) -> str | None:
    """A register with this value: the one in which it was born, if it is still there."""
    held = [register for register in _GENERAL if state.places[register] == value]
    birth = value.base.place if isinstance(value.base, Opaque) else None
    home = birth.removeprefix("entry ") if isinstance(birth, str) else None
    return home if home in held else held[0] if held else None


def _nearby(value: Value, register: str, state: State) -> str | None:
    """`s + 8`, where another register s is known to be that far from the value."""
    if not isinstance(value.base, Opaque):
        return None
    for other in _GENERAL:
        known = state.places[other]
        if other != register and known.base == value.base and known.base is not None:
            distance = signed(value.offset - known.offset)
            return f"{other} {'-' if distance < 0 else '+'} {abs(distance):#x}"
    return None


def _pop(insn: Insn, decoded: Decoded, state: State, hot: bool) -> list[Insn] | None:
    """`pop r` where r holds the word already; in cold code also where it is known otherwise, so that nobody need store
    it (in hot code `flatten` makes it a mov first)."""
    (target,) = decoded.operands
    if not isinstance(target, Reg) or target.name not in _GENERAL or state.esp is None:
        return None
    word = state.places.get(state.esp)
    if word is None:
        return None
    lines = [f"lea esp, [esp + {WORD}]"]
    if word != state.places[target.name]:
        source = immediate(word) or holder(word, state)
        if hot or source is None:
            return None
        lines.insert(0, f"mov {target.name}, {source}")
    made = [assembled(line, insn) for line in lines]
    return [one for one in made if one is not None]


def _store(insn: Insn, decoded: Decoded, state: State) -> list[Insn] | None:
    """`mov [slot], x` where the slot of this function holds x already; an implied argument's slot may not."""
    target = decoded.operands[0] if decoded.mnemonic == "mov" else None
    if not isinstance(target, Mem) or target.size != WORD:
        return None
    slot = address_of(insn, decoded, target, state).slot
    if slot is None or slot >= 0 or cover(state.escaped, slot, slot + WORD):
        return None
    value = operand_value(insn, decoded.operands[1], state)
    return [] if value is not None and state.places.get(slot) == value else None


def _select(insn: Insn, decoded: Decoded, state: State, free: bool) -> list[Insn] | None:
    """cmovcc on a condition that is known."""
    decision = state.decide(condition_of(decoded.mnemonic))
    if decision is None or (not decision and not free):
        return None
    if not decision:
        return []
    made = rebuilt(insn, {}, "mov")
    return [made] if made else None


def _set(insn: Insn, decoded: Decoded, state: State) -> list[Insn] | None:
    """setcc on a condition that is known."""
    target = decoded.operands[0]
    decision = state.decide(condition_of(decoded.mnemonic))
    if decision is None or not isinstance(target, Reg):
        return None
    made = assembled(f"mov {target.name}, {int(decision)}", insn)
    return [made] if made else None
