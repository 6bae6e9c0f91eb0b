"""One frame for the hot path: esp moves once, not with every push, pop and inlined call (§4.2).

    push ebx                    ⇒    lea esp, [esp - 0x18]
    push dword ptr [esp + 8]         mov [esp + 0x14], ebx
    lea  esp, [esp - 4]              …
    mov  ecx, [esp + 4]              mov ecx, [esp + 8]
    lea  esp, [esp + 8]              mov ebx, [esp + 0x14]
    pop  ebx                         lea esp, [esp + 0x18]
    ret                              ret

Every hot block has esp where the deepest slot lies that a hot block touches or that matters somewhere behind it; the
first blocks, which need none, keep the entry esp.  Cold blocks stay as they are: on the edges to and from them esp is
moved to where they expect it, as it is around calls.  Nothing that matters ever lies below esp (§5.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rewriter.analysis.graph import EXCEPTIONAL, Edge, Way
from rewriter.analysis.liveness import Liveness, lowest_slot
from rewriter.analysis.state import EVERYTHING, State
from rewriter.analysis.value import REGISTERS, WORD
from rewriter.analysis.values import Values
from rewriter.edit import Labels, clone, renamed, stamp
from rewriter.ir import Block, Function, Insn
from rewriter.passes.rewrite import assembled, operand_text
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.decode import Mem, Reg, decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.encode import assemble, jump, with_displacement
from rewriter.x86.flow import CALLS, Flow, flow

NAME = "flatten"
_ESP = register_mask("esp")


class Refused(Exception):
    """The function keeps its frames; the message says why."""


def flatten(work: Work) -> None:
    """Flatten the hot blocks.  By itself this may cost a little (memory is pushed with a register now); but a slot that
    keeps its place is one that later passes see through."""
    old, returns = clone(work.function.blocks, {}), dict(work.returns)
    heat = work.heat.copy()
    before = _executed(work)
    try:
        _Flattening(work).run()
    except Refused as why:
        work.outcome.refuse(NAME, work.name, work.name, Reason.FRAMES, str(why))
        work.function.blocks[:] = old
        work.returns, work.heat = returns, heat
    else:
        stamp(work.function, Function(work.name, old), NAME, Reason.ONE_FRAME)
        work.outcome.did(NAME, work.name, work.name, Reason.ONE_FRAME, saved=before - _executed(work))


def _executed(work: Work) -> float:
    """Instructions of the function, each as often as its block is expected to run."""
    return sum(work.heat.block(block.label) * len(block.insns) for block in work.function.blocks)


@dataclass(slots=True)
class _Depths:
    """Where esp is, as an offset from the entry esp: at the top and at the end of each block, in the new code."""

    top: dict[str, int]
    end: dict[str, int]


class _Flattening:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.values: Values = work.values()
        self.live: Liveness = work.liveness(self.values)
        self.labels: Labels = work.labels()
        self.hot = [b for b in work.function.blocks if b.label in self.values.states and work.hot(b.label)]

    def run(self) -> None:
        if not self.hot:
            raise Refused("no hot block")
        depths = self._depths()
        edges = [(edge, state) for b in self.values.blocks for edge, state in self.values.ways(b.label)]
        bodies = {block.label: self._body(block, depths.top[block.label]) for block in self.hot}
        for block in self.hot:
            block.insns = bodies[block.label]
        self._enter(edges, depths.top[self.work.name])
        done: set[Edge] = set()
        for edge, state in edges:
            if edge not in done:
                done.add(edge)
                self._meet(edge, state, depths)

    # Where esp goes

    def _depths(self) -> _Depths:
        top: dict[str, int] = {}
        end: dict[str, int] = {}
        for block in self.values.blocks:
            top[block.label] = self._known(self.values.states[block.label])
            end[block.label] = self._known(self.values.behind(block.label))
        needs = {block.label: self._need(block) for block in self.hot}
        lowest = min(needs.values())
        shallow = self._shallow(needs)
        for block in self.hot:
            top[block.label] = 0 if block.label in shallow else lowest
            if not (block.insns and flow(block.insns[-1].raw) in (*CALLS, Flow.RETURN)):
                end[block.label] = top[block.label]
        return _Depths(top, end)

    @staticmethod
    def _known(state: State) -> int:
        if state.esp is None:
            raise Refused("esp is not known everywhere")
        return state.esp

    def _need(self, block: Block) -> int:
        """The lowest slot that the block touches, or that matters somewhere in it, or whose address is known."""
        lowest = 0
        for mask in (self.live.before(block.label), *self.live.after(block.label)):
            lowest = min(lowest, lowest_slot(mask))
        for site, insn, state in self.values.walk(block.label):
            if state.escaped or any(state.places[r].on_stack for r in REGISTERS if r != "esp"):
                lowest = min([lowest, self._known(state), *(low for low, _ in state.escaped)])
            step = self.values.transfer.at(block.label, site, insn, state)
            if flow(insn.raw) in CALLS:
                continue
            for mem, size in (*effects(insn).loads, *effects(insn).stores):
                touched = step.touched(mem, size)
                if touched is not None:
                    lowest = min(lowest, touched[0])
        if lowest <= EVERYTHING[0]:
            raise Refused("touches the stack at an unknown place")
        return lowest & -WORD

    def _shallow(self, needs: dict[str, int]) -> set[str]:
        """Hot blocks at the beginning that need no frame yet."""
        into: dict[str, list[str]] = {}
        for block in self.values.blocks:
            for edge, _ in self.values.ways(block.label):
                into.setdefault(edge.target, []).append(edge.source)
        shallow: set[str] = set()
        for block in self.hot:  # in layout order: the entry first
            from_shallow = all(source in shallow for source in into.get(block.label, []))
            if needs[block.label] == 0 and (from_shallow if block.label != self.work.name else True):
                shallow.add(block.label)
        return shallow

    def _enter(self, edges: list[tuple[Edge, State]], depth: int) -> None:
        """Make the frame at the entry, where the entry block needs it."""
        if not depth:
            return
        if any(edge.target == self.work.name for edge, _ in edges):
            raise Refused("the entry block is in a loop")
        entry = self.work.function.blocks[0]
        entry.insns[:0] = moved(depth)

    # Blocks

    def _body(self, block: Block, depth: int) -> list[Insn]:
        after = self.live.after(block.label)
        made: list[Insn] = []
        states = [state.copy() for _, _, state in self.values.walk(block.label)] + [self.values.behind(block.label)]
        for site, insn in enumerate(block.insns):
            esp = self._known(states[site])
            leaves = flow(insn.raw) is Flow.JUMP_INDIRECT and not self.values.index.table(block)
            if leaves or flow(insn.raw) in (*CALLS, Flow.RETURN, Flow.IRET):
                made += [*moved(esp - depth), insn]
            elif flow(insn.raw) is not Flow.NEXT:
                made.append(self._addressed(insn, esp - depth))
            elif effects(insn).may_write & _ESP:
                made += self._stacking(insn, states[site], esp, depth, after[site])
            else:
                made.append(self._plain(insn, states[site], esp - depth))
        return made

    def _stacking(self, insn: Insn, state: State, esp: int, depth: int, after: int) -> list[Insn]:
        """push, pop, and whatever else moves esp."""
        decoded = decode(insn.raw)
        if decoded.mnemonic == "push":
            return self._push(insn, esp - depth, after)
        if decoded.mnemonic == "pop":
            return self._pop(insn, esp - depth)
        if decoded.mnemonic == "leave":
            slot = state.places["ebp"].slot
            if slot is None:
                raise Refused("leave with an unknown frame pointer")
            return self._line(insn, f"mov ebp, dword ptr [esp + {slot - depth:#x}]")
        if decoded.mnemonic not in ("add", "sub", "lea", "mov"):
            raise Refused(f"{decoded.mnemonic} moves esp")
        if effects(insn).may_write & FLAGS & after:
            raise Refused("flags of a move of esp are used")
        return []

    def _push(self, insn: Insn, above: int, after: int) -> list[Insn]:
        decoded = decode(insn.raw)
        operand = decoded.operands[0]
        slot = f"dword ptr [esp + {above - WORD:#x}]"
        if operand.size != WORD or (isinstance(operand, Reg) and operand.name not in REGISTERS):
            raise Refused("pushes no word")
        if isinstance(operand, Reg) and operand.name == "esp":
            raise Refused("pushes esp")
        if isinstance(operand, Mem):
            free = [r for r in REGISTERS if r != "esp" and not register_mask(r) & after]
            if not free:
                raise Refused("no free register to push memory with")
            shifted = self._addressed(insn, above)
            text = operand_text(shifted, decode(shifted.raw), decode(shifted.raw).operands[0])
            return [*self._line(insn, f"mov {free[0]}, {text}"), *self._line(insn, f"mov {slot}, {free[0]}")]
        return self._line(insn, f"mov {slot}, {operand_text(insn, decoded, operand)}")

    def _pop(self, insn: Insn, above: int) -> list[Insn]:
        (operand,) = decode(insn.raw).operands
        if not isinstance(operand, Reg) or operand.size != WORD or operand.name not in REGISTERS:
            raise Refused("pops no register")
        return self._line(insn, f"mov {operand.name}, dword ptr [esp + {above:#x}]")

    def _plain(self, insn: Insn, state: State, above: int) -> Insn:
        decoded = decode(insn.raw)
        if not effects(insn).reads & _ESP or not above:
            return insn
        if any(isinstance(o, Reg) and o.name == "esp" for o in decoded.operands):
            if decoded.mnemonic == "mov" and isinstance(decoded.operands[0], Reg):
                return self._line(insn, f"lea {decoded.operands[0].name}, [esp + {above:#x}]")[0]
            mask = state.places.get(decoded.operands[0].name) if isinstance(decoded.operands[0], Reg) else None
            size = -self.work.contract.stack_size & 0xFFFFFFFF
            if decoded.mnemonic == "and" and mask is not None and mask.constant == size:
                return insn  # current: the same for every esp on this stack
            raise Refused(f"{decoded.mnemonic} uses esp")
        return self._addressed(insn, above)

    @staticmethod
    def _addressed(insn: Insn, above: int) -> Insn:
        """The same instruction when esp lies `above` bytes lower."""
        mems = [o for o in decode(insn.raw).operands if isinstance(o, Mem) and "esp" in (o.base, o.index)]
        if not mems or not above:
            return insn
        if insn.refs and any(ref.offset == decode(insn.raw).disp_offset for ref in insn.refs):
            raise Refused("an address relative to esp and a label")
        return with_displacement(insn, mems[0].disp + above)

    @staticmethod
    def _line(insn: Insn, line: str) -> list[Insn]:
        made = assembled(line, insn)
        if made is None:
            raise Refused(f"cannot encode {line}")
        return [made]

    # Edges

    def _meet(self, edge: Edge, state: State, depths: _Depths) -> None:
        """Move esp on an edge between blocks that want it in different places."""
        have = depths.end[edge.source]
        want = depths.top.get(edge.target, 0)
        if self.values.tail_call(edge, state):
            want = 0
        if edge.way is Way.FAULT and edge.source in {b.label for b in self.hot}:
            have = depths.top[edge.source]
        if edge.way is Way.THROW:
            have = self._known(state)
        if have == want:
            return
        if edge.way is Way.TABLE:
            raise Refused("a jump table between hot and cold code")
        block = self.work.block(edge.source)
        label = self.labels.fresh()
        leaves = edge.target not in depths.top
        body = [*moved(want - have), *([jump(edge.target)] if leaves else [])]
        middle = Block(label, body, None if leaves else edge.target)
        if edge.way in (Way.TAKEN, Way.JUMP, *EXCEPTIONAL):
            last = block.insns[-1]
            if edge.way in EXCEPTIONAL:
                block.insns[-1] = replace(last, faults_to=label)
            else:
                block.insns[-1] = renamed(replace(last, faults_to=None), {edge.target: label})
        else:
            block.falls_to = label
        self.work.returns[label] = self.work.returns.get(edge.source, (0,))
        self.work.heat.split(edge.source, edge.target, label)
        self.work.function.blocks.insert(self.work.function.blocks.index(block) + 1, middle)


def moved(distance: int) -> list[Insn]:
    """`lea` that moves esp and no flag; nothing for 0."""
    return assemble([f"lea esp, [esp {'-' if distance < 0 else '+'} {abs(distance):#x}]"]) if distance else []
