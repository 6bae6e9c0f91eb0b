"""Small changes of blocks and of what they name: the steps that passes and probes are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from rewriter.ir import Block, Function, Insn, Made, Program
from rewriter.reasons import Reason


class Labels:
    """Hands out block labels `name.0`, `name.1`, … that the program does not use yet."""

    def __init__(self, name: str, taken: Iterable[str] = ()) -> None:
        self.name = name
        self._taken = set(taken)
        self._next = 0

    def fresh(self) -> str:
        while (label := f"{self.name}.{self._next}") in self._taken:
            self._next += 1
        self._taken.add(label)
        return label


def renamed(insn: Insn, labels: Mapping[str, str]) -> Insn:
    """The instruction with every label in `labels` replaced; itself where it names none of them."""
    refs = tuple(replace(r, target=labels[r.target]) if r.target in labels else r for r in insn.refs)
    faults_to = labels.get(insn.faults_to, insn.faults_to) if insn.faults_to else None
    if refs == insn.refs and faults_to == insn.faults_to:
        return insn
    return replace(insn, refs=refs, faults_to=faults_to)


def clone(blocks: Iterable[Block], labels: Mapping[str, str]) -> list[Block]:
    """Copies under new labels.  What they name outside of `labels` stays the same; origins are kept."""
    return [
        Block(
            labels.get(block.label, block.label),
            [renamed(insn, labels) for insn in block.insns],
            labels.get(block.falls_to, block.falls_to) if block.falls_to else None,
        )
        for block in blocks
    ]


def copied(function: Function) -> Function:
    """The same function in lists of its own, for a pass to change."""
    return Function(function.name, clone(function.blocks, {}), function.pins)


def written(insns: Iterable[Insn], by: str, why: Reason, like: Iterable[Insn] = ()) -> list[Insn]:
    """These instructions, known to be made by a pass, for this reason, in the place of those that they are `like`."""
    first, *others = dict.fromkeys(origin for insn in like for origin in insn.origins) or [None]
    made = Made(by, why, tuple(other for other in others if other is not None))
    return [replace(insn, origin=first, made=made) for insn in insns]


def stamp(function: Function, before: Function, by: str, why: Reason) -> None:
    """Let every instruction that `before` does not have, and that nobody has claimed, be known as made by a pass."""
    old = {(insn.raw, insn.origin): insn.made for insn in before.insns()}
    for block in function.blocks:
        for at, insn in enumerate(block.insns):
            if insn.made is None:
                made = old.get((insn.raw, insn.origin), Made(by, why))
                block.insns[at] = insn if made is None else replace(insn, made=made)


def redirect(block: Block, old: str, new: str) -> None:
    """Lead every way from `block` to `old` to `new` instead; entries of jump tables are not touched."""
    if block.insns:
        block.insns[-1] = renamed(block.insns[-1], {old: new})
    if block.falls_to == old:
        block.falls_to = new


def split_edge(block: Block, target: str, label: str, insns: Iterable[Insn] = ()) -> Block:
    """A new block `label` on every way from `block` to `target`; the caller puts it into the function."""
    redirect(block, target, label)
    return Block(label, list(insns), target)


def cut(program: Program, entries: Mapping[str, tuple[str, int]]) -> None:
    """Give places in the middle of blocks, (label, position), these labels."""
    wanted: dict[str, dict[int, str]] = {}
    for name, (label, position) in entries.items():
        wanted.setdefault(label, {})[position] = name
    for function in program.functions:
        if any(block.label in wanted for block in function.blocks):
            function.blocks = [piece for b in function.blocks for piece in pieces(b, wanted.get(b.label, {}))]


def pieces(block: Block, cuts: Mapping[int, str]) -> list[Block]:
    """The block cut before these instructions; each piece falls to the next."""
    starts = [0, *sorted(cuts)]
    found = [
        Block(cuts[start] if start else block.label, block.insns[start:end], block.falls_to)
        for start, end in zip(starts, [*starts[1:], len(block.insns)], strict=True)
    ]
    for piece, after in pairwise(found):
        piece.falls_to = after.label
    return found
