"""One function being specialized, and all that a pass may ask about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.analysis.depths import Depths
from rewriter.analysis.liveness import Liveness
from rewriter.analysis.value import Value
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.edit import Labels
from rewriter.ir import Block, Data, Function
from rewriter.passes.heat import Heat
from rewriter.passes.inline import Inlined
from rewriter.passes.outcome import Outcome


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
        )

    @property
    def name(self) -> str:
        return self.function.name

    def values(self, slots: dict[int, Value] | None = None) -> Values:
        """What is known everywhere in the function as it is now; `slots`: at its entry, by offset from esp."""
        index = self.depths.index
        index.add(self.function)
        for data in self.data:
            index.data[data.name] = data
        return Values(index, self.depths.transfer(self.returns), self.function.blocks[0].label, slots)

    def liveness(self, values: Values) -> Liveness:
        return Liveness(values, self.at_return)

    def labels(self) -> Labels:
        return Labels(self.name, (block.label for block in self.function.blocks))

    def block(self, label: str) -> Block:
        return next(block for block in self.function.blocks if block.label == label)

    def hot(self, label: str) -> bool:
        return self.heat.hot(label, self.name)

    def size(self) -> int:
        """Instructions."""
        return sum(len(block.insns) for block in self.function.blocks)

    def expected(self) -> float:
        """Instructions that the profile expects to be executed here, jumps to blocks that do not follow included."""
        following = [block.label for block in self.function.blocks[1:]]
        return sum(
            self.heat.block(b.label) * (len(b.insns) + (b.falls_to is not None and b.falls_to != after))
            for b, after in zip(self.function.blocks, [*following, None], strict=True)
        )
