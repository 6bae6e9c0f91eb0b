"""Where every instruction of an image comes from: its address, and the instructions of the input that it stands for.

An unchanged one stands for the one that it was; one that was made says by which pass, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.elf.place import Layout, place
from rewriter.ir import Made, Program
from rewriter.reasons import Reason

CONNECTED = Made("layout", Reason.CONNECTED)  # a jump to the block that control falls to, which lies elsewhere


@dataclass(frozen=True, slots=True)
class Provenance:
    """`address` and `size` in the new image, `origins` in the old one; `made`: None if it is unchanged."""

    address: int
    size: int
    function: str
    origins: tuple[int, ...]
    made: Made | None

    def row(self) -> dict[str, object]:
        made = self.made
        return {
            "address": self.address,
            "size": self.size,
            "function": self.function,
            "origins": list(self.origins),
            "pass": None if made is None else made.by,
            "reason": None if made is None else made.why,
        }


def provenance(program: Program, layout: Layout | None = None) -> Iterator[Provenance]:
    """One row for each instruction of `emit(program)`, in the order of their addresses.  What could not be decoded is
    one row a block."""
    owners = {block.label: f.name for f in program.code for block in f.blocks}
    found = []
    for unit in (layout or place(program)).units:
        for placed in unit.blocks:
            function, address = owners.get(placed.block.label), placed.address
            if function is None:
                continue
            last = placed.block.insns[-1:] if placed.last is not None else []
            sizes = [len(insn.raw) for insn in placed.block.insns[: -1 if last else None]]
            sizes += [placed.last.size] if placed.last is not None else []
            for insn, size in zip(placed.block.insns, sizes, strict=True):
                found.append(Provenance(address, size, function, insn.origins, insn.made))
                address += size
            if placed.tail is not None:
                found.append(Provenance(address, placed.tail.size, function, (), CONNECTED))
    return iter(sorted(found, key=lambda row: row.address))
