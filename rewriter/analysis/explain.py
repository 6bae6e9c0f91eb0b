"""All that the stack analyses know of one function (§4.2), for people to read."""

from __future__ import annotations

from dataclasses import dataclass

from rewriter.analysis.depths import Depths
from rewriter.analysis.elsewhere import Elsewhere, Names, elsewhere
from rewriter.analysis.frames import deepest
from rewriter.analysis.state import Range
from rewriter.analysis.summary import Summary
from rewriter.analysis.values import Values


@dataclass(frozen=True, slots=True)
class Explanation:
    """Offsets are from the entry esp, where the return address lies; `esp` is that at the top of each block that can be
    reached, None where it is not known, `size` how far the function itself goes below it.

    `own` is the local phase: callees are taken to keep the convention and to touch nothing.  `summary` is what comes
    out when the callees have their say.  `chain` leads from the function to the one whose own instructions are the
    `reason`, where a depth is unbounded or esp lost.  `escapes`: bytes of the stack whose address gets into other
    hands, with the block in which it does first; EVERYTHING is some address that is not known.
    """

    name: str
    pins: tuple[str, ...]
    size: int | None
    esp: dict[str, int | None]
    own: Summary
    summary: Summary
    chain: tuple[str, ...]
    reason: str
    escapes: dict[Range, str]
    memory: Elsewhere
    memory_below: Elsewhere


class Explainer:
    """Explains the functions of one program; what it learned of one serves the others."""

    def __init__(self, depths: Depths) -> None:
        self.depths = depths
        self._names = Names(depths.index.program)
        self._own: dict[str, Summary] = {}
        self._memory: dict[str, Elsewhere] = {}

    def explain(self, name: str) -> Explanation:
        """What is known of a function of the program.  KeyError if there is none of that name."""
        function = self.depths.index.functions[name]
        values = self._values(name)
        path = self.chain(name)
        return Explanation(
            name,
            function.pins,
            deepest(values),
            {label: state.esp for label, state in values.states.items()},
            self.own(name),
            self.depths.of(name),
            path,
            (self.own(path[-1]).reason if path else "") or self.depths.of(name).reason,
            _escapes(values),
            self.memory(name),
            self.memory_below(name),
        )

    def own(self, name: str) -> Summary:
        """The local phase of the depths."""
        if name not in self._own:
            self._own[name] = self.depths.own(name)
        return self._own[name]

    def memory(self, name: str) -> Elsewhere:
        """What the function's instructions do themselves to memory other than the stack."""
        if name not in self._memory:
            self._memory[name] = elsewhere(self._values(name), self._names)
        return self._memory[name]

    def memory_below(self, name: str) -> Elsewhere:
        """The same with all that the function may call, directly or not."""
        found = Elsewhere()
        for callee in self.depths.graph.reachable([name]):
            self.depths.poll()
            found = found.join(self.memory(callee))
        return found

    def chain(self, name: str) -> tuple[str, ...]:
        """The shortest way from a function of which something is not known down to the one whose own instructions are
        the reason; nothing where all is known.  Indirect calls are no part of it: they keep their convention."""
        if not _lost(self.depths.of(name)):
            return ()
        pending: list[tuple[str, ...]] = [(name,)]
        seen = {name}
        for path in pending:
            self.depths.poll()
            if _lost(self.own(path[-1])):
                return path
            for callee in self.depths.graph.direct(path[-1]):
                if callee not in seen and _lost(self.depths.of(callee)):
                    seen.add(callee)
                    pending.append((*path, callee))
        return (name,)

    def _values(self, name: str) -> Values:
        index = self.depths.index
        entry = name if name in self.depths.graph.entries else index.functions[name].blocks[0].label
        return Values(index, self.depths.transfer(), entry)


def _lost(summary: Summary) -> bool:
    return summary.unbounded or summary.pops is None


def _escapes(values: Values) -> dict[Range, str]:
    found: dict[Range, str] = {}
    for block in values.blocks:
        top, *behind = values.trail(block.label).states
        for state in behind:
            for touched in sorted(state.escaped - top.escaped):
                found.setdefault(touched, block.label)
    return found
