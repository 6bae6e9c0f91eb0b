"""How what is known changes from one instruction to the next (§4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rewriter.analysis.readonly import ReadOnly
from rewriter.analysis.rules import RULES, anything, string, unruled
from rewriter.analysis.state import EVERYTHING, State, arrive
from rewriter.analysis.step import Step
from rewriter.analysis.summary import FRAME, Summary, depth_reach
from rewriter.analysis.value import REGISTERS, Opaque, Value
from rewriter.ir import Insn
from rewriter.x86.decode import DecodeError, decode
from rewriter.x86.effects import register_mask
from rewriter.x86.flow import CALLS, flow
from rewriter.x86.operands import Operand

_MASKS = {name: register_mask(name) for name in REGISTERS}


class Callees(Protocol):
    """Who knows what calls do."""

    def of(self, name: str) -> Summary: ...  # of a function
    def of_call(self, insn: Insn) -> Summary: ...  # of a direct or indirect call


@dataclass(eq=False, slots=True)
class Trail:
    """The states on the way through a block: before each of its instructions, and behind the last.  They are shared:
    whoever wants to change one copies it.  `bounds`: see Transfer; `notes`: what others concluded from it."""

    insns: tuple[Insn, ...]
    returns: tuple[int, ...]
    states: list[State]
    bounds: frozenset[int]
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Memory:
    """What was found out about blocks, for whoever asks again of code that has not changed.

    `trails`: by label, the last one first; `arrivals`: what is known at a label where these two states meet, by the
    states' identities (they are kept here, so that no other state gets theirs)."""

    trails: dict[str, list[Trail]] = field(default_factory=dict)
    arrivals: dict[tuple[str, int, int], tuple[State | None, State, State]] = field(default_factory=dict)

    def arrive(self, label: str, old: State | None, new: State) -> State:
        """As `state.arrive`."""
        key = label, id(old), id(new)
        known = self.arrivals.get(key)
        if known is None:
            known = self.arrivals[key] = old, new, arrive(label, old, new)
        return known[2]


_REMEMBERED = 6  # trails of one block


class Transfer:
    """Steps a state over instructions.

    `returns`: which return addresses lie on the stack in a block (by label; offsets from the entry esp), where it is
    more than the function's own.  `steady`: instructions that may touch any memory leave this stack alone, which a
    contract may promise of a function that changes address spaces.  `readonly`: words that nobody changes.  `memory`
    may be handed on to whoever steps with the same callees, whatever has become of the code.
    """

    def __init__(
        self,
        callees: Callees,
        stack_size: int,
        returns: Mapping[str, tuple[int, ...]] | None = None,
        steady: bool = False,
        memory: Memory | None = None,
        readonly: ReadOnly | None = None,
    ) -> None:
        self.callees = callees
        self.stack_size = stack_size
        self.returns = returns or {}
        self.steady = steady
        self.bounds: set[int] = set()  # slots of saved registers that were taken for the end of something
        self.memory = Memory() if memory is None else memory
        self.readonly = readonly

    def at(self, label: str, site: int, insn: Insn, state: State) -> Step:
        """The instruction seen from the state before it.  Raises DecodeError."""
        returns = self.returns_in(label)
        return Step(label, site, insn, decode(insn.raw), state, returns, self.steady, self.bounds, self.readonly)

    def returns_in(self, label: str) -> tuple[int, ...]:
        """The return addresses on the stack in a block."""
        return self.returns.get(label, (0,))

    def trail(self, label: str, insns: Sequence[Insn], top: State) -> Trail:
        """The way through a block from this state at its top."""
        code, returns = tuple(insns), self.returns_in(label)
        known = self.memory.trails.setdefault(label, [])
        for position, trail in enumerate(known):
            same = trail.states[0] is top or trail.states[0] == top
            if same and trail.insns == code and trail.returns == returns:
                if position:
                    known.insert(0, known.pop(position))
                self.bounds |= trail.bounds
                return trail
        known.insert(0, self._walk(label, code, returns, top))
        del known[_REMEMBERED:]
        return known[0]

    def _walk(self, label: str, insns: tuple[Insn, ...], returns: tuple[int, ...], top: State) -> Trail:
        before, self.bounds = self.bounds, set()
        states = [top]
        for site, insn in enumerate(insns):
            state = states[-1].copy()
            self.step(label, site, insn, state)
            states.append(state)
        trail = Trail(insns, returns, states, frozenset(self.bounds))
        self.bounds |= before
        return trail

    def step(self, label: str, site: int, insn: Insn, state: State) -> None:
        """Change `state` from before the instruction to behind it (for a call: to its return point)."""
        try:
            step = self.at(label, site, insn, state)
        except DecodeError:
            state.places = {register: Value(Opaque(label, site, register, True)) for register in REGISTERS}
            state.flags, state.escaped = None, frozenset({EVERYTHING})
            return
        esp = state.esp
        if flow(insn.raw) in CALLS:
            self._call(step, self.callees.of_call(insn))
            return
        rule = string if step.decoded.prefixes else RULES.get(step.decoded.mnemonic, unruled)
        if not rule(step, self.stack_size):
            anything(step)
        if state.esp != esp:
            _forget_below(state, esp)

    def _call(self, step: Step, callee: Summary) -> None:
        """Over a call: first what it may get hold of, then what it may change."""
        state, esp = step.state, step.state.esp
        if FRAME in (callee.use_depth, callee.kill_depth):
            self.bounds.update(state.saved())
        reachable = depth_reach(callee.use_depth, state, step.returns)
        everything = callee.unbounded or esp is None
        if everything:
            step.escape([None])
        elif callee.leaks and esp is not None:
            step.escape_bytes((esp, reachable))
        step.escape(_passed(state, callee, reachable))
        for register in REGISTERS:
            if register != "esp" and _MASKS[register] & callee.clobbers:
                kept = state.places[register].on_stack and bool(_MASKS[register] & ~callee.writes)  # on some way
                state.places[register] = step.define(register, kept and not everything)
        state.flags = None
        state.kill_escaped()
        state.kill_slots(EVERYTHING[0], max(esp or 0, depth_reach(callee.kill_depth, state, step.returns)))
        if callee.pops is None:
            state.places["esp"] = step.define("esp", True)
        else:
            step.move_esp(callee.pops)


def _forget_below(state: State, before: int | None) -> None:
    """What esp has left below it, an interrupt may overwrite (§5.5)."""
    if state.esp is None:
        state.blur_slots(*EVERYTHING)
    elif before is None or state.esp > before:
        state.kill_slots(EVERYTHING[0], state.esp)


def _passed(state: State, callee: Summary, reachable: int) -> list[Value | None]:
    """Addresses of this stack that a callee finds in registers or slots that it may read."""
    esp = state.esp
    found: list[Value | None] = []
    for place, value in state.places.items():
        if not value.on_stack or place == "esp":
            continue
        if isinstance(place, str):
            passed = bool(_MASKS[place] & callee.reads)
        else:
            passed = place < reachable and (esp is None or place >= esp)
        found += [value] if passed else []
    return found


def operand_value(insn: Insn, operand: Operand, state: State, readonly: ReadOnly | None = None) -> Value | None:
    """The value of one operand of `insn` in `state`."""
    return Step("", 0, insn, decode(insn.raw), state, (0,), readonly=readonly).read(operand)
