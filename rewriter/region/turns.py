"""Loops as code: at the top everything is in the same place each time; a path that comes back brings it there.

  mov ecx, 0               ; the first time
top:
  …                        ; esi: what no round changes
  lea ecx, [ecx + 1]       ; the next time
  jmp top
"""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.region.exits import Refused
from rewriter.region.future import Future, Uses
from rewriter.region.machine import GENERAL, Machine, Places
from rewriter.region.place import Placer
from rewriter.region.tree import Again, Effect, Enter, Node, nodes
from rewriter.region.value import WORD, Value, inside

FREE = 3  # registers that are left for what a round computes
MOST_IN_REGISTERS = 5  # of the words that vary: others lie on the stack
_MADE_ANEW = ("const", "label", "stack")


def enter(writer: Placer, end: Enter | Again, future: Future) -> Places:
    """Bring all that a loop needs to a place of its own; what is where at its top."""
    m = writer.m
    below = future.at(end.top)
    words = [word for word in (*below.hot, *below.cold) if word in end.bindings]
    words += [word for word in end.bindings if word not in words]
    m.after = below
    with m.later(*end.bindings.values()):
        writer.flush()
        _load_segments(writer, end.top)
        _leave_alone(writer, future.root)
        _leave_words(writer)
        m.lower(m.room.frame if m.room.frame else None)  # not in each round
        _find_task(writer, end.top)
        writer.prepare([end.bindings[word] for word in words])
    taken: list[str] = []
    slots: dict[int, Value] = {}
    for number, word in enumerate(words):
        with m.later(*(end.bindings[other] for other in words[number + 1 :])), m.pinned(*taken):
            if number < MOST_IN_REGISTERS:
                taken.append(_in_register(writer, word, end.bindings[word]))
            else:
                slots |= _in_slot(writer, word, end.bindings[word])
    m.at.memory |= slots
    needed = m.needed()
    m.at.held = {r: v for r, v in m.at.held.items() if v in needed and v.op not in _MADE_ANEW}
    m.at.memory = {slot: v for slot, v in m.at.memory.items() if v in needed and private(m, slot)}
    m.at.flags = ()
    _wish(future, end, m.at)
    stays = [v for v in (*m.at.held.values(), *m.at.memory.values()) if v not in end.bindings]
    if m.at.segments is not None:
        stays += [v for v in m.at.segments[:2] if v.op == "segment"]
    future.settle(end.top, dict.fromkeys(stays))
    return m.at.copy()


def again(writer: Placer, end: Enter | Again, top: Places) -> None:
    """Bring everything where it is at the top."""
    m = writer.m
    registers = {r: end.bindings.get(v, v) for r, v in top.held.items()}
    slots = {slot: end.bindings.get(v, v) for slot, v in top.memory.items()}
    m.after, m.reserved = Uses(), frozenset(slots)
    values = [*registers.values(), *(v for v in (top.segments or ())[:2] if isinstance(v, Value))]
    with m.later(*values, *slots.values()):
        writer.flush()
        m.lower(top.level)
    with m.later(*values):
        writer.store_slots(slots)
        writer.load_segments(top.segments)
        writer.prepare(list(registers.values()))
    writer.assign(registers)
    m.move_esp(top.level)
    if any(slot >= 0 for slot in m.at.gone - top.gone):
        raise Refused("words of the caller's are gone where paths meet")
    if (m.at.segments or ())[:2] != (top.segments or ())[:2]:
        raise Refused("segment registers differ where paths meet")
    if any(m.at.memory.get(slot) is not v for slot, v in slots.items()):
        raise Refused("a loop has no room for what it keeps")


def _in_register(writer: Placer, word: Value, value: Value) -> str:
    """A register that holds the value, and nothing that is needed otherwise: the word's."""
    m = writer.m
    found = m.find(value)
    if found is None or found in m._pins or value in m.needed():
        wish = m.wishes.get(word)
        with m.later(value):
            target = m.take(wish)
        writer.move(target, value)
        found = target
    m.set(found, word)
    return found


def _in_slot(writer: Placer, word: Value, value: Value) -> dict[int, Value]:
    """A stack slot with the value, for the word."""
    m = writer.m
    register = writer.register(value)
    before = dict(m.at.memory)
    m.spill(value, register)
    slot = next((s for s, v in m.at.memory.items() if v is value and before.get(s) is not value), None)
    if slot is None:
        raise Refused("no room for a word that varies")
    m.at.memory[slot] = word
    return {slot: word}


def _find_task(writer: Placer, top: Node) -> None:
    """Where the task lies is computed once, if a loop asks for it, and there is room."""
    m = writer.m
    asked = next((v for v in m.after.hot for v in inside(v) if v.op == "current"), None)
    free = [r for r in GENERAL if m.at.held.get(r) not in m.needed()]
    if asked is not None and m.find(asked) is None and len(free) > FREE and _comes_back(top):
        writer.register(asked)


def _comes_back(top: Node) -> bool:
    return any(isinstance(node.end, Again) and node.end.top is top for node in nodes(top))


def _load_segments(writer: Placer, top: Node) -> None:
    """Once, rather than in each round."""
    wanted = next((e.segments for e in _effects(top) if e.insists and e.segments is not None), None)
    writer.load_segments(wanted)


def _leave_alone(writer: Placer, top: Node) -> None:
    """Words of the caller's that a round overwrites are gone from the first one on."""
    m = writer.m
    for slot in sorted(_overwritten(top) - m.at.gone):
        word = m.pool.make("given", slot)
        if word in m.needed() and m.find(word) is None:
            writer.register(word)
        m.at.gone |= {slot}


def private(m: Machine, slot: int) -> bool:
    """Whether a stack word is the writer's own: no effect knows it."""
    return slot in m.room.slots


def _leave_words(writer: Placer) -> None:
    """What stands in a stack word that is memory, too, will be another one when that has changed."""
    m = writer.m
    for slot, value in list(m.at.memory.items()):
        if private(m, slot):
            continue
        del m.at.memory[slot]
        if value in m.needed() and not m.somewhere(value) and not value.immediate and value.offset is None:
            m.at.memory[slot] = value
            writer.register(value)
            m.at.memory.pop(slot, None)


def _overwritten(top: Node) -> set[int]:
    found: set[int] = set()
    for effect in _effects(top):
        if effect.kind in ("keep", "store", "change") and effect.address is not None:
            offset = effect.address.offset
            found |= {offset & -WORD} if offset is not None and offset >= 0 else set()
        for low, high in effect.kills:
            if high > 0:
                found |= set(range(max(low & -WORD, 0), min(high, 8192), WORD))
    return found


def _effects(top: Node) -> Iterator[Effect]:
    for node in nodes(top):
        yield from node.effects


def _wish(future: Future, end: Enter | Again, top: Places) -> None:
    """What a round brings back is best made where it has to be."""
    places = {value: register for register, value in top.held.items() if register in GENERAL}
    for node in nodes(future.root):
        if isinstance(node.end, Enter | Again) and node.end.top is end.top:
            for word, value in node.end.bindings.items():
                if word in places and not value.leaf:
                    future.wishes[value] = places[word]
