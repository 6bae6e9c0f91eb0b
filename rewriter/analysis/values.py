"""Conditional constants and copies through registers, flags and stack slots (§4.2)."""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.graph import Edge, Index, Way
from rewriter.analysis.state import State, arrive, entry_state, saved_register
from rewriter.analysis.thrown import thrown
from rewriter.analysis.transfer import Trail, Transfer, operand_value
from rewriter.analysis.value import REGISTERS, WORD, Value
from rewriter.analysis.worklist import solve
from rewriter.ir import Block, Insn
from rewriter.x86.decode import Mem, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import Flow, flow

_MASKS = {name: register_mask(name) for name in REGISTERS}


class Values:
    """What is known at the top of every block that control can reach from `entry`, calls not followed.

    `slots` is known at the entry, by offset from esp.  A block without a state is never executed.  Jumps are followed
    into other functions' blocks, but a jump to another function's entry with esp at its entry value is a tail
    call: it leaves (`tail_call`).  They are not followed to labels `outside`.
    """

    def __init__(
        self,
        index: Index,
        transfer: Transfer,
        entry: str,
        slots: dict[int, Value] | None = None,
        outside: frozenset[str] = frozenset(),
    ) -> None:
        self.index = index
        self.transfer = transfer
        self.entry = entry
        self.outside = outside
        unsaved: frozenset[int] = frozenset()
        self.states: dict[str, State] = {}
        self._known_ways: dict[str, list[tuple[Edge, State]]] = {}
        order = self._order()
        while True:
            transfer.bounds.clear()
            self.states = solve(
                [(entry, entry_state(entry, slots, unsaved))], self._flow, transfer.memory.arrive, order
            )
            more = self._unsaved()
            if not more:
                break
            unsaved |= more
            self._known_ways.clear()
        self.states = {label: self.states[label] for label in self._found()}

    def _order(self) -> dict[str, int]:
        """Blocks in reverse postorder: but for loops, after all that lead to them."""
        done: list[str] = []
        seen = {self.entry}
        stack = [(self.entry, iter(self._successors(self.entry)))]
        while stack:
            label, rest = stack[-1]
            for target in rest:
                if target not in seen:
                    seen.add(target)
                    stack.append((target, iter(self._successors(target))))
                    break
            else:
                stack.pop()
                done.append(label)
        return {label: n for n, label in enumerate(reversed(done))}

    def _successors(self, label: str) -> list[str]:
        block = self.index.blocks.get(label)
        edges = self.index.edges(block) if block is not None else []
        return [edge.target for edge in edges if edge.target not in self.outside]

    def _found(self) -> list[str]:
        """The blocks that can be reached, in the order in which one finds them who goes every way at once."""
        found = dict.fromkeys([self.entry])
        pending = [self.entry]
        for label in pending:
            for edge, state in self.ways(label):
                if edge.target not in found and self._follows(edge, state):
                    found.setdefault(edge.target)
                    pending.append(edge.target)
        return list(found)

    @property
    def blocks(self) -> list[Block]:
        """All blocks that can be reached, the entry first, otherwise in the order of discovery."""
        return [self.index.blocks[label] for label in self.states if label in self.index.blocks]

    def _unsaved(self) -> set[int]:
        """Slots that were taken for saved registers, from which no register is restored."""
        missing = set(self.transfer.bounds)
        for block in self.blocks if missing else ():
            trail = self.trail(block.label)
            if "restored" not in trail.notes:
                found = (self._restored(block.label, *step) for step in self.walk(block.label))
                trail.notes["restored"] = frozenset(slot for slots in found for slot in slots)
            missing -= trail.notes["restored"]
        return missing

    def _restored(self, label: str, site: int, insn: Insn, state: State) -> list[int]:
        """The slots that the instruction loads into the registers that they save."""
        effect = effects(insn)
        saved = state.saved() if effect.loads else []
        if not saved:
            return []
        step = self.transfer.at(label, site, insn, state)
        touched = [step.touched(mem, size) for mem, size in effect.loads]
        register = {slot: saved_register(state.places[slot]) for slot in saved}
        return [slot for slot in saved if (slot, slot + WORD) in touched and effect.writes & _MASKS[register[slot]]]

    def trail(self, label: str) -> Trail:
        """The states on the way through a block that can be reached."""
        return self._trail(label, self.states[label])

    def _trail(self, label: str, top: State) -> Trail:
        return self.transfer.trail(label, self.index.blocks[label].insns, top)

    def walk(self, label: str) -> Iterator[tuple[int, Insn, State]]:
        """Position, instruction, and the state before it: copy it before you change it."""
        trail = self.trail(label)
        return zip(range(len(trail.insns)), trail.insns, trail.states, strict=False)

    def behind(self, label: str) -> State:
        """The state after the block's last instruction, whichever way it takes."""
        return self.trail(label).states[-1]

    def before_last(self, label: str) -> State:
        """The state before the block's last instruction; at the top of an empty block."""
        return _before_last(self.trail(label))

    def tail_call(self, edge: Edge, state: State) -> bool:
        """Whether this edge leaves for another function, which will return for us."""
        leaves = edge.target != self.entry and edge.target not in self.outside and edge.way is not Way.THROW
        return leaves and self.index.is_entry(edge.target) and state.esp == 0

    def _follows(self, edge: Edge, state: State) -> bool:
        return edge.target not in self.outside and not self.tail_call(edge, state)

    def ways(self, label: str) -> list[tuple[Edge, State]]:
        """The edges that can be taken out of a block, with what is known on them; tail calls included.  Found once:
        whoever changes the block afterwards needs new values, or knows that its edges stayed as they were."""
        if label not in self._known_ways:
            self._known_ways[label] = self._ways(label, self.states[label])
        return self._known_ways[label]

    def onward(self, label: str, state: State) -> list[tuple[Edge, State]]:
        """The edges that can be taken out of a block by who comes to its top with this state, and no other."""
        return self._ways(label, arrive(label, None, state))

    def along(self, label: str, state: State) -> list[State]:
        """The states on the way through a block of who comes to its top with this one, and no other."""
        return self._trail(label, arrive(label, None, state)).states

    def _ways(self, label: str, top: State) -> list[tuple[Edge, State]]:
        block = self.index.blocks.get(label)
        if block is None:
            return []
        trail, edges = self._trail(label, top), self.index.edges(block)
        known = trail.notes.get("ways")
        if known is not None and known[0] == edges:
            found: list[tuple[Edge, State]] = known[1]
            return found
        before, behind = _before_last(trail), trail.states[-1]
        found = []
        for edge in edges:
            if edge.way is Way.FAULT:
                found += [(edge, before), (edge, behind)]  # half of the work may be done: what differs is unknown
            elif edge.way is Way.THROW:
                found.append((edge, thrown(self.index.program.unwinding, block, before, behind)))
            elif (state := self._taken(block, edge, before, behind)) is not None:
                found.append((edge, state))
        if not any(edge.way is Way.TABLE for edge in edges):  # a table's words may change, and the edges stay
            trail.notes["ways"] = edges, found
        return found

    def _flow(self, label: str, top: State) -> Iterator[tuple[str, State]]:
        for edge, state in self._ways(label, top):
            if self._follows(edge, state):
                yield edge.target, state

    def _taken(self, block: Block, edge: Edge, before: State, behind: State) -> State | None:
        if not block.insns:
            return behind
        last = block.insns[-1]
        if edge.way is Way.RETURN and not self.transfer.callees.of_call(last).returns:
            return None
        if edge.way is Way.TABLE:
            only = self._chosen(block, last, before)
            return behind if only in (None, edge.target) else None
        if flow(last.raw) is Flow.BRANCH:
            condition = condition_of(decode(last.raw).mnemonic)
            if condition:
                return behind.assume(condition, edge.way is Way.TAKEN)
        return behind

    def _chosen(self, block: Block, last: Insn, state: State) -> str | None:
        """The entry of a jump table that a known index selects."""
        mem = decode(last.raw).operands[0]
        assert isinstance(mem, Mem)
        assert mem.index is not None
        value = operand_value(last, Reg(mem.index, WORD), state)
        table = self.index.table(block)
        number = value.constant if value is not None else None
        return table[number] if number is not None and number < len(table) else None


def _before_last(trail: Trail) -> State:
    return trail.states[max(0, len(trail.insns) - 1)]
