"""Programs made of nothing but filler and branches, and where the branches of their images lead."""

from __future__ import annotations

from hypothesis import strategies as st

from rewriter.elf.emit import emit
from rewriter.elf.place import Layout, place
from rewriter.ir import Block, Data, Function, Insn, Program, Ref, RefKind, Section, Segment
from tests.hostile.memory import mapped

TEXT, DATA = 0x08048000, 0x08060000
NOP, RET = b"\x90", b"\xc3"
JMP, JNE, LOOP, JECXZ, JUMP, CALL, BRANCH = b"\xeb", b"\x75", b"\xe2", b"\xe3", b"\xe9", b"\xe8", b"\x0f\x85"
SHORT, LONG = (JMP, JNE, LOOP, JECXZ), (JUMP, CALL, BRANCH)
STOPS = (JMP, JUMP, RET)


def filler(size: int, origin: int | None = None) -> Insn:
    """So many bytes that do nothing."""
    return Insn(NOP * size, origin=origin)


def ending(opcode: bytes, target: str) -> Insn:
    """A branch to a label, or `ret`."""
    if opcode == RET:
        return Insn(RET)
    size, kind = (1, RefKind.PC8) if opcode in SHORT else (4, RefKind.PC32)
    return Insn(opcode + bytes(size), (Ref(len(opcode), kind, target),))


def program(functions: list[Function], data: list[Data] | None = None) -> Program:
    """An image of these functions, with 64 KiB of text, and some data behind."""
    found = data or [Data(".data", DATA, bytes(64))]
    sections = [Section(".text", TEXT, 0x10000, 16, True, False, False)]
    sections += [Section(d.name, d.address or 0, d.size, 4, False, True, False) for d in found if d.address is not None]
    segments = (
        Segment(1, 5, 4096, (".text",), False, 0),
        Segment(1, 6, 4096, tuple(s.name for s in sections[1:]), False, 0),
    )
    refs = {0: Ref(0, RefKind.ABS32, functions[0].name)}  # an image needs a relocation to be read again
    found[0].refs = found[0].refs or refs
    return Program(functions, found, functions[0].name, sections=tuple(sections), segments=segments)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Functions of blocks of any size, some pinned; every block ends in a branch of some form to any block."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    names = [[f"f{i}" if not j else f"f{i}.{j}" for j in range(count)] for i, count in enumerate(shape)]
    labels = [label for function in names for label in function]
    functions, at = [], TEXT
    for own in names:
        blocks = []
        for label in own:
            size = draw(st.one_of(st.integers(1, 140), st.integers(110, 135), st.integers(200, 400)))
            opcode = draw(st.sampled_from((*SHORT, *SHORT, *LONG, RET)))
            last = ending(opcode, draw(st.sampled_from(labels)))
            falls = None if opcode in STOPS else draw(st.sampled_from(labels))
            blocks.append(Block(label, [filler(size, at), last], falls))
            at += size + len(last.raw)
        pinned = draw(st.integers(0, 4)) == 0 and _may_be_pinned(blocks)
        functions.append(
            Function(own[0], blocks, ("stays",) if pinned else (), align=draw(st.sampled_from((1, 4, 16))))
        )
        at += draw(st.integers(0, 40))
    return program(functions)


def _may_be_pinned(blocks: list[Block]) -> bool:
    """Pinned code is written as it is: its short branches stay short, and it falls to what lies behind."""
    following = [block.label for block in blocks[1:]]
    falls = all(b.falls_to in (None, after) for b, after in zip(blocks, [*following, None], strict=True))
    return falls and all(ref.kind is not RefKind.PC8 for b in blocks for i in b.insns for ref in i.refs)


def written(made: Program, move: bool = False) -> tuple[Layout, dict[int, int]]:
    """Where everything is, and the bytes of the image by address."""
    parts = mapped(emit(made, move=move))
    return place(made, move=move), {start + i: b for start, part in parts.items() for i, b in enumerate(part[2])}


def word(memory: dict[int, int], address: int, size: int = 4) -> int:
    """A signed number in memory."""
    return int.from_bytes(bytes(memory[address + i] for i in range(size)), "little", signed=True)


def leads(memory: dict[int, int], address: int, opcode: bytes) -> tuple[int, int]:
    """Where the branch at an address leads that had this opcode, and its size in bytes."""
    first = memory[address]
    around = opcode[0], 2, 0xEB, 5, 0xE9  # a short branch over a jump over a jump
    if opcode in (LOOP, JECXZ) and all(memory.get(address + i) == byte for i, byte in enumerate(around)):
        return address + 9 + word(memory, address + 5), 9
    if bytes((first,)) in SHORT:
        assert bytes((first,)) == opcode
        return address + 2 + word(memory, address + 1, 1), 2
    wide = {JMP: JUMP, JNE: BRANCH}.get(opcode, opcode)
    assert bytes(memory[address + i] for i in range(len(wide))) == wide
    size = len(wide) + 4
    return address + size + word(memory, address + len(wide)), size
