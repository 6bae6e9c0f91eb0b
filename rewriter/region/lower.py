"""The tree as blocks: one forward walk, registers given away on the way, the hotter side of a branch next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rewriter.ir import Block, Made
from rewriter.reasons import Reason
from rewriter.region.exits import Refused
from rewriter.region.flag import Condition
from rewriter.region.future import Future, Uses, room
from rewriter.region.machine import GENERAL, Line, Machine, Places
from rewriter.region.segments import Segments
from rewriter.region.tailcode import TailWriter
from rewriter.region.tails import tails
from rewriter.region.tree import Again, Branch, Enter, Exit, Node, Return
from rewriter.region.turns import again, enter
from rewriter.region.value import Pool, Value, values_in
from rewriter.region.writer import Writer
from rewriter.x86.encode import EncodeError, assemble, branch, call
from rewriter.x86.flow import Flow, flow


@dataclass(slots=True)
class Draft:
    """A block to be."""

    label: str
    weight: float
    lines: list[Line] = field(default_factory=list)
    falls_to: str | None = None


@dataclass(slots=True)
class Lowered:
    """Blocks, the entry first; how often each is expected to run; labels of exits, as `(label, site)` of the code that
    was lifted, by the label that the blocks call them."""

    blocks: list[Block]
    weights: dict[str, float]
    exits: dict[str, tuple[str, int]]


class Lowerer:
    """`fresh` gives new labels; `depth` is how far below the entry esp the stack may be used, `frame` how far it was
    the last time; `near` and `pushes`: where spilled words are to lie."""

    def __init__(
        self,
        root: Node,
        pool: Pool,
        fresh: Callable[[], str],
        depth: int,
        stack_size: int,
        frame: int = 0,
        *,
        pushes: bool = False,
        near: bool = False,
        shared: bool = False,
        poll: Callable[[], None] = lambda: None,
    ) -> None:
        self.poll = poll
        self.root = root
        self.pool = pool
        self.fresh = fresh
        self.stack_size = stack_size
        self.future = Future(root)
        self.room = room(root, depth, frame, near=near)
        self.room.pushes = pushes
        self.tails = tails(root, depth) if shared else {}
        for tail in self.tails.values():
            self.room.homes |= {v: slot for v, slot in tail.homes.items() if slot in self.room.slots}
        self.drafts: list[Draft] = []
        self.exits: dict[str, tuple[str, int]] = {}
        lowest = min((slot for tail in self.tails.values() for slot, _ in tail.words), default=0)
        self.tail_writer = TailWriter(fresh, lambda places: self._writer(places).m, lowest)
        self._tops: dict[int, tuple[str, Places]] = {}  # of loops: label, and what is where there
        self._names: dict[tuple[str, int], str] = {}

    def run(self, entry: str, known: Mapping[str, Value], segments: Segments | None = None) -> Lowered:
        """`known`: what registers hold; `segments`: also these.  Raises Refused."""
        held = {name: known.get(name) or self.pool.make("param", name) for name in GENERAL}
        pending = [(self.root, entry, Places(held, segments=segments))]
        while pending:
            self.poll()
            node, label, places = pending.pop()
            pending += self._node(node, label, places)
        for label, (lines, after, weight) in self.tail_writer.lines.items():
            self.drafts.append(Draft(label, weight, lines, after))
        blocks = _assembled(self.drafts)
        weights = {draft.label: draft.weight for draft in self.drafts}
        return Lowered(_shared(blocks, set(self.exits)), weights, self.exits)

    def _writer(self, places: Places) -> Writer:
        return Writer(Machine(places, self.pool, self.room, self.future.wishes, self.stack_size))

    def _draft(self, label: str, weight: float) -> Draft:
        draft = Draft(label, weight)
        self.drafts.append(draft)
        return draft

    def _node(self, node: Node, label: str, places: Places) -> list[tuple[Node, str, Places]]:
        """Write one piece; the pieces behind it, the next one last."""
        writer = self._writer(places)
        m = writer.m
        m.highest = self.future.highest[id(node)]
        draft = self._draft(label, node.weight)
        behind = self.future.behind(node)
        for position, effect in enumerate(node.effects):
            m.after = behind[position]
            stub = self.fresh() if effect.fault is not None else None
            at_fault = writer.write(effect, stub)
            if stub is not None:
                assert effect.fault is not None
                assert at_fault is not None
                self._exit(effect.fault, stub, at_fault)
            if stub is not None or effect.kind == "call":
                draft = self._cut(draft, m, node.weight)
        m.after = Uses(tuple(node.end.uses()) if node.end is not None else ())
        if isinstance(node.end, Branch):
            return self._branch(node, node.end, writer, draft)
        if isinstance(node.end, Enter | Again):
            if id(node.end.top) not in self._tops:
                return self._enter(node.end, writer, draft)
            draft.falls_to, places = self._tops[id(node.end.top)]
            again(writer, node.end, places)
            draft.lines = m.lines
            return []
        writer.flush()
        if isinstance(node.end, Return):
            m.origin = node.end.insn.origin
            writer.returns(node.end)
            m.lines.append(Line(node.end.insn, node.end.insn.origin))
        else:
            assert isinstance(node.end, Exit)
            self._leave(node.end, writer)
            draft.falls_to = self._name(node.end)
        draft.lines = m.lines
        return []

    def _leave(self, exit: Exit, writer: Writer) -> None:
        """Write the way out, or what of it is not shared with others."""
        tail = self.tails.get(id(exit))
        if tail is None:
            writer.leave(exit)
            return
        writer.leave(replace(exit, slots=tail.left(exit)))
        head = self.tail_writer.head(tail, exit.esp)
        writer.m.lines.append(Line(call(head), exit.address, why=Reason.REBUILT))

    def _cut(self, draft: Draft, m: Machine, weight: float) -> Draft:
        """End a block behind a call, or behind what may fault."""
        draft.lines, m.lines = m.lines, []
        draft.falls_to = self.fresh()
        return self._draft(draft.falls_to, weight)

    def _enter(self, end: Enter | Again, writer: Writer, draft: Draft) -> list[tuple[Node, str, Places]]:
        """On to a join that nobody has come to yet."""
        label, places = self.fresh(), enter(writer, end, self.future)
        self._tops[id(end.top)] = label, places
        draft.lines, draft.falls_to = writer.m.lines, label
        return [(end.top, label, places.copy())]

    def _branch(self, node: Node, end: Branch, writer: Writer, draft: Draft) -> list[tuple[Node, str, Places]]:
        m = writer.m
        below = self.future.below(node)
        m.after = Uses((*values_in(end.conditions[1:]), *below.hot), below.cold)
        m.origin, m.why = end.asked or end.origin, Reason.CONDITION
        hot, cold = (end.taken, end.falls) if end.taken.weight > end.falls.weight else (end.falls, end.taken)
        labels = {id(hot): self.fresh(), id(cold): self.fresh()}
        *first, last = end.conditions
        for asked in first:
            draft = self._either(asked, labels[id(end.taken)], writer, draft, node.weight)
        before = m.at.copy()
        wanted = last if cold is end.taken else last.opposite
        with writer.ready(last.flags, last.code) as lines:
            writer.flush()
            writer.fire(lines, last.flags)
        m.lines.append(Line(branch(wanted.code, labels[id(cold)]), end.origin, why=Reason.CONDITION))
        draft.lines, draft.falls_to = m.lines, labels[id(hot)]
        if first:
            self._same(before, m.at)
        return [(cold, labels[id(cold)], m.at.copy()), (hot, labels[id(hot)], m.at)]

    def _either(self, asked: Condition, label: str, writer: Writer, draft: Draft, weight: float) -> Draft:
        """Go to the label if the condition holds; another one is tested behind it."""
        m = writer.m
        with writer.ready(asked.flags, asked.code) as lines:
            writer.flush()
            writer.fire(lines, asked.flags)
        m.lines.append(Line(branch(asked.code, label), m.origin, why=Reason.CONDITION))
        return self._cut(draft, m, weight)

    @staticmethod
    def _same(first: Places, second: Places) -> None:
        """Where two ways lead to one place, everything must be where it was."""
        if (first.held, first.memory, first.gone, first.level) != (
            second.held,
            second.memory,
            second.gone,
            second.level,
        ):
            raise Refused("two conditions that need different registers")
        second.flags = ()

    def _exit(self, exit: Exit, label: str, places: Places) -> None:
        """The way from a fault to its fixup."""
        writer = self._writer(places)
        writer.m.highest = exit.esp
        draft = self._draft(label, exit.weight)
        self._leave(exit, writer)
        draft.lines, draft.falls_to = writer.m.lines, self._name(exit)

    def _name(self, exit: Exit) -> str:
        """How the blocks call the place where an exit leads."""
        if exit.leaves:
            return exit.label
        place = exit.home or (exit.label, exit.site)
        if place not in self._names:
            self._names[place] = self.fresh()
            self.exits[self._names[place]] = place
        return self._names[place]


def _assembled(drafts: list[Draft]) -> list[Block]:
    """All lines at once.  Raises Refused."""
    texts = [line.text for draft in drafts for line in draft.lines if isinstance(line.text, str)]
    try:
        made = iter(assemble(texts))
    except EncodeError as error:
        raise Refused(str(error)) from None
    blocks = []
    for draft in drafts:
        insns = []
        for line in draft.lines:
            insn = next(made) if isinstance(line.text, str) else line.text
            source = insn.made if line.why is None else Made("region", line.why, line.others)
            insns.append(replace(insn, origin=line.origin, faults_to=line.faults_to, made=source))
        blocks.append(Block(draft.label, insns, draft.falls_to))
    return blocks


_STRAIGHT = (Flow.NEXT, Flow.CALL)


def _shared(blocks: list[Block], exits: set[str]) -> list[Block]:
    """Equal ways out are one; empty ones are none."""
    renamed: dict[str, str] = {}
    first: dict[object, str] = {}
    for block in blocks[1:]:
        if not block.insns and block.falls_to is not None and _last(block.falls_to, renamed) != block.label:
            renamed[block.label] = block.falls_to
            continue
        if block.falls_to not in exits or any(flow(insn.raw) not in _STRAIGHT for insn in block.insns):
            continue
        key = (block.falls_to, tuple((insn.raw, insn.refs, insn.faults_to) for insn in block.insns))
        if first.setdefault(key, block.label) != block.label:
            renamed[block.label] = first[key]
    whole = {label: _last(label, renamed) for label in renamed}
    return [_led(block, whole) for block in blocks if block.label not in renamed]


def _last(label: str, renamed: Mapping[str, str]) -> str:
    """Where a label leads, over all that are gone."""
    while label in renamed:
        label = renamed[label]
    return label


def _led(block: Block, renamed: Mapping[str, str]) -> Block:
    from rewriter.edit import renamed as with_labels

    insns = [with_labels(insn, renamed) for insn in block.insns]
    return Block(block.label, insns, renamed.get(block.falls_to or "", block.falls_to))
