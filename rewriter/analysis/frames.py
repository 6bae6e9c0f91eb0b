"""How a function uses the stack: esp at each block, how deep it goes, whether it gives esp back (§4.2, §5.4)."""

from __future__ import annotations

from dataclasses import dataclass

from rewriter.analysis.depths import Depths
from rewriter.analysis.summary import Summary
from rewriter.analysis.values import Values
from rewriter.x86.effects import effects


@dataclass(frozen=True, slots=True)
class Frame:
    """Offsets are relative to the entry esp, where the return address lies.

    `esp`: at the top of each block that can be reached, None where it is not known.  `deepest`: bytes below the entry
    esp that the function itself may use, None if unknown.  `escapes`: an address of its own stack gets into other
    hands.  `summary`: what callers see of it; `summary.pops` is None where its return does not give esp back.
    """

    name: str
    esp: dict[str, int | None]
    deepest: int | None
    escapes: bool
    summary: Summary


def frame(depths: Depths, name: str) -> Frame:
    """The frame of a function of the program."""
    values = Values(depths.index, depths.transfer(), depths.index.functions[name].blocks[0].label)
    esp = {label: state.esp for label, state in values.states.items()}
    escapes = any(state.escaped for state in values.states.values())
    return Frame(name, esp, deepest(values), escapes, depths.of(name))


def deepest(values: Values) -> int | None:
    """Bytes below the entry esp at the deepest point, return addresses of calls included; None if esp is not known
    everywhere."""
    lowest = 0
    for block in values.blocks:
        for _, insn, state in values.walk(block.label):
            if state.esp is None:
                return None
            lowest = min(lowest, state.esp, state.esp + (effects(insn).esp_change or 0))
    return -lowest
