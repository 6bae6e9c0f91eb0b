"""One function being specialized, and all that a pass may ask about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.liveness import Liveness
from rewriter.analysis.transfer import Memory
from rewriter.analysis.value import Value
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.edit import Labels, copied
from rewriter.ir import Block, Data, Function, Insn
from rewriter.passes.heat import Heat
from rewriter.passes.inline import Inlined
from rewriter.passes.outcome import Outcome
from rewriter.reasons import Reason
from rewriter.x86.flow import DIRECT, flow


class Piece(NamedTuple):
    """Of a copied block: from which instruction of the original on, and up to which; what lies behind stands for that.
    None: all."""

    start: int = 0
    end: int | None = None


@dataclass(slots=True)
class Work:
    """`at_return`: registers and flags that somebody may read after the function returned; `returns`: which return
    addresses and holes lie on the stack, by label.  Passes change `function` and note what they did in `outcome`."""

    depths: Depths
    contract: Contract
    function: Function
    at_return: int
    data: list[Data] = field(default_factory=list)
    clone_of: dict[str, str] = field(default_factory=dict)
    returns: dict[str, tuple[int, ...]] = field(default_factory=dict)
    heat: Heat = field(default_factory=Heat)
    outcome: Outcome = field(default_factory=Outcome)
    current: frozenset[str] = frozenset()  # registers that hold the lowest address of the stack at the entry
    number: int | None = None  # in eax, where the code begins at the gate; None: it is a handler
    stands_for: dict[str, tuple[str, int]] = field(default_factory=dict)  # see `Inlined`
    pieces: dict[str, Piece] = field(default_factory=dict)  # of blocks that were copied in several
    at_home: bool = False  # each place in it is one of the original program, but for blocks that `stand for` one
    holes: dict[str, str] = field(default_factory=dict)  # see `Inlined`
    failing: set[str] = field(default_factory=set)  # see `Inlined`
    tests: dict[str, tuple[str, ...]] = field(default_factory=dict)  # see `Inlined`
    moves: bool = True  # whether block moves are taken apart: not as published
    numbered: frozenset[str] = frozenset()  # blocks behind which the original program reads the call's number in eax
    wrapper: Function | None = None  # what passes on the arguments that are implied, for who leaves the copy
    entries: dict[str, tuple[str, int]] = field(default_factory=dict)  # names of places in the original program
    outside: frozenset[str] = frozenset()  # places where it leaves, with a stack of which only they know what it is
    behind: float = 0.0  # instructions that a call is expected to execute outside of it
    plain: Work | None = None  # the same with nothing folded, each place one of the original program, too
    early: Work | None = None  # as it was when all calls were inlined and all arguments known, for who begins anew
    _found: tuple[object, dict[str, tuple[int, ...]], Values] | None = None  # values, and the code that they are of
    _live: Liveness | None = None
    _memory: Memory = field(default_factory=Memory)

    @staticmethod
    def on(inlined: Inlined, depths: Depths, contract: Contract, at_return: int) -> Work:
        return Work(
            depths,
            contract,
            inlined.function,
            at_return,
            inlined.data,
            inlined.clone_of,
            inlined.returns,
            inlined.heat,
            stands_for=inlined.stands_for,
            holes=inlined.holes,
            failing=inlined.failing,
            tests=inlined.tests,
        )

    def copy(self) -> Work:
        """The same function, to be changed in another way; remarks of it go nowhere."""
        return replace(
            self,
            function=copied(self.function),
            data=list(self.data),
            clone_of=dict(self.clone_of),
            returns=dict(self.returns),
            heat=self.heat.copy(),
            stands_for=dict(self.stands_for),
            pieces=dict(self.pieces),
            failing=set(self.failing),
            entries=dict(self.entries),
            outcome=Outcome(),
        )

    @property
    def name(self) -> str:
        return self.function.name

    def index(self) -> Index:
        """The program with the function as it is now."""
        index = self.depths.index
        index.add(self.function)
        for data in self.data:
            index.data[data.name] = data
        return index

    def values(self, slots: dict[int, Value] | None = None) -> Values:
        """What is known everywhere in the function as it is now; `slots`: at its entry, by offset from esp."""
        self.depths.poll()
        index = self.index()
        code = tuple((block.label, tuple(block.insns), block.falls_to) for block in self.function.blocks)
        found = self._found
        if found is None or slots or found[0] != code or found[1] != self.returns:
            transfer = self.depths.transfer(dict(self.returns), self._memory)
            values = Values(index, transfer, self.function.blocks[0].label, slots, self.outside)
            found = code, dict(self.returns), values
        self._found = None if slots else found
        return found[2]

    def liveness(self, values: Values) -> Liveness:
        if self._live is None or self._live.values is not values:
            self._live = Liveness(values, self.at_return)
        return self._live

    def labels(self) -> Labels:
        """New labels, of blocks that are gone too: what was known of those is forgotten."""
        present = {self.name, *(block.label for block in self.function.blocks)}
        self.heat.keep(present)
        self.clone_of = {label: original for label, original in self.clone_of.items() if label in present}
        return Labels(self.name, present)

    def cut(self, block: Block, site: int) -> Block:
        """Let a block end before an instruction; the rest, to which it falls."""
        rest = Block(self.labels().fresh(), block.insns[site:], block.falls_to)
        block.insns, block.falls_to = block.insns[:site], rest.label
        self.function.blocks.insert(self.function.blocks.index(block) + 1, rest)
        self.returns[rest.label] = self.returns.get(block.label, (0,))
        if block.label in self.holes:
            self.holes[rest.label] = self.holes.pop(block.label)
        heat = self.heat
        heat.edges = {(rest.label if a == block.label else a, b): n for (a, b), n in heat.edges.items()}
        heat.blocks[rest.label] = heat.block(block.label)
        heat.flow(block.label, rest.label, heat.block(block.label))
        return rest

    def block(self, label: str) -> Block:
        return next(block for block in self.function.blocks if block.label == label)

    def taken(self) -> set[str]:
        """Labels whose addresses instructions take, rather than to go there."""
        return {ref.target for insn in self.function.insns() if flow(insn.raw) not in DIRECT for ref in insn.refs}

    def hot(self, label: str) -> bool:
        return self.heat.hot(label, self.name)

    def size(self) -> int:
        """Instructions."""
        return sum(len(block.insns) for block in self.function.blocks)

    def did(
        self,
        pass_name: str,
        label: str,
        reason: Reason,
        insn: Insn | None = None,
        fewer: int | None = None,
        detail: str = "",
    ) -> None:
        """Note what was done in a block; to which instruction, and how many `fewer` each of its executions has."""
        executed = self.heat.block(label)
        self.outcome.did(
            pass_name,
            self.name,
            label,
            reason,
            detail,
            address=insn.origin if insn else None,
            executed=executed,
            saved=None if fewer is None else fewer * executed,
        )

    def expected(self) -> float:
        """Instructions that the profile expects to be executed here, jumps to blocks that do not follow included."""
        following = [block.label for block in self.function.blocks[1:]]
        return sum(
            self.heat.block(b.label) * (len(b.insns) + (b.falls_to is not None and b.falls_to != after))
            for b, after in zip(self.function.blocks, [*following, None], strict=True)
        )
