"""Instructions to try everything with: every opcode in every kind of operand, and whatever stands in the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import iced_x86 as iced
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from rewriter.x86.decode import sweep

IMAGES = Path(__file__).parents[2] / "toykernel" / "image"
# ModRM (and SIB, displacement) of operands of each kind, with 0 in the `reg` field.
OPERANDS = ("c0", "c1", "c4", "c7", "03", "46 08", "04 24", "44 24 f4", "84 8f 40 01 00 00", "05 00 20 40 00")
FEW_OPERANDS = ("c1", "46 08")  # behind rarer prefixes
IMMEDIATES = ("03 00 00 00 00 00", "00 00 00 00 00 00", "01 00 00 00 00 00", "ff ff ff ff 1f", "21 80 00 00 00 00")
PREFIXES = {
    "": OPERANDS,
    "66": OPERANDS,
    "f0": FEW_OPERANDS,
    "f3": FEW_OPERANDS,
    "f2": FEW_OPERANDS,
    "64": FEW_OPERANDS,
}
GROUPS = {*range(0x80, 0x84), 0x8F, 0xC0, 0xC1, 0xC6, 0xC7, *range(0xD0, 0xD4), *range(0xD8, 0xE0), 0xF6, 0xF7, 0xFE}
GROUPS |= {0xFF, 0x0F00, 0x0F01, 0x0F0D, 0x0F18, 0x0F71, 0x0F72, 0x0F73, 0x0FAE, 0x0FBA, 0x0FC7}


@lru_cache(maxsize=1)
def generated() -> tuple[bytes, ...]:
    """Every one-byte and 0F opcode with its extensions, kinds of operand, prefixes and some immediates, where two
    decoders agree that it is an instruction, and how long it is.  Sorted."""
    found = set()
    for opcode in (*range(0x100), *range(0x0F00, 0x1000)):
        code = bytes((opcode,)) if opcode < 0x100 else opcode.to_bytes(2, "big")
        registers = range(8) if opcode in GROUPS else (0, 1, 4)
        for prefix, operands in PREFIXES.items():
            for tail in _tails(operands, registers):
                raw = bytes.fromhex(prefix) + code + tail
                found.add(raw[: agreed_length(raw)])
    return tuple(sorted(found - {b""}))


def _tails(operands: Sequence[str], registers: Iterable[int]) -> Iterator[bytes]:
    for operand in operands:
        raw = bytes.fromhex(operand)
        for register in registers:
            for immediate in IMMEDIATES if operand in FEW_OPERANDS else IMMEDIATES[:1]:
                yield bytes((raw[0] | register << 3,)) + raw[1:] + bytes.fromhex(immediate)


def agreed_length(code: bytes) -> int:
    """Length of the first instruction if capstone and iced agree about it and it is no vector encoding, else 0."""
    size = next(sweep(code, 0), (0, 0))[1]
    other = iced.Decoder(32, code).decode()
    if size != other.len or other.code == iced.Code.INVALID:
        return 0
    return size if other.op_code().encoding == iced.EncodingKind.LEGACY else 0


@lru_cache(maxsize=1)
def in_images() -> tuple[bytes, ...]:
    """Every different instruction in the executable sections of the prebuilt images, sorted; empty without images."""
    found = set()
    for path in sorted([*IMAGES.glob("*.elf"), *IMAGES.glob("bin/*")]):
        for code, address in _code(path):
            found |= {code[at - address : at - address + size] for at, size in sweep(code, address)}
    return tuple(sorted(found))


def _code(path: Path) -> Iterator[tuple[bytes, int]]:
    with path.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR:
                yield section.data(), section["sh_addr"]
