"""Code that exits share: what many of them have to put onto the stack alike, the frames of the calls around them.

    exit1:                             ⇒    exit1:
        push 0; push sys_open.5; …              mov [esp + 40], ecx     ; what the shared code reads is in its place
        push edi; mov ecx, esi                  push edi; mov ecx, esi
        jmp lookup.7                            call tail
                                                jmp lookup.7
    exit2:                                  tail:
        push 0; push sys_open.5; …              pusha; lea ebp, [esp + 52]
        jmp lookup.9                            mov dword ptr [ebp + 4], sys_open.5; …
                                                popa; ret

A tail stores words that are the same at all exits that call it, and may go on with another one, whose words are the
same at even more.  Registers stay as the exit has made them.  A word that is no constant is stored by each exit in
one place, its home, where the tail takes it from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rewriter.region.tree import Exit, Node, Return, exits, nodes
from rewriter.region.value import WORD, Value, inside

Word = tuple[int, Value]  # a stack slot, and what it holds
SAVED = 9 * WORD  # below esp: the return address, and what `pushal` saves
WORTH = 24  # bytes that a tail saves at least
_FREE = ("const", "label", "stack", "current")  # what the tail makes of nothing
MOST = 8192  # bytes of the caller's stack that anybody names
_BYTE = range(-128, 128)


@dataclass(slots=True, eq=False)
class Tail:
    """`words`: all that are there behind it; `homes`: where words are that it reads, by value."""

    words: frozenset[Word]
    exits: list[Exit]
    parent: Tail | None = None
    homes: dict[Value, int] = field(default_factory=dict)
    children: list[Tail] = field(default_factory=list)

    def own(self) -> dict[int, Value]:
        """Words that it stores itself, by slot."""
        above = self.parent.words if self.parent is not None else frozenset()
        return {slot: v for slot, v in sorted(self.words - above, reverse=True, key=_slot) if self.homes.get(v) != slot}

    def left(self, exit: Exit) -> dict[int, Value]:
        """Words that an exit has to store before it calls the tail."""
        return {slot: v for slot, v in exit.slots.items() if (slot, v) not in self.words or self.homes.get(v) == slot}

    def all_exits(self) -> Iterator[Exit]:
        """Those that come by it."""
        yield from self.exits
        for child in self.children:
            yield from child.all_exits()

    def chain(self) -> Iterator[Tail]:
        """It and those with which it goes on."""
        yield self
        if self.parent is not None:
            yield from self.parent.chain()


def tails(root: Node, depth: int) -> dict[int, Tail]:
    """The tails that exits call, by id of the exit; those of which the flags matter call none, nor those that have no
    room for the call: `depth` is how far below the entry esp the stack may be used."""
    groups: dict[frozenset[Word], list[Exit]] = {}
    for exit in exits(root):
        if exit.flags is None and exit.slots and exit.esp - SAVED >= -depth:
            groups.setdefault(frozenset(exit.slots.items()), []).append(exit)
    found = _grown([Tail(words, members) for words, members in groups.items()])
    changed = _changed(root)
    made: dict[int, Tail] = {}
    for tail in found:
        for each in reversed([*tail.chain()]):
            _settle(each, changed)
        single = len(tail.exits) == 1 and not tail.children
        user = tail.parent if single else tail
        if user is not None and saved(user.words) >= WORTH:
            made |= {id(exit): user for exit in tail.exits}
    return made


def _grown(tails: list[Tail]) -> list[Tail]:
    """All tails, in a forest: those that have most in common get that as their parent."""
    every, roots = list(tails), list(tails)
    gains = {(a, b): saved(roots[a].words & roots[b].words) for a in range(len(roots)) for b in range(a)}
    alive = set(range(len(roots)))
    while gains:
        (a, b), gain = max(gains.items(), key=lambda item: (item[1], item[0]))
        if gain < WORTH:
            break
        common = roots[a].words & roots[b].words
        above = next((root for root in (roots[a], roots[b]) if root.words == common), None)
        if above is None:
            above = Tail(common, [])
            every.append(above)
        for root in (roots[a], roots[b]):
            if root is not above:
                root.parent = above
                above.children.append(root)
        alive -= {a, b}
        gains = {pair: gain for pair, gain in gains.items() if not {a, b} & {*pair}}
        roots.append(above)
        new = len(roots) - 1
        gains |= {(new, other): saved(common & roots[other].words) for other in alive}
        alive.add(new)
    return every


def saved(words: Iterable[Word]) -> int:
    """Bytes that each exit saves, about, if it need not store these."""
    found = 0
    seen: set[Value] = set()
    for _, value in words:
        if value.op not in _FREE:
            found += 2 if value in seen else 0 if value.leaf else 4
        elif value.constant is not None and (value.constant ^ 1 << 31) - (1 << 31) in _BYTE:
            found += 3
        else:
            found += 6 if value.immediate else 2 if value in seen else 6
        seen.add(value)
    return found


def _settle(tail: Tail, changed: set[int]) -> None:
    """Choose homes: one of its parents', or the highest slot with that word; of a word of the caller's, where it is."""
    tail.homes = dict(tail.parent.homes) if tail.parent is not None else {}
    words = sorted(tail.words, key=_slot, reverse=True)
    for slot, value in sorted(words, key=lambda word: not word[1].leaf):
        for leaf in (each for each in inside(value) if each.op == "given" and each.args[0] not in changed):
            there = leaf.args[0]
            assert isinstance(there, int)
            tail.homes.setdefault(leaf, there)
        if value.op not in _FREE and (value.leaf or not _computed(tail, value)):
            tail.homes.setdefault(value, slot)


def _computed(tail: Tail, value: Value) -> bool:
    """Whether the tail can make a word of what it finds."""
    return all(each.op in _FREE or each in tail.homes for each in inside(value) if each.leaf)


def _changed(root: Node) -> set[int]:
    """Words of the caller's that do not hold the same everywhere."""
    found = {slot for exit in exits(root) for slot in exit.slots}
    for node in nodes(root):
        found |= set(node.end.slots) if isinstance(node.end, Return) else set()
        for effect in node.effects:
            offset = effect.address.offset if effect.address is not None and effect.kind != "load" else None
            found |= {offset & -WORD} if offset is not None else set()
            for low, high in effect.kills:
                found |= set(range(max(low & -WORD, 0), min(high, MOST), WORD))
    return found


def _slot(word: Word) -> int:
    return word[0]
