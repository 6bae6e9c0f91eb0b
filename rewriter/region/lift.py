"""Symbolic execution along the hot edges: a tree of straight code, the likeliest paths first, within a budget.

Where two paths meet again each goes on alone (tail duplication), but at the top of a loop; or, with `Limits.joins`,
wherever much is behind (`meet`).  A path ends at a return, where it comes together with another, or at an exit: where
it gets unlikely, where an instruction is not understood.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.graph import Way
from rewriter.analysis.state import State as Known
from rewriter.ir import Block, Insn
from rewriter.passes.work import Work
from rewriter.reasons import Reason, Why
from rewriter.region import rules
from rewriter.region.either import either
from rewriter.region.exits import FlagsLost, Refused
from rewriter.region.fixed import call
from rewriter.region.flag import CallEnds, Condition, Unsupported, alternatives
from rewriter.region.limits import Limits as Limits
from rewriter.region.meet import Meeting
from rewriter.region.moment import Moment
from rewriter.region.passed import pass_on
from rewriter.region.path import Leaf, Path
from rewriter.region.segments import Segments
from rewriter.region.state import State
from rewriter.region.tree import Branch, Exit, Node, Return
from rewriter.region.value import Pool, Value
from rewriter.region.weight import weigh
from rewriter.x86.decode import decode
from rewriter.x86.flow import CALLS, Flow, flow


class Lifter(Meeting):
    """`known`: what registers hold at the entry."""

    def __init__(self, work: Work, known: Mapping[str, Value], pool: Pool, limits: Limits) -> None:
        super().__init__(work, pool, limits)
        self.known = known

    def run(self) -> Node:
        """The whole tree.  Raises Refused."""
        root = self._root
        state = State.at_entry(self.pool, self.known)
        if self.work.number is not None:
            state.segments = Segments.of_program(self.pool)
        self._plant(Leaf(root, self.work.name, state, {}))
        while self._heap:
            self.work.depths.poll()
            _, _, leaf = heapq.heappop(self._heap)
            if leaf.stale:
                continue
            path = Path(leaf, leaf.node)
            if leaf.begins:
                assert leaf.under is not None
                leaf.state, leaf.under[0].lifted = self.joins.state(leaf.under[0]), True
            elif self._meets(path, leaf.label):
                continue
            why = self._ends(leaf)
            if why is not None:
                leaf.node.end = self._exit(leaf.label, 0, leaf.state, why, leaf.node.weight)
            else:
                self._grow(path)
        self._bind()
        pass_on(root)
        weigh(root)
        return root

    def _ends(self, leaf: Leaf) -> Why | None:
        """Why a path is not followed; None if it is."""
        reason = None
        if leaf.label not in self.values.states or leaf.label not in self.values.index.blocks:
            reason = Reason.OTHER_CODE
        elif self.work.number is not None and self.exits.elsewhere(leaf.label):
            reason = Reason.GATE_CODE
        elif leaf.node.weight < self.limits.least * self._entries:
            reason = Reason.COLD_EDGE
        elif leaf.seen.get(leaf.label, 0) >= self.limits.rounds:
            reason = Reason.LOOP
        elif self.lifted >= self.limits.budget:
            reason = Reason.BUDGET
        if reason is not None and leaf.label in self.work.failing:
            reason = Reason.GUARD_FAILS
        return None if reason is None else Why(reason)

    def _exit(self, label: str, site: int, state: State, why: Why, weight: float) -> Exit:
        try:
            return self.exits.leave(label, site, state, why, weight)
        except FlagsLost as lost:
            raise Refused(str(lost)) from None

    # One piece

    def _grow(self, path: Path) -> None:
        """Lift block after block, up to a branch that is not decided, a return or an exit."""
        leaf = path.leaf
        label: str | None = leaf.label
        while label is not None:
            leaf.seen[label] = leaf.seen.get(label, 0) + 1
            block = self.values.index.blocks[label]
            if not self._straight(path, block):
                return
            try:
                label = self._turn(path, block)
            except (Unsupported, FlagsLost) as obstacle:
                self._stop(path, block.label, len(block.insns) - 1, obstacle.why)
                return
            if label is None:
                return
            if self._meets(path, label):
                return
            why = self._ends(Leaf(path.node, label, leaf.state, leaf.seen))
            if why is not None:
                self._stop(path, label, 0, why)
                return

    def _straight(self, path: Path, block: Block) -> bool:
        """The instructions that go on to the next; False if the path has ended."""
        state = path.leaf.state
        for site, insn, known in self.values.walk(block.label):
            if known.esp != state.esp:
                raise Refused("esp is not known everywhere")
            if flow(insn.raw) is not Flow.NEXT:
                return True
            before, effects = state.copy(), len(path.node.effects)
            try:
                self._step(path, block.label, site, insn, known)
            except (Unsupported, FlagsLost) as obstacle:
                path.leaf.state = before
                del path.node.effects[effects:]
                self._stop(path, block.label, site, obstacle.why)
                return False
            self._note(path, block.label, site, before, effects)
            self._check_flags(path, block.label, site, before, effects)
        return True

    def _step(self, path: Path, label: str, site: int, insn: Insn, known: Known) -> None:
        self.lifted += 1
        self.pool.origin, flags = insn.origin, path.leaf.state.flags
        path.node.size += 1
        moment = self._moment(path, label, site, insn, known)
        if flow(insn.raw) is Flow.NEXT:
            rules.run(moment)
        else:
            call(moment, self.values.transfer.callees)
        self.count = moment.count
        if path.leaf.state.flags != flags:
            path.leaf.state.flags_by = insn.origin

    def _moment(self, path: Path, label: str, site: int, insn: Insn, known: Known) -> Moment:
        transfer = self.values.transfer
        behind = known.copy()
        transfer.step(label, site, insn, behind)
        step = transfer.at(label, site, insn, known)
        return Moment(
            self.pool,
            self.exits,
            path.leaf.state,
            path.node.effects,
            step,
            behind.escaped,
            path.node.weight * self._share_of_faults(label, insn),
            self.count,
            self.work.contract.stack_size,
        )

    def _share_of_faults(self, label: str, insn: Insn) -> float:
        """How often the profile saw an instruction fault, for each time that it ran."""
        heat = self.work.heat
        count = heat.block(label)
        return min(1.0, heat.edge(label, insn.faults_to) / count) if insn.faults_to is not None and count else 0.0

    def _note(self, path: Path, label: str, site: int, before: State, effects: int) -> None:
        """Remember return addresses, and the state before a place that is not in the original program."""
        if self.home is None:
            return
        state = path.leaf.state
        returns_to = self.home.returns_to(label, site)
        if returns_to is not None:
            state.returns[state.esp] = self.pool.label(returns_to, 0)
        if self.home.of(label, site) is not None and self.home.of(label, site + 1) is None:
            path.checkpoints.append((effects, label, site, before))

    def _check_flags(self, path: Path, label: str, site: int, before: State, effects: int) -> None:
        """Remember the state before flags that are not a value."""
        flags = path.leaf.state.flags
        if flags != before.flags and (flags is None or flags.kind == "effect"):
            path.checkpoints.append((effects, label, site, before))

    def _stop(self, path: Path, label: str, site: int, why: Why) -> None:
        """End the piece before this instruction; where flags matter that are lost, before they were made."""
        state, node = path.leaf.state, path.node
        while True:
            try:
                node.end = self.exits.leave(label, site, state, why, node.weight)
            except FlagsLost:
                if not path.checkpoints:
                    raise Refused(f"flags matter at {label}: {why}") from None
                effects, label, site, state = path.checkpoints.pop()
                del node.effects[effects:]
            else:
                return

    # Ends of blocks

    def _turn(self, path: Path, block: Block) -> str | None:
        """The label where the path goes on; None if it has ended.  Raises Unsupported, FlagsLost."""
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last is not None else Flow.NEXT
        if last is None or kind is Flow.NEXT:
            return block.falls_to
        if kind is Flow.JUMP:
            return last.refs[0].target
        if kind is Flow.BRANCH:
            return self._branch(path, block, last)
        if kind in CALLS:
            return self._call(path, block, last)
        if kind is Flow.RETURN and path.leaf.state.esp == 0:
            path.node.end = Return(last, *self.exits.returned(path.leaf.state))
            return None
        if kind is Flow.IRET and self.work.number is not None:
            path.node.end = self._back(path.leaf.state, last)
            return None
        raise Unsupported(f"{decode(last.raw).mnemonic} leaves")

    def _back(self, state: State, last: Insn) -> Return:
        """`iret`: the program gets all of its registers."""
        if state.esp != 0 or any(slot >= 0 for slot in state.slots):
            raise Unsupported("iret from another frame than the gate's")
        if state.segments is None or state.segments[:2] != Segments.of_program(self.pool)[:2]:
            raise Unsupported("iret with other segments than at the gate")
        return Return(last, dict(state.registers), {}, state.segments._replace(upward=False))

    def _call(self, path: Path, block: Block, last: Insn) -> str | None:
        site = len(block.insns) - 1
        known = self.values.before_last(block.label)
        before, effects = path.leaf.state.copy(), len(path.node.effects)
        try:
            if block.falls_to is None or not self.limits.calls:
                raise Unsupported("no room for what must survive it" if block.falls_to else "it does not return")
            self._step(path, block.label, site, last, known)
        except Unsupported as why:
            path.leaf.state = before
            del path.node.effects[effects:]
            raise CallEnds(str(why)) from None
        self._check_flags(path, block.label, site, before, effects)
        return block.falls_to

    def _branch(self, path: Path, block: Block, last: Insn) -> str | None:
        state = path.leaf.state
        code = condition_of(decode(last.raw).mnemonic)
        if not code:
            raise Unsupported("a branch that counts")
        taken, falls = last.refs[0].target, block.falls_to
        assert falls is not None
        ways = {edge.way for edge, _ in self.values.ways(block.label)}
        asked = state.condition(self.pool, code)
        if isinstance(asked, bool):
            return taken if asked else falls
        if Way.TAKEN not in ways or Way.FALL not in ways:
            return taken if Way.TAKEN in ways else falls
        self._fork(path, block, last, asked, taken, falls)
        return None

    def _fork(self, path: Path, block: Block, last: Insn, asked: Condition, taken: str, falls: str) -> None:
        state, node = path.leaf.state, path.node
        if asked.flags.kind == "effect" and (not node.effects or node.effects[-1].number != asked.flags.effect):
            raise FlagsLost("flags that something else has changed")
        for label in (taken, falls):
            self.exits.leave(label, 0, state, Why(Reason.COLD_EDGE), 0.0)  # raises FlagsLost where nothing could leave
        weights = self._weights(node, block.label, taken, falls)
        parts = either(asked)
        if len(parts) == 1 and len(either(asked.opposite)) > 1:
            parts, taken, falls, weights = either(asked.opposite), falls, taken, weights[::-1]
        leaves = []
        for left, each in zip(range(len(parts))[::-1], parts, strict=True):
            share = weights[0] / len(parts)
            after = state.copy()
            after.assume(self.pool, each, True)
            state.assume(self.pool, each, False)
            ways = (taken, share, after), (falls, weights[1] + left * share, state)
            made = [Leaf(Node(w), to, s, dict(path.leaf.seen), path.leaf.inside, path.leaf.under) for to, w, s in ways]
            node.end = self._end(each, made[0].node, made[1].node, last.origin, state.flags_by)
            leaves += made[:1] if left else made
            node = made[1].node
        for leaf in leaves:
            self._plant(leaf)

    def _end(self, asked: Condition, taken: Node, falls: Node, origin: int | None, by: int | None) -> Branch:
        if asked.code == "ne":
            asked, taken, falls = asked.opposite, falls, taken
        return Branch(alternatives(self.pool, asked), taken, falls, origin, by)

    def _weights(self, node: Node, source: str, taken: str, falls: str) -> tuple[float, float]:
        """How often each side is taken: in the shares that the profile saw."""
        heat = self.work.heat
        first, second = heat.edge(source, taken), heat.edge(source, falls)
        if first + second <= 0:
            first, second = heat.block(taken), heat.block(falls)
        total = first + second
        return (node.weight * first / total, node.weight * second / total) if total > 0 else (0.0, 0.0)
