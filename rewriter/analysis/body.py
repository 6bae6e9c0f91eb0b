"""Which blocks belong to a function when it is copied, and why it must not be (§4.1, §5.4)."""

from __future__ import annotations

from collections.abc import Collection

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Edge, Index, Way
from rewriter.analysis.state import EVERYTHING, State, at_return
from rewriter.analysis.summary import depth_reach
from rewriter.analysis.values import Values
from rewriter.ir import Block
from rewriter.reasons import Reason, Why
from rewriter.x86.effects import effects
from rewriter.x86.flow import CALLS, Flow, flow


class Body:
    """All blocks that control reaches from a function's entry without a call, fixups and parts that the compiler put
    elsewhere included.  A tail call ends it, unless it leads to one of `follow`."""

    def __init__(self, depths: Depths, name: str, follow: Collection[str] = ()) -> None:
        self.index: Index = depths.index
        self.depths = depths
        self.name = name
        self.entry = self.index.functions[name].blocks[0].label
        self.follow = frozenset(follow) - {name}
        self.values = _Following(depths, self.entry, self.follow)
        self.blocks = self._collect()

    def _collect(self) -> list[Block]:
        found: dict[str, Block] = {}
        pending = [self.entry]
        while pending:
            label = pending.pop()
            if label in found or label not in self.index.blocks:
                continue
            block = found[label] = self.index.blocks[label]
            pending += [e.target for e in reversed(self.index.edges(block)) if not self.leaves(e)]
        owners = {(owner := self.index.owners[label]).name: owner for label in found}
        order = {block.label: n for owner in owners.values() for n, block in enumerate(owner.blocks)}
        mine = self.index.functions[self.name]
        return sorted(found.values(), key=lambda b: (self.index.owners[b.label] is not mine, order.get(b.label, 0)))

    def leaves(self, edge: Edge) -> bool:
        """Whether this edge is a tail call."""
        if edge.target == self.entry or edge.target in self.follow or not self.index.is_entry(edge.target):
            return False
        if edge.way is Way.THROW:
            return False
        if edge.source not in self.values.states:
            return True
        return self.values.before_last(edge.source).esp == 0

    def obstacle(self) -> Why | None:
        """Why its calls cannot be inlined; None if they can."""
        pins = self.index.functions[self.name].pins
        if pins:
            return Why(Reason.PINNED, pins[0])
        summary = self.depths.of(self.name)
        if summary.pops is None:
            return Why(Reason.STACK, summary.reason or "esp is not known at its return")
        if not summary.returns:
            return Why(Reason.NEVER_RETURNS)
        if any(label not in self.index.blocks for label in self.values.states):
            return Why(Reason.STACK, "control leaves for an unknown place")
        for block in self.blocks:
            if block.label in self.values.states and (found := self._touches_return(block)):
                return Why(Reason.STACK, found)
        return None

    def exception_table(self) -> bool:
        """Whether one of its instructions has an entry in the exception table (the paper does not inline those)."""
        return any(insn.faults_to for block in self.blocks for insn in block.insns)

    def size(self) -> int:
        """Instructions."""
        return sum(len(block.insns) for block in self.blocks)

    def _touches_return(self, block: Block) -> str | None:
        """Whether the block may read or write the return address: it will not be there."""
        for site, insn, state in self.values.walk(block.label):
            kind = flow(insn.raw)
            if EVERYTHING in state.escaped:
                return "an unknown stack address escapes"
            if kind in CALLS and (reason := self._called(block, state)):
                return reason
            if kind is Flow.RETURN:
                continue
            step = self.values.transfer.at(block.label, site, insn, state)
            found = effects(insn)
            for mem, size in (*found.loads, *found.stores):
                touched = step.touched(mem, size)
                if touched == EVERYTHING:
                    return "touches the stack at an unknown place"
                if touched is not None and at_return(touched):
                    return "uses its return address"
        return None

    def _called(self, block: Block, state: State) -> str | None:
        callee = self.depths.of_call(block.insns[-1])
        for depth in (callee.use_depth, callee.kill_depth):
            if depth is None:
                return callee.reason or "a callee reaches any depth of the stack"
            if depth_reach(depth, state, (0,)) > 0:
                return "a callee reaches its return address"
        return None


class _Following(Values):
    """Values that go on into the tail calls which are to be copied as well."""

    def __init__(self, depths: Depths, entry: str, follow: frozenset[str]) -> None:
        self.follow = follow
        super().__init__(depths.index, depths.transfer(), entry)

    def tail_call(self, edge: Edge, state: State) -> bool:
        return edge.target not in self.follow and super().tail_call(edge, state)
