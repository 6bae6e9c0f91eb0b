"""What a program does with the address of code, beyond calling it, storing it, or comparing it for equality.

A relocation says where a code address is; it does not say what is computed from it.  `stubs + 8*i` and `2f - 1b`
name places that no relocation names, so they hold only while the code around keeps its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rewriter.ir import Block, Insn, Ref, RefKind
from rewriter.x86.decode import Decoded, DecodeError, Mem, Reg, decode
from rewriter.x86.effects import FLAGS, Effects, effects, register_mask
from rewriter.x86.flow import CALLS, Flow, flow
from rewriter.x86.state import CF, OF, SF, has_mask

MAY_STORE = ("mov", "push", "cmp", "test", "call", "jmp")
PRESERVED = ("ebx", "esi", "edi", "ebp")
BY_ORDER = CF | SF | OF  # the flags that tell which of two is larger
WORD = 4

# (block, position, register): "" for a harmless use, a register that the address is copied to, None for anything else.
Use = Callable[[Block, int, str], str | None]

COMPUTED = "its address is computed with"
READ = "its bytes are read as data"
ORDERED = "its address is compared by order"
UNKNOWN = "named by code that is not understood"


class CodeAddresses:
    """Follows code addresses through registers.  `blocks`: of the whole program, by label; `entered`: by label, the
    blocks of the same function that indirect jumps may lead to."""

    def __init__(self, blocks: Mapping[str, Block], entered: Mapping[str, Sequence[Block]]) -> None:
        self.blocks = blocks
        self.entered = entered

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
        if parts.mnemonic == "cmp" and _compared_by_order(block, position):
            return ORDERED
        return None if parts.mnemonic in MAY_STORE else COMPUTED

    def fate(
        self, block: Block, position: int, register: str, returned: str | None = None, use: Use | None = None
    ) -> str | None:
        """What becomes of the address that `register` holds at this point, on any path; None if it is only called,
        stored or compared for equality.  `returned`: what it means that a caller gets it.  `use`: tells otherwise
        what an instruction that reads it does with it."""
        work, seen = [(block, position, register)], set()
        while work:
            place = work.pop()
            key = (place[0].label, place[1], place[2])
            if key in seen:
                continue
            seen.add(key)
            if not has_mask(place[2]):  # cr3, ds: the processor makes something of it
                return COMPUTED
            try:
                further = self._follow(*place, returned, use or _plain_use)
            except DecodeError:
                return UNKNOWN
            if isinstance(further, str):
                return further
            work += further
        return None

    def _follow(
        self, block: Block, position: int, register: str, returned: str | None, use: Use
    ) -> list[tuple[Block, int, str]] | str:
        """Walk to the end of the block: where the address flows to, or how it is misused."""
        mask, copies = register_mask(register), []
        for i, insn in enumerate(block.insns[position:], position):
            effect = effects(insn)
            if effect.reads & mask:
                copy = use(block, i, register)
                if copy is None or (copy == "" and _compares(insn) and _compared_by_order(block, i)):
                    return COMPUTED if copy is None else ORDERED
                copies += [(block, i + 1, copy)] if copy else []
            if effect.writes & mask == mask:
                return copies
        last = block.insns[-1]
        ends = flow(last.raw)
        if ends is Flow.RETURN and returned:
            return returned
        if ends in CALLS and register not in PRESERVED:
            return copies
        if ends is Flow.JUMP_INDIRECT and not effects(last).reads & mask:
            entered = self.entered.get(block.label, ())
            return copies + [(to, 0, register) for to in entered] if entered else COMPUTED
        labels = [ref.target for ref in last.refs if ends in (Flow.JUMP, Flow.BRANCH)]
        labels += [label for label in (block.falls_to, last.faults_to) if label]
        return copies + [(self.blocks[label], 0, register) for label in labels if label in self.blocks]


def _plain_use(block: Block, position: int, register: str) -> str | None:
    return _use(block.insns[position], register)


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
    if _scrambles(parts):
        return ""
    if parts.mnemonic in (*MAY_STORE, "int") or flow(insn.raw) in (Flow.RETURN, Flow.CALL, Flow.IRET):
        return ""
    return None


def _scrambles(parts: Decoded) -> bool:
    """Whether an address is mixed with a secret of the thread, as C libraries do before they store it: nobody can
    compute with it before it is unmixed, and then it is the same again."""
    if parts.mnemonic in ("rol", "ror"):
        return True
    return parts.mnemonic == "xor" and any(isinstance(o, Mem) and o.segment == "gs" for o in parts.operands)


class ReturnAddresses:
    """Follows esp from a function's entry: who reads the slot that it points to there, the return address?"""

    def __init__(self, addresses: CodeAddresses) -> None:
        self.addresses = addresses

    def misused(self, blocks: list[Block]) -> bool:
        """Whether a function computes with its return address or hands it back (`call 1f; 1: pop ebx`), or, with a
        frame, `mov ecx, [ebp + 4]`; to store it, pass it on or jump to it is harmless."""
        depths: dict[str, int | None] = {blocks[0].label: 0}  # bytes pushed since the entry
        framed: dict[str, bool] = {blocks[0].label: False}  # whether ebp points to the saved ebp, below that slot
        own = {b.label: b for b in blocks}
        work = [blocks[0].label]
        while work:
            label = work.pop()
            depth, frame = depths[label], framed[label]
            for i, insn in enumerate(own[label].insns):
                effect = effects(insn)
                if effect.loads and _reads_slot(insn, effect, depth, frame) and self._misuses(own[label], i):
                    return True
                if effect.may_write & _EBP:
                    frame = insn.raw in _FRAME
                change = effect.esp_change
                if change != 0 and flow(insn.raw) not in CALLS:
                    depth = None if depth is None or change is None else depth - change
            for target in _ways(own[label]):
                if target in own and target not in depths:
                    depths[target], framed[target] = depth, frame
                    work.append(target)
        return False

    def _misuses(self, block: Block, position: int) -> bool:
        """What becomes of the return address that this instruction reads."""
        parts = decode(block.insns[position].raw)
        if parts.mnemonic in ("push", "jmp", "cmp"):
            return False
        target = parts.operands[0] if parts.mnemonic in ("mov", "pop") else None
        if not isinstance(target, Reg):
            return True
        return self.addresses.fate(block, position + 1, target.name, returned=COMPUTED) is not None


def _reads_slot(insn: Insn, effect: Effects, depth: int | None, frame: bool) -> bool:
    if flow(insn.raw) is Flow.RETURN:
        return False
    for mem, _ in effect.loads:
        if mem.base == "esp" and mem.index is None and depth is not None and mem.disp == depth:
            return True
        if mem.base == "ebp" and mem.index is None and frame and mem.disp == WORD:
            return True
    return False


_EBP = register_mask("ebp")
_FRAME = (b"\x89\xe5", b"\x8b\xec")  # mov ebp, esp


def _ways(block: Block) -> Iterator[str]:
    last = block.insns[-1] if block.insns else None
    if last is not None and flow(last.raw) in (Flow.JUMP, Flow.BRANCH):
        yield from (ref.target for ref in last.refs)
    if block.falls_to:
        yield block.falls_to
