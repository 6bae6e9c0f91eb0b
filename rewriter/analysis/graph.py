"""Where control goes from block to block, jump tables and faults included (§3, §5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from rewriter.ir import Block, Data, Function, Insn, Program, Ref
from rewriter.x86.decode import Mem, decode
from rewriter.x86.flow import CALLS, Flow, flow

WORD = 4


class Way(Enum):
    """How an edge is taken."""

    FALL = "fall"  # to the next block, also where a branch is not taken
    JUMP = "jump"
    TAKEN = "taken"  # a branch that is taken
    RETURN = "return"  # from a call to its return point
    TABLE = "table"  # one entry of a jump table
    FAULT = "fault"  # to the fixup of a user access
    THROW = "throw"  # from a call to the code that catches what it throws


EXCEPTIONAL: Final = (Way.FAULT, Way.THROW)  # out of an instruction that is not done: where its `faults_to` says


class Edge(NamedTuple):
    source: str
    target: str
    way: Way


class Index:
    """Finds blocks, functions and data of one program by label.  Build it anew after a change of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.functions: dict[str, Function] = {}
        self.blocks: dict[str, Block] = {}
        self.owners: dict[str, Function] = {}
        self._labels: dict[str, list[str]] = {}  # of each function's blocks when it was added
        self.data: dict[str, Data] = {data.name: data for data in program.data}
        for function in program.functions:
            self.add(function)

    def add(self, function: Function) -> None:
        """Know one more function (in place of one of the same name)."""
        self.forget(function.name)
        self.functions[function.name] = function
        self._labels[function.name] = [block.label for block in function.blocks]
        for block in function.blocks:
            self.blocks[block.label] = block
            self.owners[block.label] = function

    def forget(self, name: str) -> None:
        """Know nothing of this function any more."""
        for label in self._labels.pop(name, ()):
            del self.owners[label], self.blocks[label]
        self.functions.pop(name, None)

    def is_entry(self, label: str) -> bool:
        """Whether a function begins there."""
        return label in self.functions and self.functions[label].blocks[0].label == label

    def edges(self, block: Block) -> list[Edge]:
        """All ways out of a block but returns and calls, in a fixed order; see `leaves_unknown`."""
        return list(self._edges(block))

    def _edges(self, block: Block) -> Iterator[Edge]:
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last is not None else Flow.NEXT
        if last is not None and kind in (Flow.JUMP, Flow.BRANCH):
            target = branch_target(last)
            if target is not None:
                yield Edge(block.label, target, Way.JUMP if kind is Flow.JUMP else Way.TAKEN)
        if last is not None and kind is Flow.JUMP_INDIRECT:
            for target in dict.fromkeys(self.table(block)):
                yield Edge(block.label, target, Way.TABLE)
        if block.falls_to is not None:
            called = kind in CALLS
            yield Edge(block.label, block.falls_to, Way.RETURN if called else Way.FALL)
        if last is not None and last.faults_to is not None:
            called = kind in CALLS
            yield Edge(block.label, last.faults_to, Way.THROW if called else Way.FAULT)

    def table(self, block: Block) -> tuple[str, ...]:
        """The targets of `jmp [r*4 + table]` in order, () for any other block: as long as relocated words name
        blocks of the same function, which may be more than the index ever reaches."""
        found = jump_table(block.insns[-1]) if block.insns else None
        if found is None or found.target not in self.data:
            return ()
        data, offset = self.data[found.target], found.addend
        targets: list[str] = []
        while (entry := data.refs.get(offset)) is not None:
            if entry.addend or self.owners.get(entry.target) is not self.owners.get(block.label):
                break
            targets.append(entry.target)
            offset += WORD
        return tuple(targets)

    def callee(self, insn: Insn) -> str | None:
        """The function that a direct call names; None where it names something else, or is no direct call."""
        target = self.called(insn)
        return target if target is not None and self.is_entry(target) else None

    def called(self, insn: Insn) -> str | None:
        """The block that a direct call names, a function's first or (of a routine with two entries) another."""
        if flow(insn.raw) is not Flow.CALL or len(insn.refs) != 1 or insn.refs[0].addend:
            return None
        return insn.refs[0].target if insn.refs[0].target in self.blocks else None


def branch_target(insn: Insn) -> str | None:
    """The label that a direct jump, branch or call leads to; None where it is not a plain label."""
    if len(insn.refs) != 1 or insn.refs[0].addend:
        return None
    return insn.refs[0].target


def jump_table(insn: Insn) -> Ref | None:
    """The reference to the table in `jmp [r*4 + table]`."""
    if flow(insn.raw) is not Flow.JUMP_INDIRECT or len(insn.refs) != 1:
        return None
    operand = decode(insn.raw).operands[0]
    if not isinstance(operand, Mem) or operand.base or not operand.index or operand.scale != WORD or operand.segment:
        return None
    return insn.refs[0]
