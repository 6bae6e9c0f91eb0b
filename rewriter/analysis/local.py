"""What one function's own instructions do to its caller's stack and registers (§4.2, the local phase)."""

from __future__ import annotations

from dataclasses import replace

from rewriter.analysis.graph import Index
from rewriter.analysis.state import EVERYTHING, State, at_return
from rewriter.analysis.summary import FRAME, NOTHING, Summary, depth_reach
from rewriter.analysis.value import REGISTERS, WORD, Opaque
from rewriter.analysis.values import Values
from rewriter.ir import Block, Insn
from rewriter.x86.decode import DecodeError, decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow

_MASKS = {name: register_mask(name) for name in REGISTERS}


class Unknown(Exception):
    """Nothing can be said of the function; the message says why."""


def local_summary(values: Values, intact: bool = False) -> Summary:
    """Depths, clobbers and returns; reads and writes are left to liveness.  `intact`: by promise nothing above the
    arguments is touched, whatever it looks like.  Raises Unknown."""
    return _Local(values, intact).summary


class _Local:
    def __init__(self, values: Values, intact: bool) -> None:
        self.values = values
        self.intact = intact
        self.index: Index = values.index
        self.use = WORD  # as far as it is known
        self.kill = WORD
        self.unbounded = False
        self.leaks = False
        self.twice = False
        self.reason = ""
        self.exits = NOTHING
        for block in values.blocks:
            for site, insn, state in values.walk(block.label):
                self._touch(block.label, site, insn, state)
            self._leave(block)
        if set(values.states) - {block.label for block in values.blocks}:
            raise Unknown("control leaves for an unknown place")

    @property
    def summary(self) -> Summary:
        use, kill = (None, None) if self.unbounded else (self.use, self.kill)
        found = Summary(use, kill, 0, 0, self.exits.writes, 0, False, self.reason, self.leaks, self.twice)
        return found.join(self.exits)

    def _touch(self, label: str, site: int, insn: Insn, state: State) -> None:
        if EVERYTHING in state.escaped:
            self._unbounded("an unknown address of the stack escapes")
        elif any(high > WORD for _, high in state.escaped):
            self._frame(leaks=True)
        try:
            step = self.values.transfer.at(label, site, insn, state)
        except DecodeError:
            raise Unknown("bytes that are not understood") from None
        if flow(insn.raw) in CALLS:
            self._call(self.values.transfer.callees.of_call(insn), state, label)
        found = effects(insn)
        for mem, size in found.loads:
            if (place := step.touched(mem, size)) is not None:
                self._use(place[1])
                own = at_return(place) and step.exact(mem, size)
                self.twice = self.twice or (own and flow(insn.raw) is not Flow.RETURN)
        for mem, size in found.stores:
            if (place := step.touched(mem, size)) is not None:
                if place != EVERYTHING and at_return(place):
                    raise Unknown("writes its own return address")
                self._kill(place[1])

    def _call(self, callee: Summary, state: State, label: str) -> None:
        if callee.pops is None:
            raise Unknown(callee.reason or "a callee leaves esp unknown")
        if state.esp is None:
            raise Unknown("a call where esp is not known")
        if callee.unbounded:
            self._unbounded(callee.reason or "a callee reaches any depth")
            return
        for depth, use in ((callee.use_depth, True), (callee.kill_depth, False)):
            end = depth_reach(depth, state, self.values.transfer.returns_in(label))
            if not use and end > 0:
                raise Unknown("a callee may write its return address")
            if use:
                self._use(end)

    def _use(self, end: int) -> None:
        if end >= EVERYTHING[1]:
            self._unbounded("reads the stack at an unknown place")
        else:
            self.use = max(self.use, end)

    def _kill(self, end: int) -> None:
        if end >= EVERYTHING[1]:
            self._unbounded("writes the stack at an unknown place")
        else:
            self.kill = max(self.kill, end)

    def _frame(self, leaks: bool) -> None:
        """Somebody may touch all arguments."""
        self.leaks = self.leaks or leaks
        self.use = max(self.use, FRAME)
        self.kill = max(self.kill, FRAME)

    def _unbounded(self, reason: str) -> None:
        if not self.intact:
            self.unbounded = True
            self.reason = self.reason or reason

    def _leave(self, block: Block) -> None:
        """Join what is so at this block's way out of the function, if it has one."""
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last else Flow.NEXT
        ways = self.values.ways(block.label)
        if last is not None and kind is Flow.RETURN:
            self.exits = self.exits.join(self._returned(self.values.before_last(block.label), pops_of(last)))
        elif kind is Flow.IRET:
            raise Unknown("leaves by iret")
        elif kind is Flow.JUMP_INDIRECT and not self.index.table(block):
            state = self.values.before_last(block.label)
            if state.esp != 0:
                raise Unknown("jumps to an unknown place")
            self.exits = self.exits.join(self._after(state, anything_by_pointer(self.values)))
        for edge, state in ways:
            if self.values.tail_call(edge, state):
                self.exits = self.exits.join(self._after(state, self.values.transfer.callees.of(edge.target)))

    def _returned(self, state: State, pops: int) -> Summary:
        if state.esp != 0:
            raise Unknown("esp at a return is not known to be the entry esp")
        changed = self._changed(state)
        if any(state.places[r].on_stack for r in REGISTERS if changed & _MASKS[r]):
            self._frame(True)  # it returns the address of an argument, or of a place around it
        return Summary(WORD, WORD, 0, changed | FLAGS, NOTHING.writes, pops, True)

    @staticmethod
    def _changed(state: State) -> int:
        """Registers that do not hold what they held at the entry."""
        changed = 0
        for register in REGISTERS:
            base = state.places[register].base
            kept = isinstance(base, Opaque) and base.place == "entry " + register and not state.places[register].offset
            changed |= 0 if kept or register == "esp" else _MASKS[register]
        return changed

    def _after(self, state: State, callee: Summary) -> Summary:
        """A tail call: its callee's depths are ours."""
        if callee.pops is None:
            raise Unknown(callee.reason or "esp is not known after a tail call")
        changed = self._changed(state) | callee.clobbers if callee.returns else 0
        return Summary(
            callee.use_depth,
            callee.kill_depth,
            0,
            changed,
            NOTHING.writes,
            callee.pops,
            callee.returns,
            callee.reason,
            callee.leaks,
            callee.twice,
        )


def reads_return(values: Values) -> bool:
    """Whether an instruction that can be reached reads the function's own return address, other than to return."""
    for block in values.blocks:
        for site, insn, state in values.walk(block.label):
            found = effects(insn)
            if not found.loads or flow(insn.raw) in (Flow.RETURN, *CALLS):
                continue
            try:
                step = values.transfer.at(block.label, site, insn, state)
            except DecodeError:
                return True
            for mem, size in found.loads:
                place = step.touched(mem, size)
                if place is not None and at_return(place) and step.exact(mem, size):
                    return True
    return False


def anything_by_pointer(values: Values) -> Summary:
    """A jump through a pointer calls what an indirect call may call."""
    return replace(values.transfer.callees.of_call(Insn(b"\xff\xd0")), twice=False)


def pops_of(ret: Insn) -> int:
    """n of `ret n`."""
    operands = decode(ret.raw).operands
    return operands[0].value if operands else 0  # type: ignore[union-attr]
