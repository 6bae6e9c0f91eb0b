"""Effects as instructions, in their order."""

from __future__ import annotations

from dataclasses import replace

from rewriter.analysis.value import WORD
from rewriter.ir import Insn
from rewriter.reasons import Reason
from rewriter.region.exits import Refused
from rewriter.region.flag import Flags
from rewriter.region.machine import GENERAL, WITH_BYTES, Line, Places, narrow
from rewriter.region.place import Placer
from rewriter.region.segments import with_ss
from rewriter.region.tree import Effect
from rewriter.region.value import Value
from rewriter.x86.effects import effects
from rewriter.x86.flow import Flow, flow


class Writer(Placer):
    """Writes one effect after the other.  A load waits until its word is asked for, or something else happens in
    memory: then an instruction may take it as its operand."""

    def write(self, effect: Effect, fault: str | None) -> Places | None:
        """Write it; `fault`: the label of the way to its fixup.  What is where if it faults."""
        m = self.m
        if effect.kind == "load" and self._waits(effect):
            with m.later(*effect.uses()):
                self.flush()
            m.at.pending, m.origin = effect, effect.insn.origin
            return None
        if effect.kind == "keep":
            m.origin = effect.insn.origin
            self._keep(effect)
            return None
        m.lower(effect.below)
        if effect.kind in ("call", "fixed"):
            return self._fixed(effect, fault)
        before, m.why = len(m.lines), Reason.MEMORY
        at_fault = {"load": self._load, "store": self._store, "change": self._change}[effect.kind](effect)
        if fault is None:
            return None
        assert len(m.lines) > before
        m.lines[-1] = replace(m.lines[-1], faults_to=fault)
        return at_fault

    def _waits(self, effect: Effect) -> bool:
        return effect.fault is None and effect.below is None

    def _load(self, effect: Effect) -> Places:
        m = self.m
        with m.later(*effect.uses()):
            self.flush()
        m.origin = effect.insn.origin
        faulting = [effect.fault] if effect.fault else []
        with m.later(*(v for exit in faulting for v in exit.uses())):
            assert effect.result is not None
            self.load(effect, m.wishes.get(effect.result))
        at_fault = m.at.copy()
        at_fault.held = {r: v for r, v in m.at.held.items() if v is not effect.result}
        return at_fault

    def _source(self, value: Value, size: int) -> str:
        """The second operand of a store: no memory."""
        if value.constant is not None:
            return hex(value.constant & (1 << 8 * size) - 1)
        if value.immediate:
            return self.immediate(value)
        register = self.register(value, bytes=size == 1)
        return narrow(register, size)

    def _store(self, effect: Effect) -> Places:
        assert effect.value is not None
        return self._to_memory(effect, "mov", effect.value)

    def _change(self, effect: Effect) -> Places:
        places = self._to_memory(effect, effect.name, effect.value)
        if effect.name != "not":
            self.m.at.flags = (Flags("effect", effect=effect.number),)
        return places

    def _to_memory(self, effect: Effect, name: str, value: Value | None) -> Places:
        m = self.m
        address = effect.address
        assert address is not None
        faulting = list(effect.fault.uses()) if effect.fault else []
        m.origin = effect.insn.origin
        with m.later(*faulting):
            with m.later(address):
                source = None if value is None else self._source(value, effect.size)
            holder = [r for r in GENERAL if value is not None and m.at.held.get(r) is value and not value.immediate]
            with m.pinned(*holder):
                place = self.address(address)
                with m.pinned(*self._in_address):
                    self.flush()
        m.origin = effect.insn.origin
        m.put(f"{name} {m.memory(effect.size, place)}" + (f", {source}" if source else ""))
        if address.offset is not None:
            m.at.memory.pop(address.offset & -WORD, None)
            m.at.gone |= {address.offset & -WORD}
        return m.at.copy()

    def _keep(self, effect: Effect) -> None:
        m = self.m
        assert effect.address is not None
        assert effect.value is not None
        slot = effect.address.offset
        assert slot is not None
        if self._has(slot, effect.value):
            return
        m.lower(effect.below)
        self._save_slot(slot, [effect.value])
        self.store_slot(slot, effect.value)

    # Instructions that stay as they are

    def _fixed(self, effect: Effect, fault: str | None) -> Places:
        m = self.m
        inputs = list(effect.inputs.values())
        faulting = list(effect.fault.uses()) if effect.fault else []
        flags = effect.flags.words if effect.flags else ()
        if effect.insists and effect.segments != m.at.segments:
            with m.later(*effect.uses(), *faulting):
                self.flush()
                self.load_segments(effect.segments)
        for slot in [s for s, value in m.at.memory.items() if _killed(effect, s) and m.find(value) is not None]:
            del m.at.memory[slot]  # the register's copy will be the only one
        self._evacuate(effect, faulting)
        with m.later(*faulting, *flags, *inputs):
            target = self._target(effect)
            with m.pinned(*target):
                self.flush()
                m.origin = effect.insn.origin
                self.prepare(inputs)
                self._save_killed(effect)
        if effect.esp is not None:
            m.move_esp(effect.esp)
        with m.later(*faulting, *inputs), m.pinned(*target):
            if effect.flags is not None:
                with self.ready(effect.flags) as lines:
                    self.fire(lines, effect.flags)
        with m.later(*faulting), m.pinned(*target):
            self._clear(effect)
            self.assign(effect.inputs, effect.results)
        at_fault = m.at.copy()
        at_fault.held = {r: v for r, v in at_fault.held.items() if r not in effect.results} | effect.halves
        self._emit(effect, target, fault)
        self._settle(effect)
        return at_fault

    def _target(self, effect: Effect) -> list[str]:
        """The register with the target of an indirect call, which no input may want."""
        if effect.value is None:
            return []
        m = self.m
        found = m.find(effect.value)
        if found is None or found in effect.inputs:
            register = self.register(effect.value)
            if register not in effect.inputs:
                return [register]
            with m.pinned(register):
                other = m.take(avoid=effect.inputs)
            m.put(f"mov {other}, {register}", why=Reason.MOVED)
            m.set(other, effect.value)
            found = other
        return [found]

    def _save_killed(self, effect: Effect) -> None:
        """Words that are needed and lie where the effect may write."""
        m = self.m
        needed = [v for v in m.needed() if m.find(v) is None]
        for value in needed:
            slot = m.stored(value)
            if slot is not None and _killed(effect, slot):
                target = m.take(avoid=[*effect.results, *effect.inputs])
                m.put(f"mov {target}, {m.slot(slot)}", why=Reason.MOVED)
                m.set(target, value)
                m.at.memory.pop(slot, None)

    def _evacuate(self, effect: Effect, faulting: list[Value]) -> None:
        """Make the fixed registers free: what they hold and is needed behind the effect goes to others."""
        m = self.m
        fixed = {*effect.results, *effect.inputs}
        with m.later(*faulting):
            needed = m.needed()
        for register in sorted(fixed):
            value = m.at.held.get(register)
            if value is None or value not in needed or effect.inputs.get(register) is value or m.cheap(value):
                continue
            if not any(v is value for r, v in m.at.held.items() if r not in fixed):
                with m.later(*faulting, *effect.inputs.values()):
                    self.rescue(register, fixed)

    def _clear(self, effect: Effect) -> None:
        """What the effect overwrites and somebody needs goes elsewhere, but not where an input waits."""
        m = self.m
        waiting = [r for r, v in m.at.held.items() if any(v is value for value in effect.inputs.values())]
        avoid = {*effect.results, *effect.inputs, *waiting}
        for register in effect.results:
            value = m.at.held.get(register)
            elsewhere = [r for r, v in m.at.held.items() if v is value and r not in effect.results]
            if value is None or elsewhere or m.cheap(value):
                continue
            if value in m.needed():
                wanted = any(v is value for v in effect.inputs.values())
                self.rescue(register, avoid)
                if wanted:
                    m.set(register, value)

    def _emit(self, effect: Effect, target: list[str], fault: str | None) -> None:
        m = self.m
        m.origin = effect.insn.origin
        if flow(effect.insn.raw) is Flow.CALL_INDIRECT:
            m.put(f"call {target[0]}", why=Reason.MEMORY)
        else:
            insn = effect.insn
            if m.at.segments is not None and not m.at.segments.name_memory() and _in_memory(insn):
                written = with_ss(insn)
                m.lines.append(Line(replace(written, faults_to=fault), insn.origin, fault, Reason.MEMORY))
                return
            m.lines.append(Line(replace(insn, faults_to=fault), insn.origin, fault))

    def _settle(self, effect: Effect) -> None:
        """What is where behind the effect."""
        m = self.m
        m.at.flags = (Flags("effect", effect=effect.number),)
        for register in effect.results:
            m.at.held.pop(register, None)
        m.at.held |= effect.results
        for slot in [s for s in m.at.memory if _killed(effect, s)]:
            del m.at.memory[slot]
        for low, high in effect.kills:
            if high > 0:
                m.at.gone |= set(range(max(low & -WORD, 0), min(high, 8192), WORD))
        m.at.level += effect.moves
        if any(r not in (*GENERAL, *WITH_BYTES) for r in effect.results):
            raise Refused("an unknown register")


def _killed(effect: Effect, slot: int) -> bool:
    """Whether another word may stand in a stack slot behind the effect."""
    return _lost(effect, slot) or any(low < slot + WORD and slot < high for low, high in effect.kills)


def _lost(effect: Effect, slot: int) -> bool:
    """Whether the slot lies below esp when the effect happens, where an interrupt may write: esp may have gone up."""
    return effect.esp is not None and slot < effect.esp


def _in_memory(insn: Insn) -> bool:
    found = effects(insn)
    return bool(found.loads or found.stores)
