"""What a path still needs at each point, the nearest use first; and which register a value would like to be in."""

from __future__ import annotations

from collections.abc import Mapping

from rewriter.region.tree import Effect, Exit, Node, Return, nodes
from rewriter.region.value import Value


class Future:
    """The uses behind each effect of a tree."""

    def __init__(self, root: Node) -> None:
        self._from: dict[int, tuple[Value, ...]] = {}
        for node in reversed(list(nodes(root))):
            self._from[id(node)] = self._ordered(node, 0)
        self.wishes = wishes(root)

    def of(self, node: Node) -> tuple[Value, ...]:
        """What is used from the top of a node on."""
        return self._from[id(node)]

    def behind(self, node: Node, position: int) -> tuple[Value, ...]:
        """What is used behind the effect at this position."""
        return self._ordered(node, position + 1)

    def below(self, node: Node) -> tuple[Value, ...]:
        """What is used behind the end of a node."""
        return tuple(dict.fromkeys(v for child in node.children() for v in self.of(child)))

    def _ordered(self, node: Node, start: int) -> tuple[Value, ...]:
        found: dict[Value, None] = {}
        for effect in node.effects[start:]:
            found.update(dict.fromkeys(effect.uses()))
        if node.end is not None:
            found.update(dict.fromkeys(node.end.uses()))
        found.update(dict.fromkeys(self.below(node)))
        return tuple(found)


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


def touched_slots(root: Node) -> set[int]:
    """Stack words in which something must stand at some point: no place for a spilled value."""
    found: set[int] = set()
    for node in nodes(root):
        for effect in node.effects:
            found |= _slots_of(effect)
        if isinstance(node.end, Exit | Return):
            found |= set(node.end.slots)
            found |= {v.args[0] & -4 for v in node.end.uses() if v.offset is not None and isinstance(v.args[0], int)}
    return found


def _slots_of(effect: Effect) -> set[int]:
    found = {effect.address.offset & -4} if effect.address is not None and effect.address.offset is not None else set()
    for low, high in effect.kills:
        found |= set(range(max(low, -8192) & -4, min(high, 0), 4))
    return found | (set(effect.fault.slots) if effect.fault else set())


def highest_fixed(root: Node) -> int:
    """The highest esp that a call or another instruction insists on: spilled values must lie above it; else 0."""
    return max((e.esp for node in nodes(root) for e in node.effects if e.esp is not None), default=-(1 << 30))
