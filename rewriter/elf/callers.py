"""Whose calls have to stay because the code behind them is looked at from below: by who reads its return address, or,
along the saved frame pointers, those of its callers.

    mov ecx, [esp]      call read               mov eax, [ebp]          call f      ; in a caller of whom f calls
    mov eax, [ecx]      .long 0x1234            mov eax, [eax + 4]      .long 5
                                                mov eax, [eax]

To keep such an address, to compare it for equality, or to go there, is harmless: it goes with the code.  Who walks up
all frames to keep a list of addresses is no reader; who then looks into the code there reads them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rewriter.elf.addresses import COMPUTED, MAY_STORE, CodeAddresses, Use
from rewriter.elf.stack import CALLER, ENTER, FRAME, WORD
from rewriter.ir import Block, Function, Insn, Program
from rewriter.x86.decode import Mem, Reg, decode
from rewriter.x86.flow import DIRECT, Flow, flow

MOST: Final = 3  # frames up, and any number of them more
_CALLS: Final = "calls"
_FRAME_BY_ESP: Final = b"\x0c\x04"  # DWARF: the frame's address is esp plus what follows

Reader = tuple[str, int]  # an entry of a function, and how many frames up the return address is that it reads


def callers_read(program: Program, addresses: CodeAddresses) -> Iterator[tuple[Function, str]]:
    """The functions whose calls are looked at, and why they stay."""
    return _Callers(program, addresses).found()


class _Callers:
    def __init__(self, program: Program, addresses: CodeAddresses) -> None:
        self.program = program
        self.addresses = addresses
        self.functions = {f.name: f for f in program.functions if not f.verbatim}
        self.data = {data.name: data.refs for data in program.data}
        self.home = {b.label: f.name for f in self.functions.values() for b in f.blocks}
        self.calling: dict[str, set[str]] = {}  # by entry: functions that call it directly
        self.jumping: dict[str, set[str]] = {}  # or jump to it, or fall into it, from outside
        self.through_pointers: set[str] = set()  # functions that call through pointers
        self.jumping_through: set[str] = set()  # or jump, other than to a place of their own
        for function in self.functions.values():
            for block in function.blocks:
                self._note(function.name, block)

    def _note(self, name: str, block: Block) -> None:
        last = block.insns[-1] if block.insns else None
        ends = flow(last.raw) if last is not None else Flow.NEXT
        if ends is Flow.CALL_INDIRECT:
            self.through_pointers.add(name)
        if last is not None and ends is Flow.JUMP_INDIRECT and not self._stays(block, last):
            self.jumping_through.add(name)
        for ref in last.refs if last is not None and ends in DIRECT else ():
            if ends is Flow.CALL:
                self.calling.setdefault(ref.target, set()).add(name)
            elif self.home.get(ref.target) != name:
                self.jumping.setdefault(ref.target, set()).add(name)
        if block.falls_to and self.home.get(block.falls_to) != name:
            self.jumping.setdefault(block.falls_to, set()).add(name)

    def _stays(self, block: Block, jump: Insn) -> bool:
        """Whether an indirect jump goes through a table of places in its own function."""
        entered = {to.label for to in self.addresses.entered.get(block.label, ())}
        places = (self.data[ref.target].get(ref.addend) for ref in jump.refs if ref.target in self.data)
        return any(place is not None and place.target in entered for place in places)

    def found(self) -> Iterator[tuple[Function, str]]:
        """Functions, each with the reason."""
        why: dict[Reader, str] = {}
        for label in self.addresses.stack.entries & self.home.keys():
            for level in self._read(label):
                why[label, level] = "reads its return address" if not level else "reads that of its caller"
        work = sorted(why)
        while work:
            label, level = work.pop()
            for further in self._also(label, level):
                if further not in why:
                    through = further[1] != level
                    why[further] = f"calls {label}, which {why[label, level]}" if through else why[label, level]
                    work.append(further)
        told = set()
        found = [(how, name, label) for label, level in sorted(why) if not level for name, how in self._callers(label)]
        for how, name, label in sorted(found, key=lambda each: each[0] != _CALLS):
            if name not in told:
                told.add(name)
                yield self.functions[name], f"{how} {label}, which {why[label, 0]}"

    def _read(self, label: str) -> set[int]:
        """How many frames up the return addresses are that an entry reads, beyond keeping them."""
        entry = self.addresses.blocks[label]
        found = _Frames(self.addresses).read(entry)
        if self._returns_to_caller(entry) and self.addresses.fate(entry, 0, 0, returned=COMPUTED) is not None:
            found.add(0)
        return found

    def _returns_to_caller(self, entry: Block) -> bool:
        """Whether esp points to a return address there: not where the image starts, nor where the unwinding tables
        know that more was pushed."""
        if entry.label == self.program.entry and entry.label not in self.calling:
            return False
        origin = entry.insns[0].origin if entry.insns else None
        unwinding = self.program.unwinding
        row = unwinding.row(origin) if unwinding is not None and origin is not None else None
        return row is None or not row[0].startswith(_FRAME_BY_ESP) or row[0] == _FRAME_BY_ESP + bytes((WORD,))

    def _also(self, label: str, level: int) -> Iterator[Reader]:
        """Who reads the same addresses as this reader does by being on the way to it."""
        for name in self.jumping.get(label, ()):
            yield from ((entry, level) for entry in self._entries(name))
        if label in self.addresses.stack.named:
            for name in self.jumping_through:
                yield from ((entry, level) for entry in self._entries(name))
        for name, _ in self._callers(label) if level else ():
            framed = any(insn.raw in FRAME or insn.raw[0] == ENTER for insn in self.functions[name].insns())
            for entry in self._entries(name):
                if framed:
                    yield entry, level - 1
                if level == MOST or not framed:
                    yield entry, level

    def _entries(self, name: str) -> Iterator[str]:
        entries = self.addresses.stack.entries
        return (
            (b.label for b in self.functions[name].blocks if b.label in entries) if name in self.functions else iter(())
        )

    def _callers(self, label: str) -> Iterator[tuple[str, str]]:
        yield from ((name, _CALLS) for name in sorted(self.calling.get(label, ())))
        if label in self.addresses.stack.named:
            yield from ((name, "calls through a pointer, perhaps") for name in sorted(self.through_pointers))


class _Frames(Use):
    """Follows the frame pointer with which a function is entered: there the caller's is saved, and above it is a
    return address.  Nothing else that is done with it is wrong."""

    followed = False

    def __init__(self, addresses: CodeAddresses) -> None:
        self.addresses = addresses
        self._work: list[tuple[Block, int, str, int]] = []  # who holds a frame pointer, and how far up it is
        self._level = 0  # of the one that is followed
        self._read: set[int] = set()

    def read(self, entry: Block) -> set[int]:
        """How many frames up the return addresses are that are read beyond being kept."""
        self._work, seen = [(entry, 0, "ebp", 1)], set()
        while self._work:
            block, position, register, self._level = place = self._work.pop()
            if (block.label, *place[1:]) not in seen:
                seen.add((block.label, *place[1:]))
                self.addresses.fate(block, position, register, use=self)
        return self._read

    def register(self, block: Block, position: int, register: str, passed: bool) -> str | None:
        if register == "ebp" and self.addresses.stack.at(block, position).get(register) != CALLER:
            return ""  # it is perhaps a general register
        parts = decode(block.insns[position].raw)
        target = parts.operands[0] if parts.operands else None
        source = parts.operands[-1] if parts.operands else None
        if parts.mnemonic == "mov" and isinstance(target, Reg) and isinstance(source, Reg):
            return target.name if target.name != register and target.size == WORD else ""
        memory = next((o for o in parts.operands if isinstance(o, Mem)), None)
        if memory is None or memory.base != register or memory.index is not None or memory.size != WORD:
            return ""
        to = target.name if parts.mnemonic == "mov" and isinstance(target, Reg) else None
        if memory.disp == 0 and to is not None:
            self._work.append((block, position + 1, to, min(self._level + 1, MOST)))
        elif memory.disp == WORD and self._misused(block, position, to, parts.mnemonic):
            self._read.add(self._level)
        return ""

    def word(self, block: Block, position: int) -> str | None:
        return ""

    def _misused(self, block: Block, position: int, to: str | None, mnemonic: str) -> bool:
        """What becomes of a return address that an instruction reads, perhaps to a register."""
        if to is None:
            return mnemonic not in MAY_STORE
        return self.addresses.fate(block, position + 1, to, returned=COMPUTED) is not None
