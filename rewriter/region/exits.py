"""How control leaves a path: what matters in the code that was lifted, at the instruction where it goes on there."""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.analysis.liveness import STACK_SHIFT, Liveness, stack_bits
from rewriter.analysis.value import REGISTERS, WORD
from rewriter.analysis.values import Values
from rewriter.reasons import Reason, Why
from rewriter.region.alive import alive, of_register, of_slot
from rewriter.region.flag import rebuildable
from rewriter.region.home import Home
from rewriter.region.state import State
from rewriter.region.tree import Exit
from rewriter.region.value import Pool, Value
from rewriter.x86.effects import CF, FLAGS, effects, register_mask


class Refused(Exception):
    """There is no region.  The message says why."""


class CostsMore(Refused):
    """There could be one, but it does not pay."""


class FlagsLost(Exception):
    """Flags matter there that cannot be made anew: the path has to end before they were made."""

    @property
    def why(self) -> Why:
        return Why(Reason.FLAGS_LOST, str(self))


@dataclass(slots=True)
class Exits:
    """Makes exits into the code that `values` and `live` describe."""

    pool: Pool
    values: Values
    live: Liveness
    at_return: int
    home: Home | None = None  # where places of the code are in the original program, where exits lead then
    _masks: dict[str, list[int]] = field(default_factory=dict)

    def matters(self, label: str, site: int) -> int:
        """Registers, flags and bytes of the frame that matter before an instruction (`analysis.liveness`), and eax
        where the original program finds the call's number in it."""
        if label not in self.values.states:
            return self.values.transfer.callees.of(label).before(self.at_return)
        if label not in self._masks:
            number = _EAX if self.home is not None and self.home.numbered(label) else 0
            self._masks[label] = [mask | number for mask in (self.live.before(label), *self.live.after(label))]
        return self._masks[label][site]

    def leave(self, label: str, site: int, state: State, why: Why, weight: float) -> Exit:
        """An exit from `state`.  Raises FlagsLost, Refused."""
        outside = label not in self.values.states
        home = self.home.of(label, site) if self.home is not None and not outside else None
        if self.home is not None and home is None and not outside:
            raise FlagsLost(f"{label} is nowhere in the original program")
        if outside and not (self.values.index.is_entry(label) and state.esp == 0):
            raise Refused(f"control leaves for {label}")
        mask = self.matters(label, site) | (self._operands(home, label, site) if home is not None else 0)
        if not rebuildable(state.flags, state.carry, mask):
            raise FlagsLost(f"flags matter at {label}")
        flags = None
        if mask & FLAGS:
            flags = state.carry if mask & FLAGS == CF else state.flags
        pool = self.pool
        registers = {r: v for r, v in state.registers.items() if register_mask(r) & mask}
        registers = {r: alive(pool, v, of_register(r, mask)) for r, v in registers.items()}
        whole = state.segments is not None and self.elsewhere(label)
        slots = {c: v for c, v in sorted(state.slots.items()) if v is not None and (whole or slot_matters(c, mask))}
        slots = slots if whole else {c: alive(pool, v, of_slot(c, mask)) for c, v in slots.items()}
        slots |= state.returns
        at = self._address(*(home or (label, site)))
        return Exit(label, site, why, state.esp, registers, slots, flags, weight, outside, state.segments, home, at)

    def _operands(self, home: tuple[str, int], label: str, site: int) -> int:
        """What the instruction at home takes its operands from, where another stands for it: behind the test of a
        call's target, or of a pointer, nobody need read that again."""
        index = self.values.index
        mine, original = index.blocks[label].insns, index.blocks[home[0]].insns
        if home[1] >= len(original):
            return 0
        insn = original[home[1]]
        if site < len(mine) and (mine[site].raw, mine[site].refs) == (insn.raw, insn.refs):
            return 0
        step = self.values.transfer.at(label, site, insn, self.values.trail(label).states[site])
        effect, found = effects(insn), 0
        for mem, size in effect.loads:
            touched = step.touched(mem, size)
            found |= stack_bits(touched) if touched is not None and mem in step.decoded.operands else 0
        return found | effect.reads & sum(map(register_mask, REGISTERS)) & ~register_mask("esp")

    def _address(self, label: str, site: int) -> int | None:
        block = self.values.index.blocks.get(label)
        return block.insns[site].origin if block is not None and site < len(block.insns) else None

    def elsewhere(self, label: str) -> bool:
        """Whether the block is another function's: the entry's own code, which gets all of the saved registers."""
        return self.values.index.owners.get(label) is not self.values.index.owners[self.values.entry]

    def returned(self, state: State) -> tuple[dict[str, Value], dict[int, Value]]:
        """What must be as it was before a `ret`: registers, and words of the caller's stack."""
        registers = {r: state.registers[r] for r in REGISTERS if r != "esp" and register_mask(r) & self.at_return}
        return registers, {c: v for c, v in sorted(state.slots.items()) if v is not None and c >= 0}


_EAX = register_mask("eax")


def slot_matters(slot: int, mask: int) -> bool:
    """The caller's words always do."""
    return slot >= 0 or bool(mask >> STACK_SHIFT - slot - WORD & 0b1111)
