"""What a program does with the address of code, beyond calling it, storing it, or comparing it for equality.

A relocation says where a code address is; it does not say what is computed from it.  `stubs + 8*i` and `2f - 1b`
name places that no relocation names, so they hold only while the code around keeps its shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rewriter.ir import Block, Insn, Program, RefKind
from rewriter.x86.decode import Decoded, DecodeError, Mem, Reg, decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import Flow, flow
from rewriter.x86.state import CF, OF, SF

MAY_STORE = ("mov", "push", "cmp", "test", "call", "jmp")
PRESERVED = ("ebx", "esi", "edi", "ebp")
BY_ORDER = CF | SF | OF  # the flags that tell which of two is larger
WORD = 4

COMPUTED = "its address is computed with"
READ = "its bytes are read as data"
ORDERED = "its address is compared by order"
UNKNOWN = "named by code that is not understood"


class CodeAddresses:
    """Follows code addresses through registers.  `blocks`: of the whole program, by label."""

    def __init__(self, blocks: Mapping[str, Block]) -> None:
        self.blocks = blocks

    def misuse(self, block: Block, position: int, offset: int) -> str | None:
        """How the code address in a field of an instruction is used, where that is more than it may be."""
        insn = block.insns[position]
        try:
            parts = decode(insn.raw)
        except DecodeError:
            return UNKNOWN
        if offset == parts.disp_offset:
            memory = next(o for o in parts.operands if isinstance(o, Mem))
            if parts.mnemonic != "lea":
                return READ
            if memory.base or memory.index:
                return COMPUTED
        first = parts.operands[0]
        if parts.mnemonic in ("mov", "lea") and isinstance(first, Reg):
            return self.fate(block, position + 1, first.name)
        if parts.mnemonic == "cmp" and _compared_by_order(block, position):
            return ORDERED
        return None if parts.mnemonic in MAY_STORE else COMPUTED

    def fate(self, block: Block, position: int, register: str) -> str | None:
        """What becomes of the address that `register` holds at this point, on any path; None if it is only called,
        stored or compared for equality."""
        work, seen = [(block, position, register)], set()
        while work:
            place = work.pop()
            key = (place[0].label, place[1], place[2])
            if key in seen:
                continue
            seen.add(key)
            try:
                further = self._follow(*place)
            except DecodeError:
                return UNKNOWN
            if isinstance(further, str):
                return further
            work += further
        return None

    def _follow(self, block: Block, position: int, register: str) -> list[tuple[Block, int, str]] | str:
        """Walk to the end of the block: where the address flows to, or how it is misused."""
        mask, copies = register_mask(register), []
        for i, insn in enumerate(block.insns[position:], position):
            effect = effects(insn)
            if effect.reads & mask:
                copy = _use(insn, register)
                if copy is None or (copy == "" and _compares(insn) and _compared_by_order(block, i)):
                    return COMPUTED if copy is None else ORDERED
                copies += [(block, i + 1, copy)] if copy else []
            if effect.writes & mask == mask:
                return copies
        last = block.insns[-1]
        ends = flow(last.raw)
        if ends in (Flow.CALL, Flow.CALL_INDIRECT) and register not in PRESERVED:
            return copies
        if ends is Flow.JUMP_INDIRECT and not effects(last).reads & mask:
            return COMPUTED
        labels = [ref.target for ref in last.refs if ends in (Flow.JUMP, Flow.BRANCH)]
        labels += [label for label in (block.falls_to, last.faults_to) if label]
        return copies + [(self.blocks[label], 0, register) for label in labels if label in self.blocks]

    def jump_tables(self, program: Program) -> set[tuple[str, int]]:
        """Where data holds entries of jump tables: (data, offset).  A table is what `jmp [r*4 + table]` names, or a
        load `mov r, [r*4 + table]` whose result is only jumped to; it ends where anything else is named."""
        starts = {start for block in self.blocks.values() for start in self._tables_of(block)}
        named = {(ref.target, ref.addend) for f in program.functions for i in f.insns() for ref in i.refs} | {
            (ref.target, ref.addend) for d in program.data for ref in d.refs.values()
        }
        data = {d.name: d for d in program.data}
        entries = set()
        for name, offset in starts:
            while name in data and offset in data[name].refs:
                entries.add((name, offset))
                offset += WORD
                if (name, offset) in named:
                    break
        return entries

    def _tables_of(self, block: Block) -> Iterator[tuple[str, int]]:
        for i, insn in enumerate(block.insns):
            refs = [ref for ref in insn.refs if ref.kind is RefKind.ABS32 and ref.target not in self.blocks]
            if not refs:
                continue
            try:
                parts = decode(insn.raw)
            except DecodeError:
                continue
            if flow(insn.raw) is Flow.JUMP_INDIRECT or self._loads_target(block, i, parts):
                yield from ((ref.target, ref.addend) for ref in refs if ref.offset == parts.disp_offset)

    def _loads_target(self, block: Block, position: int, parts: Decoded) -> bool:
        target = parts.operands[0] if parts.mnemonic == "mov" else None
        indexed = any(isinstance(o, Mem) and o.index and o.scale == WORD for o in parts.operands)
        return isinstance(target, Reg) and indexed and self.fate(block, position + 1, target.name) is None


def _compares(insn: Insn) -> bool:
    return decode(insn.raw).mnemonic == "cmp"


def _compared_by_order(block: Block, position: int) -> bool:
    """Whether the flags of the comparison at `position` decide a branch by more than equality."""
    for insn in block.insns[position + 1 :]:
        effect = effects(insn)
        if effect.reads & FLAGS:
            return bool(effect.reads & BY_ORDER)
        if effect.may_write & FLAGS:
            return False
    return False


def _use(insn: Insn, register: str) -> str | None:
    """What an instruction that reads `register` does with it: "" for calling, storing, comparing or telling
    the kernel, the name of the register that it copies it to, None for anything else."""
    parts = decode(insn.raw)
    addresses = {name for o in parts.operands if isinstance(o, Mem) for name in (o.base, o.index)}
    if register in addresses:
        return None
    if parts.mnemonic.startswith("cmov") or parts.mnemonic == "mov":
        target = parts.operands[0]
        if isinstance(target, Reg):
            return target.name if target.name != register else ""
        return ""
    if parts.mnemonic in (*MAY_STORE, "int") or flow(insn.raw) in (Flow.RETURN, Flow.CALL, Flow.IRET):
        return ""
    return None


def reads_return_address(blocks: list[Block]) -> bool:
    """Whether a function reads the slot that `esp` points to at its entry: `call 1f; 1: pop ebx`, or, with a frame,
    `mov ecx, [ebp + 4]`."""
    depths: dict[str, int] = {blocks[0].label: 0}  # bytes pushed since the entry
    framed: dict[str, bool] = {blocks[0].label: False}  # whether ebp points to the saved ebp, below the return address
    own = {b.label: b for b in blocks}
    work = [blocks[0].label]
    while work:
        label = work.pop()
        depth: int | None = depths[label]
        frame = framed[label]
        for insn in own[label].insns:
            effect = effects(insn)
            for mem, _ in () if flow(insn.raw) is Flow.RETURN else effect.loads:
                if mem.base == "esp" and mem.index is None and depth is not None and mem.disp == depth:
                    return True
                if mem.base == "ebp" and mem.index is None and frame and mem.disp == WORD:
                    return True
            frame = (frame or insn.raw in _FRAME) and not (effect.may_write & _EBP and insn.raw not in _FRAME)
            called = flow(insn.raw) in (Flow.CALL, Flow.CALL_INDIRECT)
            change = 0 if called else effect.esp_change
            depth = None if depth is None or change is None else depth - change
        if depth is None:
            continue
        for target in _ways(own[label]):
            if target in own and target not in depths:
                depths[target], framed[target] = depth, frame
                work.append(target)
    return False


_EBP = register_mask("ebp")
_FRAME = (b"\x89\xe5", b"\x8b\xec")  # mov ebp, esp


def _ways(block: Block) -> Iterator[str]:
    last = block.insns[-1] if block.insns else None
    if last is not None and flow(last.raw) in (Flow.JUMP, Flow.BRANCH):
        yield from (ref.target for ref in last.refs)
    if block.falls_to:
        yield block.falls_to
