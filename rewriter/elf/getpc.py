"""Position-independent code asks where it is; in an image that is linked to one address, that is a number.

    call __x86.get_pc_thunk.bx              mov ebx, 0x8049abc         ; where the call would have returned to
    add ebx, GOT - 0x8049abc            ⇒   add ebx, GOT - 0x8049abc

    call 1f                                 push 0x804971e
    1: pop edx                          ⇒   pop edx
    add edx, GOT - 1b                       add edx, GOT - 0x804971e

What stands there is as long as before, and sets the same flags.  The number means no place in the code any more:
wherever the code goes, the sum is the global offset table (or the jump table that is named in its place).
"""

from __future__ import annotations

from dataclasses import replace

from rewriter.elf.image import R_32, R_GOTPC, R_PC32, Image, RawSection, Relocation

CALL, RETURN, MOVE, PUSH, POP = 0xE8, 0xC3, 0xB8, 0x68, 0x58
LENGTH = 5  # of the call, and of what stands for it
THUNK = 4  # bytes of mov register, [esp]; ret


def constant_pc(image: Image) -> Image:
    """The image with every such call and addition made a sum of constants, where both lie side by side."""
    changed = [_Section(image, section).relaxed() for section in image.sections if section.executable and section.raw]
    sections = {s.index: s for s, _ in changed}
    relocations = [r for r in image.relocations if r.section not in sections]
    return replace(
        image,
        sections=tuple(sections.get(s.index, s) for s in image.sections),
        relocations=tuple(relocations + [r for _, found in changed for r in found]),
    )


class _Section:
    def __init__(self, image: Image, section: RawSection) -> None:
        self.image = image
        self.section = section
        self.raw = bytearray(section.raw)
        found = [r for r in image.relocations if r.section == section.index]
        self.relocations = {r.offset: r for r in found}

    def relaxed(self) -> tuple[RawSection, list[Relocation]]:
        for offset, relocation in list(self.relocations.items()):
            if relocation.kind in (R_GOTPC, R_PC32, R_32):
                self._relax(offset, relocation)
        return replace(self.section, raw=bytes(self.raw)), list(self.relocations.values())

    def _relax(self, offset: int, relocation: Relocation) -> None:
        """Where the field at `offset` is added to the register that a call just before it fetched."""
        added = _added(self.raw, offset)
        if added is None:
            return
        at, register = added
        number = self._number(at, register) if relocation.kind == R_32 else self._called(at, register)
        if number is not None:
            self.relocations.pop(at - LENGTH + 1, None)
            self.relocations[offset] = replace(relocation, kind=R_32, less=number)

    def _called(self, at: int, register: int) -> int | None:
        """The address that the call before `at` fetches; the call is replaced."""
        behind = self.section.address + at
        if self.raw[at - LENGTH] == CALL:
            target = (behind + int.from_bytes(self.raw[at - LENGTH + 1 : at], "little", signed=True)) & 0xFFFFFFFF
            if self._bytes(target, THUNK) != bytes((0x8B, 0x04 | register << 3, 0x24, RETURN)):
                return None
            self.raw[at - LENGTH : at] = bytes((MOVE | register,)) + behind.to_bytes(4, "little")
            return behind
        if self.raw[at - LENGTH - 1 : at] == bytes((CALL, 0, 0, 0, 0, POP | register)):
            self.raw[at - LENGTH - 1 : at - 1] = bytes((PUSH,)) + (behind - 1).to_bytes(4, "little")
            return behind - 1
        return None

    def _number(self, at: int, register: int) -> int | None:
        """What an image that was rewritten before has in the place of the call."""
        if at - LENGTH + 1 in self.relocations or self.raw[at - LENGTH] != MOVE | register:
            return None
        number = int.from_bytes(self.raw[at - LENGTH + 1 : at], "little")
        return number if any(s.allocated and s.address <= number < s.end for s in self.image.sections) else None

    def _bytes(self, address: int, size: int) -> bytes:
        """What the image's code has there, if it has."""
        for section in self.image.sections:
            if section.executable and section.address <= address and address + size <= section.end:
                return section.raw[address - section.address : address - section.address + size]
        return b""


def _added(raw: bytearray, field: int) -> tuple[int, int] | None:
    """Where an addition of the constant at `field` begins, and the number of its register."""
    if field >= LENGTH + 2 and raw[field - 2] == 0x81 and raw[field - 1] & 0xF8 == 0xC0:
        return field - 2, raw[field - 1] & 7
    if field >= LENGTH + 1 and raw[field - 1] == 0x05:
        return field - 1, 0
    return None


def adds_entry(raw: bytes, at: int) -> bool:
    """Whether the instruction there is `add r, [r + index*4]`, of the register that was just added to."""
    if len(raw) < at + 3 or raw[at] != 0x03 or raw[at + 1] & 0xC7 != 0x04 or raw[at + 2] >> 6 != 2:
        return False
    register, index, base = raw[at + 1] >> 3, raw[at + 2] >> 3 & 7, raw[at + 2] & 7
    return register == base == (raw[at - 5] & 7 if raw[at - 6] == 0x81 else 0) and base != 5 and index not in (4, base)
