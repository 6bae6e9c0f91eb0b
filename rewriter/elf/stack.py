"""Where registers point into the stack, in bytes from where esp pointed when the function was entered: at 0 is the
return address, below it what was saved, above it the arguments.

    push ebp                ; esp -4
    mov ebp, esp            ; esp -4, ebp -4
    sub esp, 24             ; esp -28, ebp -4
    mov ecx, [ebp + 4]      ; the word at 0
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from rewriter.elf.returns import Returning, called
from rewriter.ir import Block, Insn, Program
from rewriter.x86.decode import DecodeError, Imm, Mem, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow
from rewriter.x86.state import REGISTERS

Known = Mapping[str, int]  # distances, of the registers that point into the stack

WORD: Final = 4
CALLER: Final = 1 << 40  # where ebp points on entry: to a place of the callers' stack, if it is a frame pointer
PRESERVED: Final = ("ebx", "esi", "edi", "ebp")
_MASKS: Final = {register: register_mask(register) for register in REGISTERS}
_LEAVE, ENTER, _RETURN_POPS = b"\xc9", 0xC8, 0xC2
FRAME: Final = (b"\x89\xe5", b"\x8b\xec")  # mov ebp, esp
_PUSH_ESP, _LEA = b"\x54", 0x8D
_MAY_TAKE: Final = frozenset((_PUSH_ESP[0], _LEA, 0x89, 0x8B))  # and mov
_ANYWHERE: Final = -(1 << 32)  # below all of the stack
_MAY_POINT: Final = frozenset((0x81, 0x83, 0x89, 0x8B, 0x8D))  # add and sub, mov, lea


class Stack:
    """What is known before every block of a program, as far as it is understood.

    `blocks` and `functions`: a block, and all blocks of its function, by label; `entered`: those of them that indirect
    jumps may lead to; `entries`: labels that are called; `named`: those that something other than a branch names.
    """

    def __init__(self, program: Program) -> None:
        self.named = program.addresses_taken()
        self.functions = {block.label: f.blocks for f in program.functions for block in f.blocks}
        self.blocks = {block.label: block for f in program.functions for block in f.blocks}
        self.verbatim = {function.name for function in program.functions if function.verbatim}
        self.entered: dict[str, list[Block]] = {}
        for function in program.functions:
            found = [block for block in function.blocks[1:] if block.label in self.named]
            self.entered |= dict.fromkeys((block.label for block in function.blocks), found)
        self._returning = Returning(program)
        self.entries = frozenset(_entries(program, self.named))
        self._popped = _popped(program)
        self._lent: dict[str, int] = {}  # the lowest place, by the label of a first block
        self._arguments: dict[str, frozenset[int]] = {}
        self._onward: dict[str, tuple[Block, ...]] = {}
        self._touched: dict[str, tuple[frozenset[int], int]] = {}
        self._before: dict[str, Known] = {label: {"esp": 0, "ebp": CALLER} for label in self.entries}
        self._solve()

    def _solve(self) -> None:
        work = list(self._before)
        while work:
            block = self.blocks[work.pop()]
            known = self.at(block, len(block.insns))
            for to in self.onward(block):
                if to.label in self.entries or to.label in self.verbatim:
                    continue
                before = self._before.get(to.label)
                met = known if before is None else {r: at for r, at in before.items() if known.get(r) == at}
                if before is None or len(met) != len(before):
                    self._before[to.label] = met
                    work.append(to.label)

    def onward(self, block: Block) -> Sequence[Block]:
        """The blocks to which control goes from the end of this one, calls having returned."""
        if block.label not in self._onward:
            self._onward[block.label] = tuple(self._ways(block))
        return self._onward[block.label]

    def _ways(self, block: Block) -> Iterator[Block]:
        last = block.insns[-1] if block.insns else None
        ends = flow(last.raw) if last is not None else Flow.NEXT
        labels = [last.faults_to if last is not None else None]
        callee = called(block)
        if callee is None or self._returning.may_return(callee):
            labels.append(block.falls_to)
        if last is not None and ends in (Flow.JUMP, Flow.BRANCH):
            labels += [ref.target for ref in last.refs]
        yield from (self.blocks[label] for label in labels if label in self.blocks)
        if ends is Flow.JUMP_INDIRECT:
            yield from self.entered.get(block.label, ())

    def lends(self, block: Block, at: int) -> bool:
        """Whether the function of a block takes the address of a word of its stack, or of one below it, from which
        one may count to it."""
        own = self.functions[block.label]
        if own[0].label not in self._lent:
            taken = (self._taken(each, i) for each in own for i in range(len(each.insns)))
            self._lent[own[0].label] = min((place for place in taken if place is not None), default=WORD)
        return self._lent[own[0].label] <= at

    def _taken(self, block: Block, position: int) -> int | None:
        """The place of which an instruction takes the address, other than to make a frame or to leave it."""
        insn = block.insns[position]
        if insn.raw[0] not in _MAY_TAKE or insn.raw in FRAME or effects(insn).may_write & _MASKS["esp"]:
            return _ANYWHERE if insn.raw == _PUSH_ESP else None
        known = self.at(block, position)
        source = decode(insn.raw).operands[-1]
        if insn.raw[0] == _LEA and isinstance(source, Mem):
            base, disp = source.base, source.disp
        else:
            base, disp = (source.name if isinstance(source, Reg) else None), 0
        if base is not None and base in known:
            return known[base] + disp
        return _ANYWHERE if base == "esp" else None

    def arguments(self, entry: str) -> frozenset[int]:
        """The words above the return address that a function reads, and those with it to which it jumps."""
        if entry not in self._arguments:
            found: set[int] = set()
            work, seen = [self.blocks[entry]], {entry}
            while work:
                block = work.pop()
                found |= self.touched(block)[0]
                for to in self.onward(block):
                    if to.label not in self.entries | self.verbatim and to.label not in seen:
                        seen.add(to.label)
                        work.append(to)
            self._arguments[entry] = frozenset(at for at in found if at > 0)
        return self._arguments[entry]

    def touched(self, block: Block) -> tuple[frozenset[int], int]:
        """Places of which a block reads a part of the word, or overwrites it; and the highest that esp points to."""
        if block.label not in self._touched:
            known, highest = self.at(block, 0), _ANYWHERE
            found: set[int] = set()
            for insn in block.insns:
                effect = effects(insn)
                for memory, size in (*effect.loads, *effect.stores):
                    if (start := slot(known, memory)) is not None and size is not None:
                        found.update(range(start - WORD + 1, start + size))
                if flow(insn.raw) is Flow.NEXT:
                    known = self.step(known, insn)
                highest = max(highest, known.get("esp", _ANYWHERE))
            self._touched[block.label] = frozenset(found), highest
        return self._touched[block.label]

    def at(self, block: Block, position: int) -> Known:
        """What is known before an instruction of the block; behind its last one, a call having returned."""
        known = self._before.get(block.label, {})
        for insn in block.insns[:position]:
            known = self.step(known, insn)
        return known

    def step(self, known: Known, insn: Insn) -> Known:
        """What is known behind an instruction."""
        ends = flow(insn.raw)
        if ends in CALLS:
            after = {r: at for r, at in known.items() if r in PRESERVED or r == "esp"}
            if insn.refs and ends is Flow.CALL and "esp" in after:
                after["esp"] += self._popped.get(insn.refs[0].target, 0)
            return after
        return _behind(known, insn) if ends is Flow.NEXT else known


def slot(known: Known, memory: Mem) -> int | None:
    """Which place of the stack an operand is, None where it is another, or not known."""
    if memory.base is None or memory.index is not None or memory.segment is not None:
        return None
    at = known.get(memory.base)
    return at + memory.disp if at is not None else None


def _behind(known: Known, insn: Insn) -> Known:
    effect = effects(insn)
    gone = [r for r in known if effect.may_write & _MASKS[r]]
    if not gone and insn.raw[0] not in _MAY_POINT:
        return known  # as most
    kept = {r: at for r, at in known.items() if r not in gone}
    if insn.raw == _LEAVE:
        return kept | ({"esp": known["ebp"] + WORD} if "ebp" in known else {})
    if effect.may_write & _MASKS["esp"] and effect.esp_change is not None and "esp" in known:
        kept["esp"] = known["esp"] + effect.esp_change
        if insn.raw[0] == ENTER:
            kept["ebp"] = known["esp"] - WORD
    elif insn.raw[0] in _MAY_POINT:
        kept |= _pointed(known, insn)
    return kept if kept != known else known


def _pointed(known: Known, insn: Insn) -> dict[str, int]:
    """The register that `mov`, `lea`, `add` or `sub` lets point into the stack."""
    try:
        parts = decode(insn.raw)
    except DecodeError:
        return {}
    target, *sources = parts.operands
    source = sources[0] if len(sources) == 1 else None
    if not isinstance(target, Reg) or target.name not in _MASKS or insn.refs:
        return {}
    if parts.mnemonic == "mov" and isinstance(source, Reg) and source.name in known:
        return {target.name: known[source.name]}
    if parts.mnemonic == "lea" and isinstance(source, Mem):
        at = slot(known, source)
        return {target.name: at} if at is not None else {}
    if parts.mnemonic in ("add", "sub") and isinstance(source, Imm) and target.name in known:
        return {target.name: known[target.name] + (source.signed if parts.mnemonic == "add" else -source.signed)}
    return {}


def _entries(program: Program, named: Collection[str]) -> set[str]:
    """Labels that are called, by somebody or perhaps: first blocks to which nobody branches from another function."""
    understood = [function for function in program.functions if not function.verbatim]
    home = {block.label: function.name for function in understood for block in function.blocks}
    called, reached = {program.entry}, set()
    for function in understood:
        for block in function.blocks:
            last = block.insns[-1] if block.insns else None
            targets = {ref.target for ref in last.refs} if last is not None else set()
            if last is not None and flow(last.raw) is Flow.CALL:
                called |= targets
            elif last is not None and flow(last.raw) in (Flow.JUMP, Flow.BRANCH):
                reached |= {target for target in targets if home.get(target) != function.name}
    names = {function.name for function in understood}
    return {name for name in names if name in named or name not in reached} | (called & home.keys())


def _popped(program: Program) -> dict[str, int]:
    """Bytes of arguments that functions take off the stack, where all their returns agree."""
    found: dict[str, int] = {}
    for function in program.functions:
        pops = {effects(i).esp_change for i in function.insns() if not function.verbatim and i.raw[0] == _RETURN_POPS}
        if len(pops) == 1 and (change := pops.pop()) is not None:
            found |= {block.label: change - WORD for block in function.blocks}
    return found
