"""Jump tables: data that names places inside of functions, to which control goes and with which nothing else is done.

jmp [eax*4 + table]                     entries are addresses
mov ecx, [eax*4 + table]                the same, if ecx is only jumped to
mov ecx, [ebx + eax*4 + table]          position-independent: entries count from the global offset table in ebx,
add ecx, ebx                            or, in assembly, from the table itself
jmp ecx
"""

from __future__ import annotations

from collections.abc import Iterator

from rewriter.elf.addresses import WORD, CodeAddresses
from rewriter.elf.getpc import MOVE
from rewriter.ir import Block, Insn, Program, Ref, RefKind
from rewriter.x86.decode import Decoded, DecodeError, Mem, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow
from rewriter.x86.state import has_mask

Place = tuple[str, int]  # data and offset


class JumpTables:
    """The jump tables of a program."""

    def __init__(self, addresses: CodeAddresses, program: Program) -> None:
        self.addresses = addresses
        self.program = program
        self.refs = {d.name: d.refs for d in program.data}
        self.owners = {b.label: f for f in program.functions for b in f.blocks}
        self._asked: set[tuple[str, int]] = set()  # slots that are being looked at, by block

    def entries(self) -> set[Place]:
        """Where data holds entries.  A table ends where something else is named, or nothing."""
        starts = {place: kind for block in self.addresses.blocks.values() for place, kind in self._starts(block)}
        named = set(starts) | {
            (ref.target, ref.addend) for f in self.program.functions for i in f.insns() for ref in i.refs
        }
        named |= {(ref.target, ref.addend) for d in self.program.data for ref in d.refs.values()}
        data = {d.name: d for d in self.program.data}
        found = set()
        for (name, offset), kind in starts.items():
            refs = data[name].refs if name in data else {}
            while offset in refs and refs[offset].kind is kind:
                found.add((name, offset))
                offset += WORD
                if (name, offset) in named:
                    break
        return found

    def _starts(self, block: Block) -> Iterator[tuple[Place, RefKind]]:
        """Tables that a block uses, and of which kind their entries are."""
        for i, insn in enumerate(block.insns):
            for ref in insn.refs:
                if ref.target in self.refs and ref.kind is not RefKind.PC32:
                    try:
                        kind = self._kind(block, i, ref, decode(insn.raw))
                    except DecodeError:
                        continue
                    if kind is not None:
                        yield kind

    def _kind(self, block: Block, position: int, ref: Ref, parts: Decoded) -> tuple[Place, RefKind] | None:
        insn = block.insns[position]
        place = (ref.target, ref.addend)
        if parts.imm_offset != ref.offset and ref.addend not in self.refs[ref.target]:
            return None
        if parts.imm_offset == ref.offset:
            fetched = self._fetched(block, position, ref, parts)
            return (fetched, RefKind.PC32) if fetched else None
        if flow(insn.raw) is Flow.JUMP_INDIRECT:
            return place, RefKind.ABS32
        if parts.mnemonic == "lea" and isinstance(parts.operands[0], Reg):
            held = self.addresses.fate(block, position + 1, parts.operands[0].name, use=self._enters)
            return (place, RefKind.ABS32) if held is None else None
        target = parts.operands[0] if parts.mnemonic in ("mov", "add") else None
        indexed = any(isinstance(o, Mem) and o.index and o.scale == WORD for o in parts.operands)
        if not isinstance(target, Reg) or not has_mask(target.name) or not indexed:
            return None
        if parts.mnemonic == "mov" and self._only_jumped_to(block, position + 1, target.name):
            return place, RefKind.ABS32
        summed = target.name if parts.mnemonic == "add" else None
        at = position + 1
        if summed is None:
            at, summed = self._added_to(block, position + 1, target.name)
        if ref.kind is RefKind.GOTOFF and summed and self._only_jumped_to(block, at, summed):
            return place, RefKind.GOTOFF
        return None

    def _enters(self, block: Block, position: int, register: str) -> str | None:
        """What an instruction does with the address of a table: "" for jumping to an entry."""
        insn = block.insns[position]
        if flow(insn.raw) in (Flow.RETURN, *CALLS):
            return ""  # by then it is left over
        parts = decode(insn.raw)
        if (
            parts.mnemonic == "mov"
            and parts.operands[1:] == (Reg(register, WORD),)
            and isinstance(parts.operands[0], Reg)
        ):
            return parts.operands[0].name
        entry = next((o for o in parts.operands if isinstance(o, Mem)), None)
        if parts.mnemonic == "mov" and parts.operands[0] == entry and entry is not None:
            return "" if self._kept(block, entry) else None
        if entry is None or (entry.base, entry.scale, entry.disp) != (register, WORD, 0) or entry.index == register:
            return None
        if flow(insn.raw) is Flow.JUMP_INDIRECT:
            return ""
        target = parts.operands[0]
        if parts.mnemonic != "mov" or not isinstance(target, Reg):
            return None
        return "" if self._only_jumped_to(block, position + 1, target.name) else None

    def _kept(self, block: Block, slot: Mem) -> bool:
        """Whether the address is kept in the frame, and whoever takes it from there uses it as a table, too.  What a
        slot is called that esp leads to changes with esp: there it is believed."""
        if slot.base == "esp":
            return True
        if slot.base != "ebp" or slot.index is not None:
            return False
        if (block.label, slot.disp) in self._asked:
            return True
        own = self.owners[block.label].blocks
        self._asked |= {(each.label, slot.disp) for each in own}
        fine = all(self._taken(each, i, slot) for each in own for i in range(len(each.insns)))
        self._asked -= {(each.label, slot.disp) for each in own}
        return fine

    def _taken(self, block: Block, position: int, slot: Mem) -> bool:
        """Whether an instruction uses the slot, if at all, to keep something, or a table's address as such."""
        parts = decode(block.insns[position].raw)
        touched = [o for o in parts.operands if isinstance(o, Mem) and o.base == "ebp" and o.index is None]
        if not any(abs(each.disp - slot.disp) < WORD for each in touched):
            return True
        first = parts.operands[0]
        if parts.mnemonic != "mov" or touched[0].disp != slot.disp or touched[0].size != WORD:
            return False
        if not isinstance(first, Reg):
            return True
        return self.addresses.fate(block, position + 1, first.name, use=self._enters) is None

    def _only_jumped_to(self, block: Block, position: int, register: str) -> bool:
        return self.addresses.fate(block, position, register) is None

    def _added_to(self, block: Block, position: int, register: str) -> tuple[int, str | None]:
        """Where the block adds something to `register`, or it to something: behind it, and what holds the sum."""
        mask = register_mask(register)
        for i, insn in enumerate(block.insns[position:], position):
            effect = effects(insn)
            if effect.reads & mask:
                parts = decode(insn.raw)
                sums = parts.mnemonic == "add" and all(isinstance(o, Reg) for o in parts.operands)
                first = parts.operands[0] if sums else None
                return i + 1, first.name if isinstance(first, Reg) else None
            if effect.may_write & mask:
                break
        return position, None

    def _fetched(self, block: Block, position: int, ref: Ref, parts: Decoded) -> Place | None:
        """The table that `mov ebx, n; add ebx, table - n; add ebx, [ebx + ecx*4]; jmp ebx` jumps through."""
        first = parts.operands[0]
        number = _number(block.insns[position - 1], first) if position and isinstance(first, Reg) else None
        if parts.mnemonic != "add" or number is None or not isinstance(first, Reg):
            return None
        mask = register_mask(first.name)
        for i, insn in enumerate(block.insns[position + 1 :], position + 1):
            effect = effects(insn)
            if effect.reads & mask:
                summed = decode(insn.raw)
                loads = [o for o in summed.operands if isinstance(o, Mem) and o.base == first.name and o.scale == WORD]
                if summed.mnemonic != "add" or summed.operands[0] != first or not loads or loads[0].disp:
                    return None
                offset = (ref.addend + number) & 0xFFFFFFFF
                return (ref.target, offset) if self._only_jumped_to(block, i + 1, first.name) else None
            if effect.may_write & mask:
                return None
        return None


def _number(insn: Insn, register: Reg) -> int | None:
    """The number that a `mov register, number` of five bytes loads."""
    if len(insn.raw) != 5 or insn.raw[0] & 0xF8 != MOVE or insn.refs or decode(insn.raw).operands[0] != register:
        return None
    return int.from_bytes(insn.raw[1:], "little")
