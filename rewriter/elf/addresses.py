"""What a program does with the address of code, beyond calling it, storing it, or comparing it for equality.

A relocation says where a code address is; it does not say what is computed from it.  `stubs + 8*i` and `2f - 1b`
name places that no relocation names, so they hold only while the code around keeps its shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rewriter.elf.stack import PRESERVED, WORD, Known, Stack, slot
from rewriter.ir import Block, Insn, Ref, RefKind
from rewriter.x86.decode import Decoded, DecodeError, Mem, Reg, decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow
from rewriter.x86.state import CF, OF, SF, has_mask

MAY_STORE = ("mov", "push", "cmp", "test", "call", "jmp")
BY_ORDER = CF | SF | OF  # the flags that tell which of two is larger
ARGUMENTS = 8 * WORD  # bytes on the stack that a callee may take for its arguments
DEPTH = 2  # calls within calls through which an address is followed

Held = str | int  # what has an address: a register, or a word of the stack (`stack`)
_JUMPED: Final = ""  # among them: who jumped, and gets nothing back
_Place = tuple[Block, int, Held, tuple[str, ...]]  # and where those go on who passed it down
COMPUTED = "its address is computed with"
READ = "its bytes are read as data"
ORDERED = "its address is compared by order"
UNKNOWN = "named by code that is not understood"


class Use:
    """What instructions may do with an address: "" for what is harmless, the register that they copy it to, None for
    anything else.  This one is for addresses of code: to call, to store and to compare them, and to tell the kernel.
    Who is passed one may take it apart, for a gate, or look it up by counting from where the code begins, but not look
    at what is there."""

    lent = True  # whether callees may get it that are not known
    followed = True  # whether it matters what callees do

    def register(self, block: Block, position: int, register: str, passed: bool) -> str | None:
        """Of an instruction that reads a register, perhaps in a function that the address was passed to."""
        found = _use(block.insns[position], register)
        return _looked_up(block.insns[position], register) if found is None and passed else found

    def word(self, block: Block, position: int) -> str | None:
        """Of an instruction that reads a word of the stack, other than to copy it."""
        return "" if decode(block.insns[position].raw).mnemonic in (*MAY_STORE, "ret") else None


PLAIN: Final = Use()


class CodeAddresses:
    """Follows code addresses through the registers and the stack of a program."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.blocks = stack.blocks
        self.entered = stack.entered

    def misuse(self, block: Block, position: int, ref: Ref) -> str | None:
        """How the code address in a field of an instruction is used, where that is more than it may be."""
        offset = ref.offset
        insn = block.insns[position]
        try:
            parts = decode(insn.raw)
        except DecodeError:
            return UNKNOWN
        if offset == parts.disp_offset:
            memory = next(o for o in parts.operands if isinstance(o, Mem))
            if parts.mnemonic != "lea":
                return READ
            counted = ref.kind is RefKind.GOTOFF and memory.scale == 1 and not (memory.base and memory.index)
            if (memory.base or memory.index) and not counted:
                return COMPUTED
        first = parts.operands[0]
        if parts.mnemonic in ("mov", "lea") and isinstance(first, Reg):
            return self.fate(block, position + 1, first.name)
        if self.compared_by_order(block, position):
            return ORDERED
        return self.stored(block, position) if parts.mnemonic in MAY_STORE else COMPUTED

    def compared_by_order(self, block: Block, position: int) -> bool:
        """Whether there is a comparison whose flags decide by more than equality, at once or further on."""
        if decode(block.insns[position].raw).mnemonic != "cmp":
            return False
        work, seen = [(block, position + 1)], {block.label}
        while work:
            at, start = work.pop()
            if at.label in self.stack.verbatim:
                return True
            for insn in at.insns[start:]:
                effect = effects(insn)
                if effect.may_write & FLAGS == FLAGS == effect.reads & FLAGS or flow(insn.raw) in (*CALLS, Flow.RETURN):
                    break  # `int`: who is told takes no flags
                if effect.reads & BY_ORDER:
                    return True
                if effect.may_write & FLAGS:
                    break
            else:
                onward = [to for to in self.stack.onward(at) if to.label not in seen]
                seen |= {to.label for to in onward}
                work += [(to, 0) for to in onward]
        return False

    def stored(self, block: Block, position: int, use: Use = PLAIN) -> str | None:
        """What becomes of an address that an instruction names, where it stores it on the stack."""
        for at in self.slots(block, position):
            if flow(block.insns[position].raw) is Flow.NEXT and (found := self.fate(block, position + 1, at, use=use)):
                return found
        return None

    def fate(
        self, block: Block, position: int, held: Held, returned: str | None = None, use: Use = PLAIN
    ) -> str | None:
        """What becomes of the address that `held` has at this point, on any path, also in functions that it is passed
        to; None if it is only called, stored or compared for equality.  `returned`: what it means that a caller gets
        it.  `use`: what instructions may do with it."""
        work: list[_Place] = [(block, position, held, ())]
        seen = set()
        while work:
            place = work.pop()
            key = (place[0].label, *place[1:])
            if key in seen:
                continue
            seen.add(key)
            if isinstance(place[2], str) and not has_mask(place[2]):  # cr3, ds: the processor makes something of it
                return COMPUTED
            try:
                further = self._follow(*place, returned, use)
            except DecodeError:
                return UNKNOWN
            if isinstance(further, str):
                return further
            work += further
        return None

    def _follow(
        self, block: Block, position: int, held: Held, calls: tuple[str, ...], returned: str | None, use: Use
    ) -> list[_Place] | str:
        """Walk to the end of the block: where the address flows to, or how it is misused."""
        if block.label in self.stack.verbatim:
            return UNKNOWN if isinstance(held, str) else []
        walk = self._in_register if isinstance(held, str) else self._in_slot
        found = walk(block, position, held, use, bool(calls))  # type: ignore[arg-type]
        if isinstance(found, str):
            return found
        copies: list[_Place] = [(block, at, copy, calls) for at, copy in found[0]]
        if not found[1]:
            return copies
        ends = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
        if ends is Flow.RETURN:
            back = [label for label in calls if label != _JUMPED]
            if isinstance(held, str) and back and held not in PRESERVED:
                return [*copies, (self.blocks[back[-1]], 0, held, tuple(back[:-1]))]
            return returned if returned and not back and isinstance(held, str) else copies
        if ends in CALLS:
            passed = self._passed(block, held, calls, use)
            if passed is None:
                return COMPUTED
            copies += passed
            if isinstance(held, str) and held not in PRESERVED:
                return copies
        if ends is Flow.JUMP_INDIRECT and isinstance(held, str) and not calls:
            if effects(block.insns[-1]).reads & register_mask(held):
                return copies
            if not self.entered.get(block.label):
                return COMPUTED
        return copies + list(self._onward(block, held, calls, use))

    def _onward(self, block: Block, held: Held, calls: tuple[str, ...], use: Use) -> Iterator[_Place]:
        """Where control goes, and what has the address there.  Who jumps to a function passes it what is above esp,
        but for its own return address: whose that is, is told for each."""
        for to in self.stack.onward(block):
            if isinstance(held, str) or to.label not in self.stack.entries:
                yield to, 0, held, calls
            elif held and use.followed and to.label != block.falls_to and len(calls) < DEPTH:
                esp = self.stack.at(block, len(block.insns)).get("esp")
                if esp is not None and 0 <= held - esp < ARGUMENTS:
                    yield to, 0, held - esp, (*calls, _JUMPED)

    def _in_register(
        self, block: Block, position: int, register: str, use: Use, passed: bool
    ) -> tuple[list[tuple[int, Held]], bool] | str:
        """Where the block copies what a register holds (behind an instruction, to what), and whether it still has it
        at its end; or how it is misused."""
        mask = register_mask(register)
        copies: list[tuple[int, Held]] = []
        for i, insn in enumerate(block.insns[position:], position):
            effect = effects(insn)
            if effect.reads & mask:
                copy = use.register(block, i, register, passed)
                if copy is None or (copy == "" and not passed and self.compared_by_order(block, i)):
                    return COMPUTED if copy is None else ORDERED
                copies += [(i + 1, copy)] if copy else []
                if not copy and _stores(insn, register):
                    copies += [(i + 1, at) for at in self.slots(block, i)]
            if effect.writes & mask == mask:
                return copies, False
        return copies, True

    def slots(self, block: Block, position: int) -> Iterator[int]:
        """The words of the stack that an instruction overwrites."""
        known = self.stack.at(block, position)
        for memory, size in effects(block.insns[position]).stores:
            at = slot(known, memory)
            if at is not None and size == WORD:
                yield at

    def _in_slot(
        self, block: Block, position: int, at: int, use: Use, passed: bool
    ) -> tuple[list[tuple[int, Held]], bool] | str:
        """The same of a word of the stack, until something else is there, or nothing is kept below esp."""
        touched, highest = self.stack.touched(block)
        if at not in touched and highest <= at:
            return [], True
        known = self.stack.at(block, position)
        copies: list[tuple[int, Held]] = []
        for i, insn in enumerate(block.insns[position:], position):
            effect = effects(insn)
            if any(_overlaps(known, memory, size, at) for memory, size in effect.loads):
                copy = self._taken(block, i, use)
                if copy is None or (copy == "" and not passed and self.compared_by_order(block, i)):
                    return COMPUTED if copy is None else ORDERED
                copies += [(i + 1, copy)] if copy else [(i + 1, to) for to in self.slots(block, i)]
            if any(slot(known, memory) == at and size == WORD for memory, size in effect.stores):
                return copies, False
            if flow(insn.raw) is Flow.NEXT:
                known = self.stack.step(known, insn)
            if known.get("esp", at) > at:
                return copies, False
        return copies, True

    def _taken(self, block: Block, position: int, use: Use) -> str | None:
        """What an instruction does with the word of the stack that it reads: as `Use`."""
        insn = block.insns[position]
        parts = decode(insn.raw)
        first = parts.operands[0] if parts.operands else None
        if parts.mnemonic == "leave":
            return "ebp"
        if parts.mnemonic in ("mov", "pop") or parts.mnemonic.startswith("cmov"):
            if not isinstance(first, Reg):
                return ""
            return first.name if first.size == WORD else None
        if parts.mnemonic == "push":
            return ""
        return use.word(block, position)

    def _passed(self, block: Block, held: Held, calls: tuple[str, ...], use: Use) -> list[_Place] | None:
        """Where a callee finds it: in a register, or as one of its arguments.  None where it is believed of no callee
        that nobody knows."""
        if not use.followed:
            return []
        last = block.insns[-1]
        callee = last.refs[0].target if last.refs and flow(last.raw) is Flow.CALL else ""
        if isinstance(held, int):
            esp = self.stack.at(block, len(block.insns) - 1).get("esp")
            if esp is None or not 0 <= held - esp < ARGUMENTS:
                return []
            held += WORD - esp
            if callee not in self.stack.entries:
                return [] if use.lent else None
            if held not in self.stack.arguments(callee):
                return []
        elif held in PRESERVED:
            return []
        if callee not in self.stack.entries or not block.falls_to or len(calls) == DEPTH:
            return []
        return [(self.blocks[callee], 0, held, (*calls, block.falls_to))]


def _stores(insn: Insn, register: str) -> bool:
    """Whether an instruction stores the whole register as it is."""
    parts = decode(insn.raw)
    return parts.mnemonic in ("mov", "push") and parts.operands[-1] == Reg(register, WORD)


def _overlaps(known: Known, memory: Mem, size: int | None, at: int) -> bool:
    """Whether a word of the stack is read, or a part of it."""
    start = slot(known, memory)
    return start is not None and size is not None and start - WORD < at < start + size


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
    if _scrambles(parts):
        return ""
    if parts.mnemonic in (*MAY_STORE, "int") or flow(insn.raw) in (Flow.RETURN, Flow.CALL, Flow.IRET):
        return ""
    return None


def _looked_up(insn: Insn, register: str) -> str | None:
    """As `_use`, of an address that was passed to somebody else: None for reading the bytes there."""
    parts = decode(insn.raw)
    if parts.mnemonic != "lea" and any(isinstance(o, Mem) and register in (o.base, o.index) for o in parts.operands):
        return None
    target = parts.operands[0] if parts.operands else None
    onward = parts.mnemonic in ("add", "lea", "inc") and isinstance(target, Reg) and target.size == WORD
    return target.name if onward and isinstance(target, Reg) else ""


def _scrambles(parts: Decoded) -> bool:
    """Whether an address is mixed with a secret of the thread, as C libraries do before they store it: nobody can
    compute with it before it is unmixed, and then it is the same again."""
    if parts.mnemonic in ("rol", "ror"):
        return True
    return parts.mnemonic == "xor" and any(isinstance(o, Mem) and o.segment == "gs" for o in parts.operands)
