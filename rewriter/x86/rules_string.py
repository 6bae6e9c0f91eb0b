"""Effects of string instructions and of xlat.

Alone they move esi and edi up or down by one element, as DF says.  Under `rep` they do so ecx times, perhaps not at
all: nothing is certain, the memory is unbounded, and a fault leaves the work half done.
"""

from __future__ import annotations

from rewriter.x86.anatomy import SEGMENT_PREFIXES
from rewriter.x86.draft import ACCUMULATORS, Access, Draft
from rewriter.x86.operands import Mem, Reg
from rewriter.x86.state import DF, ECX, FLAGS, SYS, register_mask

_WRITES_MEMORY = ("movs", "stos", "ins")  # through edi; all else reads


def string(draft: Draft) -> None:
    """movs, cmps, stos, lods, scas, ins, outs of bytes, words, double words"""
    family = draft.mnemonic[:-1]
    size = {"b": 1, "w": 2, "d": 4}[draft.mnemonic[-1]]
    repeated = bool({"rep", "repne"} & set(draft.decoded.prefixes))
    draft.reads |= DF
    for mem in draft.operands:
        if isinstance(mem, Mem):
            draft.address(mem)
            access = Access(mem, None if repeated else size)
            into = draft.stores if family in _WRITES_MEMORY and mem.base == "edi" else draft.loads
            into.append(access)
            _changes(draft, register_mask(mem.base or ""), repeated)
        elif isinstance(mem, Reg) and mem.name == "dx":
            draft.read(mem)
    if family in ("stos", "scas"):
        draft.reads |= register_mask(ACCUMULATORS[size])
    elif family == "lods":
        _changes(draft, register_mask(ACCUMULATORS[size]), repeated)
    if family in ("cmps", "scas"):
        _changes(draft, FLAGS, repeated)
    if repeated:
        draft.reads |= ECX
        draft.touch(ECX)
        draft.fixed = "repeated"
    if family in ("ins", "outs"):
        draft.lump(SYS, "port")
        draft.faults = True


def _changes(draft: Draft, mask: int, repeated: bool) -> None:
    if repeated:
        draft.touch(mask)
    else:
        draft.set(mask)


def translate(draft: Draft) -> None:
    """xlat: one of 256 bytes at ebx"""
    prefixes = draft.decoded.raw[: draft.decoded.prefix_size]
    segments = [SEGMENT_PREFIXES[byte] for byte in prefixes if SEGMENT_PREFIXES.get(byte, "ds") != "ds"]
    table = Mem("ebx", size=256, segment=segments[-1] if segments else None)
    draft.read(table)
    draft.reads |= register_mask("al")
    draft.set(register_mask("al"))
