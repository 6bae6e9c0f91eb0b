"""The way in and out of a new system call as part of it (beyond the paper): from the gate to its `iret` one region.

    int 0x80 → system_call:            system_call$sys_lseek$202:
        push eax … push ebx      ⇒        mov ecx, -8192          ; nothing saved that nobody looks at
        mov ds, edx …                     and ecx, esp
        cmp eax, 256; jae …               test byte ptr ss:[ecx + 16], 2
        test byte ptr [ebx + 16], 2       jne exit                ; there it saves what it should have
        jne traced_call                   …
        call sys_call_table[eax]          cli
        …                                 cmp dword ptr ss:[ecx], 0
        iret                              …
                                          iret

The blocks on the way are copied, with the handler's code in the place of the call; where they leave for tracing,
signals, rescheduling, they leave for the entry's own code.  Then that is lifted as any handler is (`region`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from rewriter.analysis.body import Body
from rewriter.analysis.entrance import Entrance, NoEntrance
from rewriter.analysis.graph import jump_table
from rewriter.analysis.value import WORD
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.edit import Labels, clone, renamed, written
from rewriter.facts import FLAT, UNSEEN
from rewriter.ir import Block, Data, Function, Ref
from rewriter.passes.heat import Heat
from rewriter.passes.layout import layout
from rewriter.passes.outcome import Outcome
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.region.cost import executed
from rewriter.region.exits import CostsMore, Refused
from rewriter.region.lift import Limits
from rewriter.region.region import LIMITS, add_region, tell
from rewriter.x86.decode import decode
from rewriter.x86.encode import assemble, call, jump
from rewriter.x86.flow import Flow, flow

NAME = "entry"
MOST = 0.99  # of what a call costs without an entry: whether less is worth its bytes, the budget decides


@dataclass(frozen=True, slots=True)
class Entered:
    """The entry of one new system call; `instructions`: how many are expected from the gate to the `iret`."""

    function: Function
    heat: Heat
    instructions: float
    entries: Mapping[str, tuple[str, int]]  # names of places of the program where it goes on


def enter(
    early: Work,
    handler: str,
    way: Entrance,
    number: int,
    outcome: Outcome,
    *,
    instructions: float | None = None,
    tidies: Iterable[Callable[[Work], None]] = (),
    limits: Limits = LIMITS,
) -> Entered | None:
    """The new system call `early`, made of this handler with nothing folded, with the way to it from the gate for its
    number; None with a remark if that cannot be, or does not pay: `instructions` are those that the call executes
    otherwise.  `tidies`: passes that follow the region."""
    name = f"{way.function}${early.name}"
    try:
        if (why := Body(early.depths, handler).obstacle()) is not None:
            raise NoEntrance(str(why))
        work = joined(early, way, name, number)
        made = add_region(work, limits)
        for tidy in tidies:
            tidy(work)
        cost = executed(work)
        blocks = early.depths.index.blocks
        there = sum(len(blocks[label].insns) for label in (*way.there, *way.back))
        if instructions is not None and cost > MOST * (instructions + there):
            raise CostsMore(f"{cost:.1f} instructions, without it {instructions + there:.1f}")
    except (Refused, NoEntrance) as refused:
        reason = Reason.COSTS_MORE if isinstance(refused, CostsMore) else Reason.ENTRY
        outcome.refuse(NAME, early.name, early.name, reason, str(refused))
        return None
    layout(work)
    early.depths.index.forget(name)
    tell(outcome, NAME, early.name, work, made)
    return Entered(work.function, work.heat, cost, work.entries)


def promised(contract: Contract) -> str | None:
    """What the contract would have to say and does not; None if it says all."""
    missing = [fact for fact in (FLAT, UNSEEN) if fact not in contract.facts]
    return f"the contract does not say: {missing[0]}" if missing else None


def wrapper(plain: Work, handler: str, number: int | None) -> Function:
    """What the table's slot leads to where the call has an entry of its own, for calls that are traced or timed: the
    handler as it was, implied arguments being passed to it.  `number`: what it must find in eax, if it may read it."""
    again = assemble([f"mov eax, {number:#x}"]) if number is not None else []
    called = plain.wrapper.name if plain.wrapper is not None else handler
    return Function(plain.name, [Block(plain.name, written([*again, jump(called)], NAME, Reason.PASSED_ON))])


# The way and the handler as one function


def joined(early: Work, way: Entrance, name: str, number: int) -> Work:
    """Copies of the blocks on the way, and of the handler between them.  Raises Refused."""
    index = early.depths.index
    labels = Labels(name, (f.name for f in index.program.functions))
    route = {label: labels.fresh() for label in (*way.there[1:], *way.back)}
    route[way.there[0]] = name
    body = {block.label: labels.fresh() for block in early.function.blocks}
    body |= {data.name: f"{name}$table{n}" for n, data in enumerate(early.data)}
    at_door = _esp_at_door(early, way)
    blocks = clone([index.blocks[label] for label in (*way.there, *way.back)], route)
    door = blocks[len(way.there) - 1]
    door.insns[-1:] = assemble(["lea esp, [esp - 4]"])
    door.falls_to = body[early.name]
    handler = clone(early.function.blocks, body)
    work = Work(early.depths, early.contract, Function(name, [*blocks, *handler]), early.at_return, number=number)
    work.data = [replace(d, name=body[d.name], refs=_named(d, body)) for d in early.data]
    work.at_home, work.wrapper = early.at_home, early.wrapper
    work.clone_of = {route[label]: label for label in (*way.there[1:], *way.back)}
    work.numbered = frozenset(route[label] for label in way.there)
    work.clone_of |= {body[label]: original for label, original in early.clone_of.items() if label in body}
    work.stands_for = {body[label]: place for label, place in early.stands_for.items() if label in body}
    work.pieces = {body[label]: piece for label, piece in early.pieces.items() if label in body}
    work.holes = {body[label]: behind for label, behind in early.holes.items() if label in body}
    work.holes[door.label] = way.back[0]
    work.failing = {body.get(label, label) for label in early.failing}
    work.returns = {route[label]: (0,) for label in route}
    for label, copy in body.items():
        work.returns[copy] = (0, *(at_door - WORD + offset for offset in early.returns.get(label, (0,))))
    _warm(work, early, way, {**route, **body})
    target = route[way.back[0]]
    _lead_back(work, handler, target, labels)
    values = work.values()
    if target not in values.states or values.states[target].esp != at_door:
        raise NoEntrance("esp is not known where the handler returns")
    return work


def _named(data: Data, labels: Mapping[str, str]) -> dict[int, Ref]:
    return {at: replace(ref, target=labels.get(ref.target, ref.target)) for at, ref in data.refs.items()}


def _esp_at_door(early: Work, way: Entrance) -> int:
    values = Values(early.depths.index, early.depths.transfer(), way.there[0])
    esp = values.before_last(way.there[-1]).esp if way.there[-1] in values.states else None
    if esp is None:
        raise NoEntrance("esp is not known where the entry calls the handler")
    return esp


def _warm(work: Work, early: Work, way: Entrance, labels: Mapping[str, str]) -> None:
    """The handler's counts, and its entries for all on the way."""
    count = early.heat.block(early.name)
    work.heat.blocks = {labels[label]: n for label, n in early.heat.blocks.items() if label in labels}
    work.heat.edges = {
        (labels[a], labels[b]): n for (a, b), n in early.heat.edges.items() if a in labels and b in labels
    }
    route = [*way.there, early.name]
    for label in (*way.there, *way.back):
        work.heat.blocks[labels[label]] = count
    for some in (route, way.back):
        for label, after in pairwise(some):
            work.heat.flow(labels[label], labels[after], count)


def _lead_back(work: Work, handler: list[Block], target: str, labels: Labels) -> None:
    """Where the handler returns it goes on in the entry; a tail call returns there."""
    mine = {block.label for block in work.function.blocks}
    for block in handler:
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last is not None else Flow.NEXT
        count = work.heat.block(block.label)
        if last is not None and kind is Flow.RETURN:
            if decode(last.raw).operands:
                raise NoEntrance("the handler takes its arguments off the stack")
            block.insns[-1:] = assemble(["lea esp, [esp + 4]"])
            block.falls_to = target
            work.heat.flow(block.label, target, count)
        elif last is not None and kind is Flow.JUMP_INDIRECT and jump_table(last) is None:
            raise NoEntrance("the handler ends with an indirect jump")
        elif last is not None and kind is Flow.IRET:
            raise NoEntrance("the handler leaves by iret")
        else:
            _tails(work, block, mine, target, labels)


def _tails(work: Work, block: Block, mine: set[str], target: str, labels: Labels) -> None:
    """`jne sys_lseek` ⇒ `jne .7`, where `.7: lea esp, [esp + 4]; call sys_lseek` comes back into the entry."""
    index = work.depths.index
    names = [e.target for e in index.edges(block) if e.target not in mine]
    for name in dict.fromkeys(names):
        if not index.is_entry(name):
            raise NoEntrance(f"the handler leaves for {name}")
        made = Block(labels.fresh(), [*assemble(["lea esp, [esp + 4]"]), call(name)], target)
        work.stands_for[made.label] = name, 0
        work.failing |= {made.label} if name in work.failing else set()
        work.function.blocks.append(made)
        work.returns[made.label] = work.returns[block.label][:2]
        if block.insns:
            block.insns[-1] = renamed(block.insns[-1], {name: made.label})
        block.falls_to = made.label if block.falls_to == name else block.falls_to
