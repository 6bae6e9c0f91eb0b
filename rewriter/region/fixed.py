"""Instructions that stay as they are, in their place, with their registers: calls, `rep`, `lock`, cli, div, in …

What they read must stand in the registers that they read it from; what they may write are new words.  Others may
touch escaped stack bytes meanwhile, so memory must have those.
"""

from __future__ import annotations

from dataclasses import replace

from rewriter.analysis.state import EVERYTHING, Range, at_return
from rewriter.analysis.summary import depth_reach
from rewriter.analysis.transfer import Callees
from rewriter.analysis.value import REGISTERS, WORD
from rewriter.region.flag import Flags, Unsupported, rebuildable
from rewriter.region.moment import Moment
from rewriter.region.moves import spread
from rewriter.region.segments import insists
from rewriter.region.tree import Effect
from rewriter.x86.decode import Mem
from rewriter.x86.effects import FLAGS, UNKNOWN, Effects, effects, register_mask
from rewriter.x86.encode import call as direct
from rewriter.x86.flow import Flow, flow

_OTHERS = [name for name in REGISTERS if name != "esp"]
_MASKS = {name: register_mask(name) for name in REGISTERS}
_ESP = _MASKS["esp"]
_MOST_INPUTS = 5
_UNCONDITIONAL = ("movs", "stos", "lods")  # under `rep` they count ecx down to 0


def fixed(m: Moment) -> None:
    """Any instruction that goes on to the next one.  Raises Unsupported."""
    if _does_nothing(m) or spread(m):
        return
    found = effects(m.insn)
    if found == UNKNOWN or flow(m.insn.raw) is not Flow.NEXT:
        raise Unsupported(f"{m.decoded.mnemonic} is not understood")
    if found.may_write & _ESP and found.esp_change is None:
        raise Unsupported(f"{m.decoded.mnemonic} moves esp")
    insisting = m.state.segments is not None and insists(m.decoded, found)
    if found.loads or found.stores:
        m.by_segment()
    read = tuple(_ranges(m, found.loads))
    written = tuple(_ranges(m, found.stores))
    if found.stores:
        m.give_away(*(m.state.registers[r] for r in _OTHERS if found.reads & _MASKS[r] and not _leads(found, r)))
        for low, high in read:
            m.give_away_words(low, high)
    if found.loads or found.stores:
        m.settle(kills=False, also=read)
    effect = m.effect("fixed", faults=False)
    effect.segments, effect.insists = m.state.segments, insisting
    effect.esp = m.state.esp if found.reads & _ESP else None
    effect.below = m.state.esp if read or written else None
    effect.inputs = {r: m.state.registers[r] for r in _OTHERS if _needs(found, _MASKS[r])}
    effect.flags = _flags(m, found.reads & FLAGS)
    _results(m, effect, found)
    m.effects.append(effect)
    if found.stores:
        effect.kills = written
        m.settle(kills=True, also=written)
    effect.moves = found.esp_change or 0
    if effect.moves > 0:
        effect.kills += ((m.state.esp, m.state.esp + effect.moves),)
    if found.esp_change:
        m.move_esp(m.pool.stack(m.state.esp + found.esp_change))


def _does_nothing(m: Moment) -> bool:
    """`rep` that counts down from 0 moves nothing, and no register."""
    return m.decoded.prefixes == ("rep",) and m.state.registers["ecx"].constant == 0


def _needs(found: Effects, register: int) -> bool:
    return (
        bool((found.reads | found.may_write & ~found.writes) & register)
        or 0 < (found.writes & register).bit_count() < WORD
    )


def _leads(found: Effects, register: str) -> bool:
    """Whether the register is read as an address, or part of one."""
    return any(register in (mem.base, mem.index) for mem, _ in (*found.loads, *found.stores))


def _ranges(m: Moment, accesses: tuple[tuple[Mem, int | None], ...]) -> list[Range]:
    """Stack bytes that these accesses touch."""
    found = []
    for mem, size in accesses:
        touched = m.step.touched(mem, size)
        if touched == EVERYTHING:
            raise Unsupported("touches the stack at an unknown place")
        if touched is not None:
            if at_return(touched):
                raise Unsupported("uses its return address")
            found.append(touched)
    return found


def _flags(m: Moment, reads: int) -> Flags | None:
    if not reads:
        return None
    if not rebuildable(m.state.flags, m.state.carry, reads):
        raise Unsupported("reads flags that are not a value")
    return m.state.flags if m.state.flags is not None else m.state.carry


def _results(m: Moment, effect: Effect, found: Effects) -> None:
    """New words in the registers that it may write; half-done work in those of an interrupted one."""
    written = [r for r in _OTHERS if found.may_write & _MASKS[r]]
    effect.results = {r: m.pool.make("result", effect.number, r) for r in written}
    if m.insn.faults_to is not None:
        halves = {r: m.pool.make("result", effect.number, f"{r} at the fault") for r in written}
        state = m.before.copy()
        state.registers |= halves
        for slot in [s for s in state.slots if any(_within(s, r) for r in _ranges(m, found.stores))]:
            state.slots[slot] = None
        if found.may_write & FLAGS:
            state.set_flags(None)
        effect.halves, effect.fault = halves, m.fault(state)
    if m.pool.may_be_stack(*effect.inputs.values()):
        m.pool.from_stack |= {*effect.results.values(), *effect.halves.values()}
    m.state.registers |= effect.results
    if m.decoded.mnemonic.startswith(_UNCONDITIONAL) and m.decoded.prefixes == ("rep",):
        m.state.registers["ecx"] = effect.results["ecx"] = m.pool.const(0)
    if found.may_write & FLAGS:
        whole = found.may_write & FLAGS == FLAGS
        m.state.set_flags(Flags("effect", effect=effect.number) if whole else None)


def _within(slot: int, touched: Range) -> bool:
    return touched[0] < slot + WORD and slot < touched[1]


def call(m: Moment, callees: Callees) -> None:
    """A call that is not inlined: its arguments lie where it looks for them, other values where it does not write."""
    callee = callees.of_call(m.insn)
    if m.insn.faults_to is not None:
        raise Unsupported("what it throws is caught here")
    if callee.pops is None:
        raise Unsupported(callee.reason or "esp is not known behind the call")
    if not callee.returns:
        raise Unsupported("the call never returns")
    if callee.reads & FLAGS:
        raise Unsupported("the callee reads flags")
    if callee.unbounded:
        raise Unsupported(f"a callee reaches any depth of the stack: {callee.reason}")
    if sum(bool(callee.reads & mask) for mask in _MASKS.values()) > _MOST_INPUTS:
        raise Unsupported("the callee may read any register")
    target = m.read(m.decoded.operands[0]) if flow(m.insn.raw) is Flow.CALL_INDIRECT else None
    esp = m.state.esp
    high = depth_reach(callee.use_depth, m.step.state, m.step.returns)
    m.give_away(*(m.state.registers[r] for r in _OTHERS if callee.reads & _MASKS[r]))
    m.give_away_words(esp, high)
    m.settle(kills=False, also=((esp, high),))
    m.by_segment()
    named = direct(str(target.args[0])) if target is not None and target.op == "label" and not target.args[1] else None
    if named is not None and callees.of_call(named).pops is None:
        named = None  # through pointers it is taken at its word, the convention: less is known of it by name
    effect = m.effect("call", value=None if named else target, faults=False)
    if named is not None:
        effect.insn = replace(named, origin=m.insn.origin)
    effect.segments = m.state.segments
    effect.esp = esp
    effect.inputs = {r: m.state.registers[r] for r in _OTHERS if callee.reads & _MASKS[r]}
    effect.results = {r: m.pool.make("result", effect.number, r) for r in _OTHERS if callee.clobbers & _MASKS[r]}
    effect.passed = {r: m.state.registers[r] for r in effect.results if ~callee.writes & _MASKS[r]}
    m.pool.from_stack |= {effect.results[r] for r, value in effect.passed.items() if m.pool.may_be_stack(value)}
    effect.moves = callee.pops
    killed = max(depth_reach(callee.kill_depth, m.step.state, m.step.returns), esp + callee.pops)
    effect.kills = ((esp, killed), *m.escaped)
    m.effects.append(effect)
    m.state.registers |= effect.results
    m.settle(kills=True, also=effect.kills)
    m.state.set_flags(None)
    m.move_esp(m.pool.stack(esp + callee.pops))
