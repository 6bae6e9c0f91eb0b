"""How deep a function goes below its entry esp (§4.2, §5.4)."""

from __future__ import annotations

from rewriter.analysis.values import Values
from rewriter.x86.effects import effects


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
