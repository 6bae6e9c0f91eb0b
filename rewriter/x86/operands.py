"""An instruction's operands as values: registers, immediates, memory; and the instruction taken apart."""

from __future__ import annotations

from dataclasses import dataclass


class DecodeError(ValueError):
    """The bytes are not one whole instruction; the message shows them."""


@dataclass(frozen=True, slots=True)
class Reg:
    """A register by its name in Intel syntax: `eax`, `cx`, `ah`, `ds`, `cr0`, `st(1)`, `xmm0`."""

    name: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Imm:
    """A constant as the operation sees it: extended to `size` bytes, unsigned (`add eax, -1` holds 0xffffffff).

    In a relative jump, branch or call it is the signed distance from the instruction's end.
    """

    value: int
    size: int

    @property
    def signed(self) -> int:
        sign = 1 << (8 * self.size - 1)
        return (self.value ^ sign) - sign if 0 <= self.value < 2 * sign else self.value


@dataclass(frozen=True, slots=True)
class Mem:
    """The memory at `base + index*scale + disp` (modulo 2³²), `size` bytes of it; `size` 0 is no access (`lea`).

    `disp` is signed and lies in −2³¹ … 2³¹−1, also for absolute addresses.  `segment` is named only where the
    segment is not the one that the base register implies.
    """

    base: str | None = None
    index: str | None = None
    scale: int = 1
    disp: int = 0
    size: int = 4
    segment: str | None = None


Operand = Reg | Imm | Mem


@dataclass(frozen=True, slots=True)
class Decoded:
    """One instruction.  `prefixes` are those that mean something: lock, rep, repne, notrack.

    The offsets say where the displacement and the (first) immediate lie in the bytes; None where there is none.
    """

    raw: bytes
    mnemonic: str
    operands: tuple[Operand, ...]
    prefixes: tuple[str, ...]
    prefix_size: int  # bytes before the opcode
    opcode: int
    disp_offset: int | None
    disp_size: int
    imm_offset: int | None
    imm_size: int
    is_direct: bool  # a jump, branch or call whose operand is its distance
