"""Blocks of straight code as a processor would retire them, told from their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

_STRING = {0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0x6C, 0x6D, 0x6E, 0x6F}
_LONGEST = 15  # bytes of an instruction
_FAR, _NEAR = 48, 32  # bytes before a place at which decoding begins: as many beginnings as an instruction is long
_ALONE = {bytes([opcode]) for opcode in (0x90, 0xCC, 0xFA, 0xFB)}  # nop, int3, cli, sti
_LOOP = b"\xeb\xfd"  # jmp to the byte before
_PREFIXES = {0xF0, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65, 0x66, 0x67}

_PUSHED = {"push": 4, "pushfd": 4, "pushal": 32, "call": 4, "pop": -4, "popfd": -4, "popal": -32, "iretd": -20}


class Block(NamedTuple):
    """What the emulator translated together; it calls it a block and runs it from the top."""

    sizes: tuple[int, ...]  # of the instructions
    repeats: bool  # whether the last is under `rep`: the emulator runs that as a loop over the instruction alone
    switch: int  # how many there are up to the last that may go over to another stack; 0 if none does
    pushed: tuple[int, ...] = ()  # by how many bytes each makes esp fall, other than by such a change

    def before(self, offset: int) -> int | None:
        """How many instructions lie before the one at `offset` bytes; None if none begins there."""
        at = 0
        for index, size in enumerate(self.sizes):
            if at == offset:
                return index
            at += size
        return None


@lru_cache(maxsize=1 << 16)
def describe(code: bytes) -> Block:
    """The block with these bytes.  A rest that does not decode is one instruction: the processor faults there."""
    sizes, switch, rest, pushed = [], 0, len(code), []
    for size, mnemonic, operands in disassemble(code):
        sizes.append(size)
        rest -= size
        changes = _changes_stack(mnemonic, operands)
        pushed.append(0 if changes else _pushed(mnemonic, operands))
        if changes:
            switch = len(sizes)
    if rest:
        sizes.append(rest)
    return Block(tuple(sizes), is_repeated(code[len(code) - sizes[-1] :]), switch, tuple(pushed))


def disassemble(code: bytes) -> Iterator[tuple[int, str, str]]:
    """(size, mnemonic with prefixes, operands) of straight code, up to what does not decode."""
    for _, size, mnemonic, operands in _disassembler().disasm_lite(code, 0):
        yield size, mnemonic, operands


@lru_cache(maxsize=64)
def instructions(code: bytes, opcode: int) -> tuple[int, ...]:
    """Where the byte occurs in code, but for places that lie within another instruction.

    Decoding from any place soon finds the true borders: what none of many beginnings leads to is no instruction, unless
    data lies before it.  That is believed of what stands behind `sti`, `cli` and their like, or loops on itself."""
    return tuple(at for at, byte in enumerate(code) if byte == opcode and _is_reached(code, at))


def _is_reached(code: bytes, place: int) -> bool:
    if code[place - 1 : place] in _ALONE or code[place + 1 : place + 3] == _LOOP:
        return True
    return any(_decode_to(code, start, place) for start in range(max(0, place - _FAR), max(1, place - _NEAR)))


def _decode_to(code: bytes, start: int, place: int) -> bool:
    """Whether decoding from `start` on comes by the place; what does not decode is skipped byte by byte."""
    while start < place:
        for size, _, _ in disassemble(code[start : place + _LONGEST]):
            start += size
            if start >= place:
                break
        else:
            start += 1
    return start == place


@cache
def _disassembler() -> Any:
    from capstone import CS_ARCH_X86, CS_MODE_32, Cs

    return Cs(CS_ARCH_X86, CS_MODE_32)


def _changes_stack(mnemonic: str, operands: str) -> bool:
    """Whether esp may get a value from elsewhere, other than by pushing, popping or adding a constant."""
    if mnemonic == "leave":
        return True
    target, _, source = operands.partition(", ")
    if mnemonic == "xchg":
        return "esp" in (target, source)
    constant = mnemonic in ("add", "sub", "cmp", "test", "push") and not source.startswith(("e", "dword"))
    return target == "esp" and not constant


def _pushed(mnemonic: str, operands: str) -> int:
    """By how many bytes esp falls, where it gets no value from elsewhere."""
    if mnemonic in _PUSHED:
        return _PUSHED[mnemonic]
    if mnemonic == "ret":
        return -4 - (int(operands, 0) if operands else 0)
    target, _, source = operands.partition(", ")
    if mnemonic in ("add", "sub") and target == "esp":
        return int(source, 0) if mnemonic == "sub" else -int(source, 0)
    return 0


def without_prefixes(instruction: bytes) -> bytes:
    """From the opcode on; never empty."""
    start = 0
    while start < len(instruction) - 1 and instruction[start] in _PREFIXES:
        start += 1
    return instruction[start:]


def is_repeated(instruction: bytes) -> bool:
    """Whether this is a string instruction under `rep`."""
    opcode = without_prefixes(instruction)
    prefixes = instruction[: len(instruction) - len(opcode)]
    return opcode[0] in _STRING and (0xF2 in prefixes or 0xF3 in prefixes)
