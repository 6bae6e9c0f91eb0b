"""What each mnemonic does to what is known (§4.2).

A mnemonic without a rule of its own costs precision only: whatever its effects may write is unknown afterwards.
A rule returns False to leave an odd form to `anything`.
"""

from __future__ import annotations

from typing import Final

from rewriter.analysis.arithmetic import CONDITIONS, condition_of
from rewriter.analysis.memory import load_taints
from rewriter.analysis.rules_arithmetic import ARITHMETIC, Rule
from rewriter.analysis.step import UNITS, Step
from rewriter.analysis.value import REGISTERS, SOMEWHERE, SOMEWHERE_ON_STACK, WORD, constant
from rewriter.x86.anatomy import STRING_OPCODES
from rewriter.x86.decode import Mem, Reg
from rewriter.x86.effects import DF, FLAGS, effects, register_mask

_MOST_FILLED: Final = 64  # bytes filled by `rep stos` that are remembered
_MASKS = {name: register_mask(name) for name in REGISTERS}


def anything(step: Step) -> None:
    """By effects alone: what may be written is unknown."""
    found = effects(step.insn)
    sources = [o for o in step.decoded.operands if isinstance(o, Reg)]
    stack = step.taints(Reg("eax", WORD), *sources)
    stack = stack or any(load_taints(step.state, step.touched(mem, size)) for mem, size in found.loads)
    for mem, size in found.stores:
        step.store(mem, size, None, stack)
    if step.decoded.opcode in STRING_OPCODES:
        stack = stack or step.taints(Reg("esi", WORD), Reg("edi", WORD))  # they move on from where they pointed
    esp = step.state.places["esp"]
    for register in REGISTERS:
        if found.may_write & _MASKS[register]:
            step.state.places[register] = step.define(register, stack or register == "esp")
    if found.esp_change is not None:
        step.state.places["esp"] = esp.plus(found.esp_change)
    if found.may_write & FLAGS:
        step.state.flags = None
    if found.may_write & DF:
        step.state.upward = step.decoded.mnemonic == "cld"


def unruled(step: Step, _: int) -> bool:
    return False


def string(step: Step, _: int) -> bool:
    """`rep movs` and `rep stos` of a known count; slots that are filled hold what fills them."""
    moved, unit = step.repeated(), UNITS.get(step.decoded.mnemonic)
    if moved is None:
        return False
    word, pointers = step.state.places["eax"], {name: step.state.places[name] for name in ("esi", "edi")}
    fills = step.decoded.mnemonic.startswith("stos")
    anything(step)
    if fills and unit == WORD and pointers["edi"].slot is not None:
        for offset in range(0, min(moved, _MOST_FILLED), WORD):
            step.fill(pointers["edi"].slot + offset, word)
    for name in ("edi",) if fills else ("esi", "edi"):
        step.state.places[name] = pointers[name].plus(moved)
    step.state.places["ecx"] = constant(0)
    return True


def _mov(step: Step, _: int) -> bool:
    target, source = step.decoded.operands
    stack = step.taints(source)
    into = target.name if isinstance(target, Reg) and target.size == WORD else None
    step.write(target, step.read(source, into), stack)
    return True


def _lea(step: Step, _: int) -> bool:
    target, mem = step.decoded.operands
    if not isinstance(mem, Mem) or target.size != WORD:
        return False
    address = step.address(mem)
    known = address.base not in (SOMEWHERE.base, SOMEWHERE_ON_STACK.base)
    step.write(target, address if known else None, address.on_stack)
    return True


def _push(step: Step, _: int) -> bool:
    (source,) = step.decoded.operands
    if source.size != WORD:
        return False
    value, stack = step.read(source), step.taints(source)
    step.push(value, stack)
    return True


def _pop(step: Step, _: int) -> bool:
    (target,) = step.decoded.operands
    if target.size != WORD:
        return False
    stack = step.taints(Mem("esp"))
    value = step.pop()
    step.write(target, value, stack)
    return True


def _leave(step: Step, _: int) -> bool:
    step.state.places["esp"] = step.state.places["ebp"]
    stack = step.taints(Mem("esp"))
    value = step.pop()
    step.write(Reg("ebp", WORD), value, stack)
    return True


def _exchange(step: Step, _: int) -> bool:
    first, second = step.decoded.operands
    if not (isinstance(first, Reg) and isinstance(second, Reg)) or first.size != WORD or second.size != WORD:
        return False
    left, right = step.read(first), step.read(second)
    step.write(first, right)
    step.write(second, left)
    return True


def _set(step: Step, _: int) -> bool:
    decision = step.state.decide(condition_of(step.decoded.mnemonic))
    step.write(step.decoded.operands[0], None if decision is None else constant(int(decision)))
    return True


def _select(step: Step, _: int) -> bool:
    """cmovcc."""
    target, source = step.decoded.operands
    if target.size != WORD:
        return False
    decision = step.state.decide(condition_of(step.decoded.mnemonic))
    left, right = step.read(target), step.read(source)
    if decision is not False and not (decision is None and left is not None and left == right):
        step.write(target, right if decision else None, step.taints(target, source))
    return True


def _nothing(step: Step, _: int) -> bool:
    return True


RULES: dict[str, Rule] = {
    "mov": _mov,
    "lea": _lea,
    "push": _push,
    "pop": _pop,
    "leave": _leave,
    **ARITHMETIC,
    "xchg": _exchange,
    "nop": _nothing,
    **{f"set{condition}": _set for condition in CONDITIONS},
    **{f"cmov{condition}": _select for condition in CONDITIONS},
}
