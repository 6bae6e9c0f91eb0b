"""Arguments of a system call whose values are known: implied by its number, or tested at its entry (§4.2).

    implied:  mov ebx, [esp + 0x1c]    ⇒    mov ebx, 0

    guarded:                           ⇒    cmp dword ptr [esp + 0xc], 0
              push ebp                      jne sys_lseek          ; the general path, with the stack as at entry
                                            push ebp               ; from here on the slot holds 0

An implied argument is ignored: its slot is the saved user register, which may hold anything and must stay.  So *every*
read of the slot must be replaced; where that cannot be proved, the argument is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.analysis.graph import EXCEPTIONAL
from rewriter.analysis.state import EVERYTHING, Range, State, cover
from rewriter.analysis.summary import FRAME, Summary, depth_reach
from rewriter.analysis.value import WORD, Opaque, Value, constant
from rewriter.analysis.values import Values
from rewriter.analysis.worklist import solve
from rewriter.edit import clone, renamed, written
from rewriter.ir import Block, Insn
from rewriter.passes.constants import constants
from rewriter.passes.deadcode import deadcode, unreachable
from rewriter.passes.work import Work
from rewriter.reasons import Reason, Why
from rewriter.x86.effects import effects
from rewriter.x86.encode import assemble, branch
from rewriter.x86.flow import CALLS, Flow, flow

NAME = "arguments"


def slot_of(argument: int) -> int:
    """Where the handler finds argument 0, 1, …: offset from its entry esp."""
    return WORD + WORD * argument


def imply(work: Work, known: dict[int, int]) -> tuple[dict[int, int], dict[int, Why]]:
    """Replace every read of these arguments by its value; those that were not refused, and those that were."""
    original = clone(work.function.blocks, {})
    accepted, refused = dict(known), dict[int, Why]()
    while accepted:
        slots = {slot_of(n): constant(value) for n, value in accepted.items()}
        constants(work, slots)
        deadcode(work)
        unreachable(work)
        found = {n: Why(Reason.STILL_READ, read) for n in accepted if (read := _read(work, n))}
        if not found:
            break
        refused |= found
        accepted = {n: value for n, value in accepted.items() if n not in found}
        work.function.blocks[:] = clone(original, {})
    return accepted, refused


def _read(work: Work, argument: int) -> str | None:
    """Why the argument's slot may still be read; None if it cannot."""
    slot = slot_of(argument)
    name = Value(Opaque("", 0, f"argument {argument}"))
    values = work.values({slot: name})
    given = _given(values, slot)
    for block in values.blocks:
        may_be_given = given[block.label]
        for site, insn, state in values.walk(block.label):
            if not may_be_given:
                break  # on every way here the function has put something else there, which is real
            may_be_given = not _overwrites(values, block, site, insn, state, slot)
            if cover(state.escaped, slot, slot + WORD):
                return "the address of an argument escapes"
            for place, why in _reads(work, values, block, site, insn, state):
                if place[0] < slot + WORD and slot < place[1]:
                    return why
    return None


def _given(values: Values, slot: int) -> dict[str, bool]:
    """Whether the slot may still hold what the caller put there, at the top of every block."""

    def pass_on(label: str, given: bool) -> Iterator[tuple[str, bool]]:
        block = values.index.blocks.get(label)
        if block is None or label not in values.states:
            return
        kept = given and not any(_overwrites(values, block, *step, slot) for step in values.walk(label))
        for edge, _ in values.ways(label):
            yield edge.target, given if edge.way in EXCEPTIONAL else kept

    return solve([(values.entry, True)], pass_on, lambda _, old, new: bool(old) or new)


def _overwrites(values: Values, block: Block, site: int, insn: Insn, state: State, slot: int) -> bool:
    """Whether an instruction certainly writes the whole slot."""
    if flow(insn.raw) in CALLS or insn.faults_to is not None:
        return False
    step = values.transfer.at(block.label, site, insn, state)
    touched = [step.touched(mem, size) for mem, size in effects(insn).stores if step.exact(mem, size)]
    return (slot, slot + WORD) in touched and not step.decoded.prefixes


def _reads(
    work: Work, values: Values, block: Block, site: int, insn: Insn, state: State
) -> Iterator[tuple[Range, str]]:
    """Stack bytes that an instruction, or what it calls, may read."""
    returns = work.returns.get(block.label, (0,))
    step = values.transfer.at(block.label, site, insn, state)
    for mem, size in effects(insn).loads:
        if (place := step.touched(mem, size)) is not None:
            yield place, f"{step.decoded.mnemonic} reads it"
    kind = flow(insn.raw)
    if kind in CALLS:
        callee = work.depths.of_call(insn)
        low = state.esp if state.esp is not None else EVERYTHING[0]
        yield (low, depth_reach(callee.use_depth, state, returns)), f"use depth of a callee {callee.reason}".strip()
    elif kind is Flow.IRET or (kind is Flow.JUMP_INDIRECT and not values.index.table(block)):
        yield EVERYTHING, "control leaves for an unknown place"
    if site == len(block.insns) - 1:
        for edge, behind in values.ways(block.label):
            if values.tail_call(edge, behind):
                yield (0, _depth(work.depths.of(edge.target))), f"use depth of {edge.target}"


def _depth(callee: Summary) -> int:
    return EVERYTHING[1] if callee.use_depth is None or callee.use_depth >= FRAME else callee.use_depth


def guard(work: Work, general: str, known: dict[int, int]) -> None:
    """Test the arguments at the entry; where one differs, `general` does all: the original handler, or a copy of it
    in which the other arguments are implied."""
    inner, labels = _make_room(work), work.labels()
    names = [work.name, *(labels.fresh() for _ in list(known)[1:]), inner]
    tests = []
    for position, (n, value) in enumerate(known.items()):
        test = [*assemble([f"cmp dword ptr [esp + {slot_of(n):#x}], {value:#x}"]), branch("ne", general)]
        tests.append(Block(names[position], written(test, NAME, Reason.TESTED), names[position + 1]))
        work.stands_for[names[position]] = general, 0
    work.failing.add(general)
    _enter(work, tests, inner)


def renumber(work: Work, number: int) -> None:
    """Let eax hold the number by which the handler was called before: it may read it.

    sys_open$201:  push eax    ⇒    sys_open$201:  mov eax, 5
                                                   push eax
    """
    inner = _make_room(work)
    again = written(assemble([f"mov eax, {number:#x}"]), NAME, Reason.RENUMBERED)
    _enter(work, [Block(work.name, again, inner)], inner)
    work.outcome.did(NAME, work.name, work.name, Reason.RENUMBERED, f"{number:#x}")


def _make_room(work: Work) -> str:
    """The old entry block gets another label, which is returned: something comes before it."""
    inner = work.labels().fresh()
    blocks = [Block(b.label, b.insns, b.falls_to) for b in work.function.blocks]
    for block in blocks:
        block.insns = [renamed(insn, {work.name: inner}) for insn in block.insns]
        block.falls_to = inner if block.falls_to == work.name else block.falls_to
        block.label = inner if block.label == work.name else block.label
    work.clone_of[inner] = work.clone_of.pop(work.name, work.name)
    if work.name in work.pieces:
        work.pieces[inner] = work.pieces.pop(work.name)
    if work.name in work.holes:
        work.holes[inner] = work.holes.pop(work.name)
    work.function.blocks[:] = blocks
    return inner


def _enter(work: Work, first: list[Block], inner: str) -> None:
    """Begin with these blocks, the last of which falls to the old entry."""
    names = [block.label for block in first]
    work.returns |= dict.fromkeys([*names, inner], (0,))
    _warm(work, [*names, inner])
    work.function.blocks[:0] = first


def _warm(work: Work, names: list[str]) -> None:
    """The old entry's counts move to its new label."""
    entry, inner = names[0], names[-1]
    count = work.heat.block(entry)
    work.heat.edges = {
        (inner if a == entry else a, inner if b == entry else b): n for (a, b), n in work.heat.edges.items()
    }
    for name, after in zip(names, [*names[1:], None], strict=True):
        work.heat.blocks[name] = count
        if after:
            work.heat.flow(name, after, count)
