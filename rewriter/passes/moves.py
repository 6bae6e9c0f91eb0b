"""Block moves in place whose count is known (`constants`).

    rep movsb             ⇒    (gone: ecx is known to be 0)
    rep stosd             ⇒    stosd           (ecx is known to be 1, and nobody reads it behind)
    rep movsd             ⇒    movsd           (it is 2)
                               movsd

Who has a fixup keeps its one instruction: a fault at the second word must find ecx, which `rep` counts down, at 1.
`rep` counts as one instruction, and needs another for its count: two that do without cost no more, and by the model of
cycles they take 12 micro-operations in place of 22 (`toykernel/machine/cycle_costs.py`, from Agner Fog's list).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rewriter.analysis.state import State
from rewriter.analysis.step import UNITS
from rewriter.ir import Insn
from rewriter.x86.decode import Decoded
from rewriter.x86.state import ECX

FEW: Final = 2  # instructions: a `rep`, and one that sets its count
REP: Final = 0xF3


def moved(insn: Insn, decoded: Decoded, state: State, after: int) -> list[Insn] | None:
    """What a block move becomes before which `state` is known; None if it stays.  `after`: what is read behind it."""
    if decoded.prefixes != ("rep",) or not decoded.mnemonic.startswith(("movs", "stos", "lods")):
        return None
    count = state.places["ecx"].constant
    if count == 0:
        return []
    if decoded.mnemonic not in UNITS or count is None or after & ECX or not 0 < count <= FEW or not state.upward:
        return None
    if count > 1 and insn.faults_to is not None:
        return None
    at = insn.raw.index(REP)
    refs = tuple(replace(ref, offset=ref.offset - 1) for ref in insn.refs)
    return [replace(insn, raw=insn.raw[:at] + insn.raw[at + 1 :], refs=refs)] * count
