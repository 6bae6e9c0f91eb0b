"""Where the paths of a region come together, while it is lifted: at the tops of loops, and wherever much is behind."""

from __future__ import annotations

import heapq
from dataclasses import replace

from rewriter.analysis.liveness import LOWEST
from rewriter.ir import Insn
from rewriter.passes.work import Work
from rewriter.reasons import Reason, Why
from rewriter.region.cost import remaining
from rewriter.region.exits import Exits, FlagsLost, Refused
from rewriter.region.home import Home
from rewriter.region.joins import MOST_TRIES, Arrival, Join, Joins, to_keep
from rewriter.region.limits import Limits
from rewriter.region.loops import cycles, order
from rewriter.region.path import Leaf, Path, leads, reached
from rewriter.region.state import State
from rewriter.region.tree import Again, Effect, Enter, Node
from rewriter.region.value import Pool

NOTHING = Insn(b"\x90")


class Meeting:
    """Leaves in the order in which they are to be lifted, and the joins to which paths lead."""

    def __init__(self, work: Work, pool: Pool, limits: Limits) -> None:
        self.work = work
        self.limits = limits
        self.values = work.values()
        self.home = Home(work) if work.at_home else None
        self.exits = Exits(pool, self.values, work.liveness(self.values), work.at_return, self.home)
        self.pool = pool
        self.count = 0  # of effects
        self.lifted = 0  # instructions
        self._planted = 0
        self._heap: list[tuple[float, int, Leaf]] = []
        self.cycles = cycles(self.values, work.heat)
        self.joins = Joins(pool)
        self._joins: dict[tuple[object, ...], Join] = {}
        self._merging, self._order = self._meeting() if limits.joins else (frozenset[str](), dict[str, int]())
        self._entries = max(work.heat.block(work.name), 1e-9)

        self._whole = self._frame_of_entry() if work.number is not None else 0
        self._root = Node(work.heat.block(work.name))

    def _frame_of_entry(self) -> int:
        """The lowest slot of the entry's own frame: words that it saved are read by whoever is given them."""
        known = [state.esp for label, state in self.values.states.items() if self.exits.elsewhere(label)]
        return min((esp if esp is not None else LOWEST for esp in known), default=0)

    def _meeting(self) -> tuple[frozenset[str], dict[str, int]]:
        """Blocks where it pays that paths come together: several lead there, and much is behind; an order of all."""
        ways: dict[str, int] = {}
        heat = self.work.heat
        for label in self.values.states:
            for target in {edge.target for edge, _ in self.values.ways(label)}:
                ways[target] = ways.get(target, 0) + (heat.edge(label, target) > 0)
        behind = remaining(self.work)
        found = (label for label, count in ways.items() if count > 1 and behind.get(label, 0.0) >= self.limits.long)
        return frozenset(found), order(self.values, self.cycles)

    def _plant(self, leaf: Leaf) -> None:
        self._planted += 1
        place = self._order.get(leaf.label, 0) if self.limits.joins else -leaf.node.weight
        heapq.heappush(self._heap, (place, self._planted, leaf))

    def _meets(self, path: Path, label: str) -> bool:
        """Whether the path ends before this block, where it comes together with others."""
        leaf = path.leaf
        leaf.inside = tuple(join for join in leaf.inside if join.cycle is not None and label in join.cycle.body)
        if path.node.weight < self.limits.least * self._entries:
            return False
        around = next((join for join in leaf.inside if join.label == label), None)
        if around is not None:
            return self._arrive(path, around, 0.0)
        cycle = self.cycles.get(label)
        often = cycle is not None and (
            cycle.rounds >= self.limits.often or leaf.seen.get(label, 0) >= self.limits.rounds
        )
        if not often and label not in self._merging:
            return False
        key = self._key(leaf, label)
        join = self._joins.get(key)
        if join is None or join.dead:
            join = self.joins.begin(label, leaf.state, cycle if often else None)
            try:
                self.exits.leave(label, 0, join.before, Why(Reason.COLD_EDGE), 0.0)
            except FlagsLost:
                join.dead = True
                return False
            self._joins[key] = join
        if not self._arrive(path, join, path.node.weight):
            return False
        if len(join.arrivals) == 1 and not join.lifted and not join.tries:
            self._begin(join, leaf)
        return True

    def _key(self, leaf: Leaf, label: str) -> tuple[object, ...]:
        """Paths that can come together have the same."""
        state = leaf.state
        around = tuple((join.number, join.tries) for join in leaf.inside)
        rounds = leaf.seen.get(label, 0)
        return label, state.esp, tuple(sorted(state.returns.items())), state.segments, around, rounds

    def _begin(self, join: Join, leaf: Leaf) -> None:
        """Lift what is behind it some time."""
        join.lifted = False
        body = join.cycle.body if join.cycle is not None else frozenset()
        seen = {label: count for label, count in leaf.seen.items() if label not in body}
        inside = (*(each for each in leaf.inside if each is not join), *([join] if join.cycle is not None else []))
        self._plant(Leaf(join.top, join.label, join.before, seen, inside, (join, join.tries), begins=True))

    def _arrive(self, path: Path, join: Join, weight: float) -> bool:
        """Let the path lead to a join; if that is not yet what it brings, the join is begun anew."""
        state = path.leaf.state
        learned = self.joins.learn(join, state, self.exits.matters(join.label, 0), self._whole)
        if learned is None:
            return False
        path.node.end = Again(join.top, {})
        join.arrivals.append(Arrival(path.node, state, weight))
        join.weigh()
        if learned and join.lifted:
            join.tries += 1
            if join.tries > MOST_TRIES:
                raise Refused(f"the loop at {join.label} brings something new each time")
            join.top.effects.clear()
            join.top.end, join.top.size = None, 0
            self._begin(join, replace(path.leaf, inside=self._around(path.leaf, join)))
            self._forget()
        return True

    @staticmethod
    def _around(leaf: Leaf, join: Join) -> tuple[Join, ...]:
        """The loops around a join, seen from a path that leads there."""
        return leaf.inside[: leaf.inside.index(join)] if join in leaf.inside else leaf.inside

    def _forget(self) -> None:
        """What has been begun anew leads nowhere any more."""
        alive = {id(node): node for node in reached(self._root)}
        self.lifted = sum(node.size for node in alive.values())
        for join in self.joins.all:
            join.arrivals = [a for a in join.arrivals if id(a.node) in alive and leads(a.node, join.top)]
            join.dead = not join.arrivals
            join.weigh()

    def _bind(self) -> None:
        """Every path that leads to a join brings what it has; the first one that is found counts as the way in."""
        states = {(id(a.node), id(join.top)): (join, a.state) for join in self.joins.all for a in join.arrivals}
        pending, entered = [self._root], set[int]()
        while pending:
            node = pending.pop()
            if not isinstance(node.end, Again | Enter):
                pending += node.children()
                continue
            top = node.end.top
            join, state = states[id(node), id(top)]
            self._keep(node, join.label, self.joins.state(join), state)
            bindings = self.joins.bindings(join, state)
            if id(top) in entered:
                node.end = Again(top, bindings)
            else:
                node.end = Enter(top, bindings)
                entered.add(id(top))
                pending.append(top)

    def _keep(self, node: Node, label: str, there: State, state: State) -> None:
        """Store what memory must have at a join."""
        insn = next(iter(self.values.index.blocks[label].insns), NOTHING)
        for slot, value in to_keep(there, state):
            where = self.pool.stack(slot)
            node.effects.append(Effect(self.count, "keep", insn, address=where, value=value, below=state.esp))
            self.count += 1
