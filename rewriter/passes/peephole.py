"""Short sequences with a shorter equal (§2, §4.2).

    lea esp, [esp - 4]; lea esp, [esp + 8]    ⇒    lea esp, [esp + 4]
    lea esp, [esp + 0], mov eax, eax          ⇒    (nothing)
    mov ecx, [eax + 8]; or edx, ecx           ⇒    or edx, [eax + 8]            ; ecx is not needed afterwards
    mov ecx, [eax + 8]; test ecx, ecx         ⇒    cmp dword ptr [eax + 8], 0   ; the same flags
    mov ecx, eax; mov [esp + 4], ecx          ⇒    mov [esp + 4], eax

A load moves over no other access to memory, and what may fault on user memory takes no part.
"""

from __future__ import annotations

from rewriter.analysis.liveness import Touch
from rewriter.ir import Block, Insn
from rewriter.passes.flatten import moved
from rewriter.passes.rewrite import operand_text, rebuilt
from rewriter.passes.work import Work
from rewriter.x86.decode import Imm, Mem, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import Flow, flow

NAME = "peephole"
WORD = 4
_ESP = register_mask("esp")
# Which operand may be what the register was loaded from, and of what kind it may be.
_FOLDS = {
    **dict.fromkeys(("add", "adc", "sub", "sbb", "and", "or", "xor", "imul"), 1),
    **dict.fromkeys(("cmp", "mov"), 1),
}


def peephole(work: Work) -> None:
    """Apply the rules until none applies."""
    while _round(work):
        pass


def _round(work: Work) -> bool:
    values = work.values()
    live = work.liveness(values)
    changed = False
    for block in work.function.blocks:
        if block.label not in values.states:
            continue
        found = _adjust(block) or _fold(block, live.touches(block.label), live.after(block.label))
        if found is not None:
            block.insns = found
            work.outcome.did(NAME, work.name, block.label, "a shorter sequence")
            changed = True
    return changed


def _adjust(block: Block) -> list[Insn] | None:
    """Moves of esp side by side, and instructions that do nothing."""
    kept: list[Insn] = []
    for insn in block.insns:
        if _idle(insn):
            continue
        last = kept[-1] if kept else None
        if last is not None and (first := _distance(last)) is not None and (second := _distance(insn)) is not None:
            kept[-1:] = moved(first + second)
        else:
            kept.append(insn)
    return kept if len(kept) < len(block.insns) else None


def _distance(insn: Insn) -> int | None:
    """n of `lea esp, [esp + n]`; None for everything else."""
    decoded = decode(insn.raw)
    return effects(insn).esp_change if decoded.mnemonic == "lea" and effects(insn).may_write == _ESP else None


def _idle(insn: Insn) -> bool:
    if insn.faults_to is not None or flow(insn.raw) is not Flow.NEXT:
        return False
    decoded = decode(insn.raw)
    if decoded.mnemonic == "mov":
        first, second = decoded.operands
        return first == second and isinstance(first, Reg) and first.size == WORD
    if decoded.mnemonic == "lea" and not insn.refs:
        target, mem = decoded.operands
        return isinstance(target, Reg) and mem == Mem(target.name, size=0)
    return decoded.mnemonic == "nop"


def _fold(block: Block, touches: list[Touch], after: list[int]) -> list[Insn] | None:
    """Put what a register is loaded from in the place of its only use."""
    for first, insn in enumerate(block.insns):
        decoded = decode(insn.raw)
        target = decoded.operands[0] if decoded.operands else None
        if decoded.mnemonic != "mov" or decoded.prefixes or insn.faults_to is not None:
            continue
        if not isinstance(target, Reg) or target.size != WORD or target.name == "esp":
            continue
        try:
            mask = register_mask(target.name)
        except KeyError:
            continue
        second = _only_use(block, touches, after, first, mask)
        made = _folded(insn, block.insns[second], target.name) if second is not None else None
        if second is not None and made is not None:
            return [*block.insns[:first], *block.insns[first + 1 : second], made, *block.insns[second + 1 :]]
    return None


def _only_use(block: Block, touches: list[Touch], after: list[int], first: int, mask: int) -> int | None:
    """Position of the one instruction that reads the register, if the load may move down to it."""
    load = touches[first]
    for position in range(first + 1, len(block.insns)):
        touch, insn = touches[position], block.insns[position]
        if touch.reads & mask or effects(insn).reads & mask:
            dead = not after[position] & mask or touch.kills & mask == mask
            return position if dead and insn.faults_to is None else None
        if (touch.results | touch.kills) & (load.reads | mask) or effects(insn).may_write & _ESP:
            return None
        if load.elsewhere and (effects(insn).loads or effects(insn).stores):
            return None
        if flow(insn.raw) is not Flow.NEXT:
            return None
    return None


def _folded(load: Insn, use: Insn, register: str) -> Insn | None:
    source = operand_text(load, decode(load.raw), decode(load.raw).operands[1])
    loaded, decoded = decode(load.raw).operands[1], decode(use.raw)
    if decoded.prefixes or effects(use).fixed:
        return None
    if any(isinstance(o, Mem) and register in (o.base, o.index) for o in decoded.operands):
        return None
    mine = [n for n, o in enumerate(decoded.operands) if isinstance(o, Reg) and o.name == register]
    if decoded.mnemonic == "test" and mine == [0, 1] and isinstance(loaded, Mem):
        return rebuilt(use, {0: source, 1: "0"}, "cmp")
    if decoded.mnemonic == "cmp" and mine == [0] and isinstance(loaded, Mem):
        other = decoded.operands[1]
        return None if isinstance(other, Mem) else rebuilt(use, {0: source})
    if mine != [1] or _FOLDS.get(decoded.mnemonic) != 1 or len(decoded.operands) != 2:
        return None
    target = decoded.operands[0]
    if isinstance(target, Mem) and isinstance(loaded, Mem):
        return None
    if decoded.mnemonic == "imul" and isinstance(loaded, Imm):
        return None
    return rebuilt(use, {1: source})
