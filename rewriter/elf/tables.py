"""Jump tables: data that names places inside of functions, to which control goes and with which nothing else is done.

jmp [eax*4 + table]                     entries are addresses
mov ecx, [eax*4 + table]                the same, if ecx is only jumped to
mov ecx, [ebx + eax*4 + table]          position-independent: entries count from the global offset table in ebx,
add ecx, ebx                            or, in assembly, from the table itself
jmp ecx
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rewriter.elf.addresses import MAY_STORE, CodeAddresses, Use
from rewriter.elf.getpc import MOVE
from rewriter.elf.stack import WORD
from rewriter.ir import Block, Insn, Program, Ref, RefKind
from rewriter.x86.decode import Decoded, DecodeError, Mem, Reg, decode
from rewriter.x86.effects import effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow
from rewriter.x86.state import has_mask

Place = tuple[str, int]  # data and offset
Found = tuple[Place, RefKind] | bool


class JumpTables:
    """The jump tables of a program."""

    def __init__(self, addresses: CodeAddresses, program: Program) -> None:
        self.addresses = addresses
        self.program = program
        self.refs = {d.name: d.refs for d in program.data}
        self.enters = _Enters(addresses)

    def entries(self) -> set[Place]:
        """Where data holds entries.  A table ends where something else is named, or nothing; it is none where code
        does anything else with its address or its entries."""
        starts: dict[Place, RefKind] = {}
        misused: set[Place] = set()
        named = {(ref.target, ref.addend) for refs in self.refs.values() for ref in refs.values()}
        for block, i, ref in self._named():
            named.add((ref.target, ref.addend))
            found = self._kind(block, i, ref)
            if found is False:
                misused.add((ref.target, ref.addend))
            elif found is not True:
                starts[found[0]] = found[1]
                named.add(found[0])
        tables = [self._table(start, kind, named) for start, kind in starts.items()]
        return {place for table in tables if not misused & table for place in table}

    def _table(self, start: Place, kind: RefKind, named: Collection[Place]) -> set[Place]:
        (name, offset), found = start, set()
        refs = self.refs.get(name, {})
        while offset in refs and refs[offset].kind is kind:
            found.add((name, offset))
            offset += WORD
            if (name, offset) in named:
                break
        return found

    def _named(self) -> Iterator[tuple[Block, int, Ref]]:
        """Instructions that name data which may be a table, or through which they fetch one."""
        for block in self.addresses.blocks.values():
            for i, insn in enumerate(block.insns):
                for ref in insn.refs:
                    if ref.target in self.refs and ref.kind is not RefKind.PC32:
                        yield block, i, ref

    def _kind(self, block: Block, position: int, ref: Ref) -> Found:
        """The table that an instruction goes through, and the kind of its entries; or whether it does not harm if
        there is one."""
        try:
            parts = decode(block.insns[position].raw)
        except DecodeError:
            return False
        if parts.imm_offset == ref.offset and (fetched := self._fetched(block, position, ref, parts)):
            return fetched, RefKind.PC32
        entry = self.refs[ref.target].get(ref.addend)
        if entry is None or entry.target not in self.addresses.blocks:
            return True
        if parts.imm_offset == ref.offset or parts.mnemonic == "lea":
            return self._address(block, position, (ref.target, ref.addend), parts)
        return self._entry(block, position, ref, parts)

    def _address(self, block: Block, position: int, place: Place, parts: Decoded) -> Found:
        """What becomes of the address of a table."""
        target = parts.operands[0]
        if parts.mnemonic in ("mov", "lea") and isinstance(target, Reg):
            held = self.addresses.fate(block, position + 1, target.name, use=self.enters)
            return (place, RefKind.ABS32) if held is None else False
        if parts.mnemonic == "push" or parts.mnemonic == "mov":
            kept = self.enters.kept(block, position)
            return kept and self.addresses.stored(block, position, self.enters) is None
        return parts.mnemonic == "cmp"

    def _entry(self, block: Block, position: int, ref: Ref, parts: Decoded) -> Found:
        """What becomes of an entry that is read, or, where it is relative, of what it is added to."""
        place = (ref.target, ref.addend)
        ends = flow(parts.raw)
        if ends is not Flow.NEXT:
            return (place, RefKind.ABS32) if ends is Flow.JUMP_INDIRECT else ends is Flow.CALL_INDIRECT
        target = parts.operands[0]
        memory = next((o for o in parts.operands if isinstance(o, Mem)), None)
        if memory is None:
            return False
        indexed = memory.index is not None and memory.scale == WORD
        if memory.index is not None and memory.size < WORD:
            return True  # of other data, counted from somewhere before it
        if not isinstance(target, Reg) or not has_mask(target.name) or parts.mnemonic not in ("mov", "add"):
            stored = parts.mnemonic in MAY_STORE and not isinstance(target, Reg)
            return stored and self.addresses.stored(block, position) is None
        if parts.mnemonic == "mov" and self._only_jumped_to(block, position + 1, target.name):
            return (place, RefKind.ABS32) if indexed else True
        summed = target.name if parts.mnemonic == "add" else None
        at = position + 1
        if summed is None:
            at, summed = self._added_to(block, position + 1, target.name)
        if indexed and ref.kind is RefKind.GOTOFF and summed and self._only_jumped_to(block, at, summed):
            return place, RefKind.GOTOFF
        return False

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


class _Enters(Use):
    """What may be done with the address of a table: to keep it where nobody else finds it, and to go where it says."""

    lent = False

    def __init__(self, addresses: CodeAddresses) -> None:
        self.addresses = addresses

    def register(self, block: Block, position: int, register: str, passed: bool) -> str | None:
        insn = block.insns[position]
        if flow(insn.raw) in (Flow.RETURN, *CALLS):
            return ""  # by then it is left over
        parts = decode(insn.raw)
        if not parts.operands:
            return None  # pushal, cdq
        first = parts.operands[0]
        if parts.mnemonic == "mov" and parts.operands[1:] == (Reg(register, WORD),) and isinstance(first, Reg):
            return first.name
        entry = next((o for o in parts.operands if isinstance(o, Mem)), None)
        if parts.mnemonic == "push" or (parts.mnemonic == "mov" and first == entry):
            return "" if parts.operands[-1] == Reg(register, WORD) and self.kept(block, position) else None
        if entry is None or (entry.base, entry.scale, entry.disp) != (register, WORD, 0) or entry.index == register:
            return None
        if flow(insn.raw) is Flow.JUMP_INDIRECT:
            return ""
        if parts.mnemonic != "mov" or not isinstance(first, Reg):
            return None
        return "" if self.addresses.fate(block, position + 1, first.name) is None else None

    def word(self, block: Block, position: int) -> str | None:
        return None

    def kept(self, block: Block, position: int) -> bool:
        """Whether an instruction stores to the stack, and to a word of which nobody has the address."""
        places = list(self.addresses.slots(block, position))
        return bool(places) and not any(self.addresses.stack.lends(block, at) for at in places)


def _number(insn: Insn, register: Reg) -> int | None:
    """The number that a `mov register, number` of five bytes loads."""
    if len(insn.raw) != 5 or insn.raw[0] & 0xF8 != MOVE or insn.refs or decode(insn.raw).operands[0] != register:
        return None
    return int.from_bytes(insn.raw[1:], "little")
