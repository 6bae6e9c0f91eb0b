"""What a path still needs at each point, the nearest use first; and which register a value would like to be in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rewriter.analysis.liveness import LOWEST
from rewriter.region.tree import Again, Effect, Enter, Exit, Node, Return, exits, nodes
from rewriter.region.value import WORD, Value, inside

NEAR = 112  # bytes, with what else lies below


@dataclass(frozen=True, slots=True)
class Uses:
    """Values that will be used, the nearest use first: on the paths themselves, and by exits only."""

    hot: tuple[Value, ...] = ()
    cold: tuple[Value, ...] = ()


class Future:
    """The uses behind each effect of a tree.  `highest`: by node, the highest esp that an instruction insists on from
    there on; below it nothing can be kept."""

    def __init__(self, root: Node) -> None:
        self._from: dict[int, Uses] = {}
        self.highest: dict[int, int] = {}
        self._stays: dict[int, Uses] = {}  # by top of a loop: what every round leaves where it was
        self._made: dict[int, set[Value]] = {}  # the same: words that are others in each round
        self.root = root
        self._words: dict[int, set[Value]] = {}  # of a join, those that vary
        self._own: dict[int, Uses] = {}  # of a node, without what is behind its end
        for node in nodes(root):
            if isinstance(node.end, Enter | Again):
                self._words.setdefault(id(node.end.top), set()).update(node.end.bindings)
        self._find(root)
        self.wishes = wishes(root)

    def _find(self, root: Node) -> None:
        """Backwards, until the tops of loops bring nothing new."""
        order = list(reversed(list(nodes(root))))
        for node in order:
            self._from.pop(id(node), None)
        while True:
            before = dict(self._from), dict(self.highest)
            for node in order:
                self._from[id(node)] = self._top(node)
                below = [*node.children(), *([node.end.top] if isinstance(node.end, Again) else [])]
                self.highest[id(node)] = max([_highest(node), *(self.highest.get(id(n), LOWEST) for n in below)])
            if not any(isinstance(node.end, Again) for node in order):
                return
            if self.highest == before[1] and all(_same(uses, before[0].get(key)) for key, uses in self._from.items()):
                return

    def at(self, node: Node) -> Uses:
        """What is used from the beginning of a node on."""
        return self._from[id(node)]

    def settle(self, top: Node, stays: Iterable[Value]) -> None:
        """From now on each round of a loop leaves these values where they are at its top."""
        self._stays[id(top)] = Uses(tuple(stays))
        self._find(self.root)

    def behind(self, node: Node) -> list[Uses]:
        """What is used behind each effect of a node."""
        below = self.below(node)
        hot, cold = _with_end(node, dict.fromkeys(below.hot), dict.fromkeys(below.cold))
        found = [Uses(tuple(hot), tuple(cold))]
        for effect in reversed(node.effects[1:]):
            hot, cold = _with(effect, hot, cold)
            found.append(Uses(tuple(hot), tuple(cold)))
        return found[::-1]

    def _top(self, node: Node) -> Uses:
        """What is used from the beginning of a node on."""
        own = self._own.get(id(node))
        if own is None:
            hot, cold = _with_end(node, {}, {})
            for effect in reversed(node.effects):
                hot, cold = _with(effect, hot, cold)
            own = self._own[id(node)] = Uses(tuple(hot), tuple(cold))
        below = self.below(node)
        return Uses(tuple(dict.fromkeys((*own.hot, *below.hot))), tuple(dict.fromkeys((*own.cold, *below.cold))))

    def below(self, node: Node) -> Uses:
        """What is used behind the end of a node."""
        if isinstance(node.end, Again):
            return self._round(node.end.top)
        uses = [self._from[id(child)] for child in node.children()]
        hot = dict.fromkeys(v for use in uses for v in use.hot)
        return Uses(tuple(hot), tuple(dict.fromkeys(v for use in uses for v in use.cold)))

    def _round(self, top: Node) -> Uses:
        """What the next round will find where it was in this one: nothing that a round makes."""
        if id(top) in self._stays:
            return self._stays[id(top)]
        uses = self._from.get(id(top), Uses())
        if id(top) not in self._made:
            self._made[id(top)] = made_in(top) | self._words[id(top)]
        made = self._made[id(top)]

        def stay(values: tuple[Value, ...]) -> tuple[Value, ...]:
            return tuple(v for v in values if made.isdisjoint(inside(v)))

        return Uses(stay(uses.hot), stay(uses.cold))


Ordered = dict[Value, None]


def _with_end(node: Node, hot: Ordered, cold: Ordered) -> tuple[Ordered, Ordered]:
    """And what a node's end uses."""
    if node.end is None:
        return hot, cold
    own = dict.fromkeys(node.end.uses())
    return (hot, own | cold) if isinstance(node.end, Exit) else (own | hot, cold)


def _with(effect: Effect, hot: Ordered, cold: Ordered) -> tuple[Ordered, Ordered]:
    """And what an effect uses, before the others."""
    if effect.fault is not None:
        cold = dict.fromkeys(effect.fault.uses()) | cold
    return dict.fromkeys(effect.uses()) | hot, cold


def _same(one: Uses, other: Uses | None) -> bool:
    return other is not None and set(one.hot) == set(other.hot) and set(one.cold) == set(other.cold)


def made_in(top: Node) -> set[Value]:
    """Words that are others in each round of a loop."""
    found: set[Value] = set()
    for node in nodes(top):
        if isinstance(node.end, Again) and node.end.top is top:
            found |= set(node.end.bindings)
        for effect in node.effects:
            found |= {*effect.results.values(), *effect.halves.values()}
            found |= {effect.result} if effect.result is not None else set()
        if isinstance(node.end, Enter):
            found |= set(node.end.bindings)
    return {value for value in found if value.op in ("phi", "result")}


def wishes(root: Node) -> dict[Value, str]:
    """The register in which each value is first needed, on the hottest way on which one is named; a two-operand
    instruction overwrites its first operand, which therefore wants to be in the same."""
    found: dict[Value, str] = {}
    cold: list[Exit] = []
    for node in nodes(root):
        for effect in node.effects:
            _wish(found, effect.inputs)
            cold += [effect.fault] if effect.fault else []
        if isinstance(node.end, Return):
            _wish(found, node.end.registers)
        elif isinstance(node.end, Exit):
            cold.append(node.end)
    for exit in cold:
        _wish(found, exit.registers)
    return found


def _wish(found: dict[Value, str], registers: Mapping[str, Value]) -> None:
    for register, value in registers.items():
        wanting: object = value
        while isinstance(wanting, Value) and wanting not in found:
            found[wanting] = register
            args = wanting.args
            wanting = args[2] if wanting.op == "select" else args[0] if args else None


@dataclass(slots=True)
class Room:
    """Stack words in which spilled values may lie: where only memory knows what stands there, they may not.

    `slots` are tried in order, those first that no exit writes.  `homes`: where an exit wants a value anyway.
    `frame`: where esp goes when it has to go down, so that it goes there once; `lowest`: the lowest slot used.
    `pushes`: words are pushed instead, one below the other."""

    slots: list[int]
    homes: dict[Value, int]
    frame: int = 0
    lowest: int = 0
    pushes: bool = False


def room(root: Node, depth: int, frame: int, *, near: bool = False) -> Room:
    """`depth`: how far below the entry esp the stack may be used; `near`: rather where a byte tells the distance."""
    fixed: set[int] = set()
    homes: dict[Value, int] = {}
    for node in nodes(root):
        for effect in node.effects:
            fixed |= _slots_of(effect)
        fixed |= _named(node.end.uses() if node.end else ())
    for way_out in exits(root):
        for slot, value in way_out.slots.items():
            homes.setdefault(value, slot)
    free = [slot for slot in range(-WORD, -depth - 1, -WORD) if slot not in fixed]
    written = {slot for way_out in exits(root) for slot in way_out.slots}
    allowed = {slot for slot in free if slot >= -NEAR or not near}
    return Room(
        sorted(free, key=lambda slot: (slot in written and not near, -slot)),
        {value: slot for value, slot in homes.items() if slot in allowed},
        frame,
    )


def _slots_of(effect: Effect) -> set[int]:
    """Stack words that an effect reads or writes in memory, or whose address it knows."""
    found = _named(effect.uses())
    for low, high in effect.kills:
        found |= set(range(max(low, LOWEST) & -WORD, min(high, 0), WORD))
    return found


def _named(values: Iterable[Value]) -> set[int]:
    """Stack words whose address is used."""
    return {v.offset & -WORD for value in values for v in inside(value) if v.offset is not None}


def _highest(node: Node) -> int:
    return max((effect.esp for effect in node.effects if effect.esp is not None), default=LOWEST)
