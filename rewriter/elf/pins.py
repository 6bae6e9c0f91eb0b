"""Which functions must stay where they are, byte for byte, and why (DESIGN: what is not understood is pinned).

A relocation says where a code address is; it does not say what the program computes with it.  `stubs + 8*i` and
`2f - 1b` name places that no relocation names, so they hold only while the code around keeps its shape.
"""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.contract import Contract
from rewriter.elf.extents import PADDING
from rewriter.elf.place import main_text
from rewriter.ir import Block, Function, Insn, Program, RefKind
from rewriter.x86.decode import DecodeError, Mem, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import Flow, flow

MAY_STORE = ("mov", "push", "cmp", "test", "call", "jmp")
PRESERVED = ("ebx", "esi", "edi", "ebp")


def pin(program: Program, contract: Contract) -> None:
    """Add to every function's `pins` the reasons for which it may not move or change."""
    _Pins(program, contract).find()


class _Pins:
    def __init__(self, program: Program, contract: Contract) -> None:
        self.program = program
        self.contract = contract
        self.blocks = {b.label: b for f in program.functions for b in f.blocks}
        self.owner = {b.label: f for f in program.functions for b in f.blocks}

    def find(self) -> None:
        self._pin_promised()
        readers = {f.name for f in self.program.functions if _reads_return_address(f)}
        for function in self.program.functions:
            for block in function.blocks:
                self._check_block(function, block, readers)
        self._pin_unreached()
        self._spread()

    def _add(self, function: Function, reason: str) -> None:
        if reason not in function.pins:
            function.pins += (reason,)

    def _pin_promised(self) -> None:
        text = main_text(self.program.sections)
        stay = set(self.contract.stay)
        for function in self.program.functions:
            if function.name in stay:
                self._add(function, "the contract says so")
            origin = function.blocks[0].insns[0].origin or 0
            if not text.address <= origin < text.address + text.size:
                self._add(function, "its section stays in place")

    def _check_block(self, function: Function, block: Block, readers: set[str]) -> None:
        for i, insn in enumerate(block.insns):
            for ref in insn.refs:
                target = self.owner.get(ref.target)
                if target is None:
                    continue
                if ref.kind is not RefKind.ABS32:
                    self._check_call(function, insn, ref.target, target, readers)
                elif (reason := self._misuse(block, i, ref.offset)) is not None:
                    self._add(target, reason)

    def _check_call(self, function: Function, insn: Insn, label: str, target: Function, readers: set[str]) -> None:
        if flow(insn.raw) is not Flow.CALL:
            return
        if target is function and label != function.name:
            self._add(function, "calls into itself, perhaps for its own address")
        if target.name in readers and label == target.name:
            self._add(function, f"calls {target.name}, which reads its return address")

    def _misuse(self, block: Block, position: int, offset: int) -> str | None:
        """How the code address in this field is used, where that is more than calling, storing or comparing it."""
        insn = block.insns[position]
        try:
            parts = decode(insn.raw)
        except DecodeError:
            return "named by code that is not understood"
        if offset == parts.disp_offset:
            memory = next(o for o in parts.operands if isinstance(o, Mem))
            if parts.mnemonic != "lea":
                return "its bytes are read as data"
            if memory.base or memory.index:
                return "its address is computed with"
        first = parts.operands[0]
        if parts.mnemonic in ("mov", "lea") and isinstance(first, Reg):
            return None if self._only_stored(block, position + 1, first.name) else "its address is computed with"
        return None if parts.mnemonic in MAY_STORE else "its address is computed with"

    def _only_stored(self, block: Block, position: int, register: str) -> bool:
        """Whether the value that `register` holds at this point is, on every path, only called, stored or compared."""
        work, seen = [(block, position, register)], set()
        while work:
            place = work.pop()
            key = (place[0].label, place[1], place[2])
            if key in seen:
                continue
            seen.add(key)
            further = self._follow(*place)
            if further is None:
                return False
            work += further
        return True

    def _follow(self, block: Block, position: int, register: str) -> list[tuple[Block, int, str]] | None:
        """Walk to the end of the block; None where the address is computed with, else where it flows to."""
        mask, copies = register_mask(register), []
        for i, insn in enumerate(block.insns[position:], position):
            effect = effects(insn)
            if effect.reads & mask:
                use = _use(insn, register)
                if use is None:
                    return None
                copies += [(block, i + 1, use)] if use else []
            if effect.writes & mask == mask:
                return copies
        last = block.insns[-1]
        ends = flow(last.raw)
        if ends in (Flow.CALL, Flow.CALL_INDIRECT) and register not in PRESERVED:
            return copies
        if ends is Flow.JUMP_INDIRECT and not effects(last).reads & mask:
            return None
        labels = [ref.target for ref in last.refs if ends in (Flow.JUMP, Flow.BRANCH)]
        labels += [label for label in (block.falls_to, last.faults_to) if label]
        return copies + [(self.blocks[label], 0, register) for label in labels if label in self.blocks]

    def _pin_unreached(self) -> None:
        """Bytes that nothing leads to are perhaps data, read by a number that no relocation explains."""
        named = {symbol.target for symbol in self.program.symbols}
        for label, ref in self._refs():
            if label != ref:
                named.add(ref)
        for function in self.program.functions:
            for block in function.blocks[1:]:
                if block.label not in named and not PADDING.fullmatch(b"".join(i.raw for i in block.insns)):
                    self._add(function, "holds bytes that no path reaches")
                    break

    def _refs(self) -> Iterator[tuple[str, str]]:
        """(from, to): labels that something in the program leads to."""
        for data in self.program.data:
            yield from (("", ref.target) for ref in data.refs.values())
        for function in self.program.functions:
            for block in function.blocks:
                if block.falls_to:
                    yield block.label, block.falls_to
                for insn in block.insns:
                    yield from ((block.label, ref.target) for ref in insn.refs)
                    if insn.faults_to:
                        yield block.label, insn.faults_to

    def _spread(self) -> None:
        """A pinned function keeps its neighbor where it falls into it or reaches it by a short branch."""
        work = [f for f in self.program.functions if f.pins]
        while work:
            function = work.pop()
            for label, reason in self._held(function):
                neighbor = self.owner.get(label)
                if neighbor is not None and neighbor is not function and not neighbor.pins:
                    self._add(neighbor, reason)
                    work.append(neighbor)

    def _held(self, function: Function) -> Iterator[tuple[str, str]]:
        falls_to = function.blocks[-1].falls_to
        if falls_to:
            yield falls_to, f"{function.name}, which stays, falls into it"
        for insn in function.insns():
            for ref in insn.refs:
                if ref.kind is RefKind.PC8:
                    yield ref.target, f"{function.name}, which stays, reaches it by a short branch"


def _use(insn: Insn, register: str) -> str | None:
    """What an instruction that reads `register` does with it: "" for calling, storing or comparing, the name of
    the register that it copies it to, None for anything else."""
    parts = decode(insn.raw)
    addresses = {name for o in parts.operands if isinstance(o, Mem) for name in (o.base, o.index)}
    if register in addresses:
        return None
    if parts.mnemonic.startswith("cmov") or parts.mnemonic == "mov":
        target = parts.operands[0]
        if isinstance(target, Reg):
            return target.name if target.name != register else ""
        return ""
    if parts.mnemonic in MAY_STORE or flow(insn.raw) in (Flow.RETURN, Flow.CALL, Flow.IRET):
        return ""
    return None


def _reads_return_address(function: Function) -> bool:
    """Whether the first block reads the slot that `esp` points to at the entry, as `call 1f; 1: pop ebx` does."""
    depth = 0
    for insn in function.blocks[0].insns:
        if flow(insn.raw) is not Flow.NEXT:
            return False
        effect = effects(insn)
        if any(m.base == "esp" and m.index is None and m.disp + depth == 0 for m, _ in effect.loads):
            return True
        if effect.esp_change is None:
            return False
        depth += effect.esp_change
    return False
