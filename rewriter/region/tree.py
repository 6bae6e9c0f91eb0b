"""The lifted code: a tree of straight pieces, each a list of effects in their order and an end; loops lead back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from rewriter.ir import Insn
from rewriter.reasons import Why
from rewriter.region.flag import Condition, Flags
from rewriter.region.segments import Segments
from rewriter.region.value import Value, values_in

Kind = Literal["load", "store", "change", "keep", "call", "fixed"]


@dataclass(slots=True)
class Exit:
    """Control leaves for instruction `site` of block `label` of the code that was lifted; what must be as it expects.

    `registers` and `slots` are those that matter there; `flags`, if they do.  `leaves` is a label outside of it;
    `home` is the same place in the original program, where control leaves for then.  `why`: the path is not followed
    further.  `segments`, where the code begins
    at the gate: what must be in them.
    """

    label: str
    site: int
    why: Why
    esp: int
    registers: dict[str, Value]
    slots: dict[int, Value]
    flags: Flags | None = None
    weight: float = 0.0
    leaves: bool = False
    segments: Segments | None = None
    home: tuple[str, int] | None = None
    address: int | None = None  # of the instruction of the input where it leads

    def uses(self) -> Iterator[Value]:
        yield from self.registers.values()
        yield from self.slots.values()
        yield from values_in((self.flags,))


@dataclass(slots=True)
class Return:
    """`ret` or `iret`, with the registers that somebody reads behind it, and words of the caller's stack that have
    changed."""

    insn: Insn
    registers: dict[str, Value]
    slots: dict[int, Value]
    segments: Segments | None = None

    def uses(self) -> Iterator[Value]:
        yield from self.registers.values()
        yield from self.slots.values()
        yield from values_in((self.segments,))


@dataclass(slots=True)
class Effect:
    """Something that happens in memory or in the processor, in its place, once.

    load: `result` is the word at `address` (extended by zeros)       store: `value` goes to `address`
    change: `name` of memory at `address`, with `value` if it has one  keep: a stack slot's word goes to memory
    call, fixed: the instruction itself, with `inputs` in their registers and new `results` in theirs; `value` is an
    indirect call's target, `moves` what becomes of esp.

    `esp`: where it must be; `below`: where it may be at most, since the effect touches the stack.  `kills`: stack
    bytes that hold something else afterwards.  `passed`: what registers must hold that the callee may leave alone,
    if the result matters.  `fault`: the way to the fixup, with `halves` in the registers of an interrupted `rep`.
    `segments`: what must be in the segment registers, if it `insists` on them.
    """

    number: int
    kind: Kind
    insn: Insn
    name: str = ""
    size: int = 4
    address: Value | None = None
    value: Value | None = None
    result: Value | None = None
    inputs: dict[str, Value] = field(default_factory=dict)
    results: dict[str, Value] = field(default_factory=dict)
    flags: Flags | None = None  # that it must find
    esp: int | None = None
    below: int | None = None
    moves: int = 0
    kills: tuple[tuple[int, int], ...] = ()
    fault: Exit | None = None
    halves: dict[str, Value] = field(default_factory=dict)
    passed: dict[str, Value] = field(default_factory=dict)
    segments: Segments | None = None
    insists: bool = True

    def uses(self) -> Iterator[Value]:
        yield from (v for v in (self.address, self.value) if v is not None)
        yield from self.inputs.values()
        yield from values_in((self.flags,))


@dataclass(slots=True)
class Branch:
    """To `taken` if one of the conditions holds, tested in their order; else to `falls`."""

    conditions: tuple[Condition, ...]
    taken: Node
    falls: Node
    origin: int | None
    asked: int | None = None  # the origin of what set the flags

    def uses(self) -> Iterator[Value]:
        yield from values_in(self.conditions)


@dataclass(slots=True)
class Enter:
    """On to the `top` of a piece that others lead to, too; `bindings`: what the words are then that vary from time to
    time."""

    top: Node
    bindings: dict[Value, Value] = field(default_factory=dict)

    def uses(self) -> Iterator[Value]:
        yield from self.bindings.values()


@dataclass(slots=True)
class Again:
    """The same where another piece has led there before: for a loop, from behind its top."""

    top: Node
    bindings: dict[Value, Value]

    def uses(self) -> Iterator[Value]:
        yield from self.bindings.values()


@dataclass(slots=True)
class Node:
    """A straight piece.  `weight`: how often it is expected to run; `size`: instructions that were lifted for it."""

    weight: float
    effects: list[Effect] = field(default_factory=list)
    end: Branch | Exit | Return | Enter | Again | None = None
    size: int = 0

    def children(self) -> tuple[Node, ...]:
        """The hotter one first."""
        if isinstance(self.end, Enter):
            return (self.end.top,)
        if not isinstance(self.end, Branch):
            return ()
        pair = (self.end.taken, self.end.falls)
        return pair if pair[0].weight > pair[1].weight else pair[::-1]


def nodes(root: Node) -> Iterator[Node]:
    """All nodes, parents before children."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(node.children())


def exits(root: Node) -> Iterator[Exit]:
    """All ways out but returns, those of faults included."""
    for node in nodes(root):
        yield from (effect.fault for effect in node.effects if effect.fault is not None)
        if isinstance(node.end, Exit):
            yield node.end
