"""Two programs compared up to addresses: what `load(emit(P)) = P` means."""

from __future__ import annotations

from rewriter.ir import Block, Function, Insn, Program, RefKind
from rewriter.x86.flow import DIRECT, Flow, flow

JUMPS = {0xEB: "jmp", 0xE9: "jmp"}


def structure(program: Program) -> dict[str, object]:
    """Everything but addresses: branches by condition and label, other instructions by bytes without fields."""
    return {
        "entry": (program.entry, program.entry_bias),
        "functions": {f.name: _function(f) for f in program.functions},
        "data": {d.name: (_blank(d.raw, [(o, 4) for o in d.refs]), d.refs, d.zero_size) for d in program.data},
        "symbols": {(s.name, s.target, s.offset, s.kind, s.local) for s in program.symbols},
        "exceptions": program.exception_table,
    }


def _function(function: Function) -> object:
    return [_block(b) for b in function.blocks]


def _block(block: Block) -> object:
    insns = [_insn(i) for i in block.insns]
    falls_to = block.falls_to
    last = block.insns[-1] if block.insns else None
    if last is not None and flow(last.raw) is Flow.JUMP and last.refs:
        insns, falls_to = insns[:-1], last.refs[0].target  # `jmp next` and falling are the same
    return (block.label, tuple(insns), falls_to)


def _insn(insn: Insn) -> object:
    if flow(insn.raw) in DIRECT and insn.refs:
        raw = insn.raw
        condition = raw[-2] & 15 if insn.refs[0].kind is RefKind.PC8 else raw[-5] & 15
        return (flow(raw), condition, insn.refs[0].target, insn.refs[0].addend)
    sizes = [(r.offset, 1 if r.kind is RefKind.PC8 else 4) for r in insn.refs]
    return (_blank(insn.raw, sizes), insn.refs, insn.faults_to)


def _blank(raw: bytes, fields: list[tuple[int, int]]) -> bytes:
    out = bytearray(raw)
    for offset, size in fields:
        out[offset : offset + size] = bytes(size)
    return bytes(out)
