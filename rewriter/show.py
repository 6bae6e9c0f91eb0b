"""Listings: functions as a person reads them, one line a label or an instruction."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rewriter.ir import Block, Function, Insn
from rewriter.x86.decode import DecodeError, decode
from rewriter.x86.text import render


def instruction(insn: Insn) -> str:
    """`mov eax, dword ptr [esp + 4]`; bytes that are not understood are shown in hex."""
    try:
        return render(decode(insn.raw), insn.refs)
    except DecodeError:
        return f".byte {insn.raw[:8].hex(' ')}{' …' if len(insn.raw) > 8 else ''}"


def block(block: Block, follows: str | None) -> list[str]:
    """A label, its instructions, and where it goes on if that is not the next line."""
    lines = [f"{block.label}:", *(f"    {_line(insn)}" for insn in block.insns)]
    if block.falls_to is not None and block.falls_to != follows:
        lines.append(f"    jmp {block.falls_to}")
    return lines


def listing(function: Function, shown: Callable[[Block], bool] = lambda _: True) -> str:
    """The whole function, or the blocks of it that `shown` wants."""
    blocks = [b for b in function.blocks if shown(b)]
    following = [*(b.label for b in blocks[1:]), None]
    return "\n".join(line for b, after in zip(blocks, following, strict=True) for line in block(b, after))


def notes(function: Function) -> tuple[str, ...]:
    """For each line of the listing, which pass made the instruction, why, and in the place of which instructions of the
    input; "" for labels, and for what is as it was."""
    following = [*(b.label for b in function.blocks[1:]), None]
    found: list[str] = []
    for b, after in zip(function.blocks, following, strict=True):
        found += ["", *map(_note, b.insns)]
        found += [""] * (len(block(b, after)) - len(b.insns) - 1)
    return tuple(found)


def _note(insn: Insn) -> str:
    if insn.made is None:
        return ""
    origins = " ".join(f"{origin:#x}" for origin in insn.origins)
    return f"{insn.made.by}: {insn.made.why}{f' ({origins})' if origins else ''}"


@lru_cache(maxsize=1 << 14)
def _line(insn: Insn) -> str:
    fault = f"    ; a fault continues at {insn.faults_to}" if insn.faults_to else ""
    return instruction(insn) + fault
