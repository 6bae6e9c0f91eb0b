"""Code that control cannot reach is dropped (§2, Fig 5): PLTO's control-flow graph never contained it.

f: …; jmp .end           ⇒    f: …; jmp .end
   nop                        .end: ret
.end: ret                                          ; no-operations, and g: nobody calls g or holds its address
g: call h; ret

The program begins at its entry; what is pinned, what the contract names and what data names counts as reached: an
address that lies in memory may be called by anybody.  What only dropped code names goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from rewriter.contract import Contract
from rewriter.ir import END, Function, Insn, Program, Ref, Unwinding

NAME = "unused"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What went.  `refused`: why nothing did."""

    functions: tuple[str, ...] = ()
    blocks: int = 0
    instructions: int = 0
    bytes: int = 0
    refused: str = ""


def unused(program: Program, contract: Contract) -> Dropped:
    """Drop functions that nobody reaches, and blocks of the others."""
    code = {s.name for s in program.sections if s.executable}
    for ref in _refs(program):
        if ref.target.removesuffix(END) in code and ref.addend:
            return Dropped(refused=f"{ref.target}{ref.addend:+#x} is not a label of code")
    alive = _reached(program, contract)
    gone = [f for f in program.functions if not alive.intersection(block.label for block in f.blocks)]
    dropped = [block for f in program.functions for block in f.blocks if block.label not in alive]
    program.functions = [_kept(f, alive) for f in program.functions if f not in gone]
    left = {block.label for f in program.functions for block in f.blocks}
    names = {block.label for block in dropped} - left
    program.symbols = [symbol for symbol in program.symbols if symbol.target not in names]
    insns = [insn for block in dropped if block.label in names for insn in block.insns]
    return Dropped(tuple(f.name for f in gone), len(names), len(insns), sum(len(insn.raw) for insn in insns))


def _kept(function: Function, alive: set[str]) -> Function:
    """The function without blocks that nobody reaches, but for the first, which is its name."""
    return replace(function, blocks=[b for n, b in enumerate(function.blocks) if not n or b.label in alive])


def _reached(program: Program, contract: Contract) -> set[str]:
    """Labels of the blocks that control may reach."""
    owners = {block.label: f for f in program.functions for block in f.blocks}
    blocks = {block.label: block for f in program.functions for block in f.blocks}
    alive: set[str] = set()
    pending = [program.entry, *_promised(program, contract)]
    pending += [label for f in program.functions if f.pins for label in (block.label for block in f.blocks)]
    pending += [label for data in program.data for ref in data.refs.values() for label in _meant(ref, owners)]
    pending += [word.target for word in program.fault_words.values() if isinstance(word, Ref)]
    unwinding = program.unwinding
    if unwinding is not None:
        pending += [frame.kind.personality.target for frame in unwinding.all if frame.kind.personality is not None]
    while pending:
        label = pending.pop()
        if label in alive or label not in blocks:
            continue
        alive.add(label)
        block = blocks[label]
        pending.append(owners[label].blocks[0].label)  # it stays, and with it what it names
        pending += [target for insn in block.insns for ref in insn.refs for target in _meant(ref, owners)]
        pending += [insn.faults_to for insn in block.insns if insn.faults_to]
        pending += [pad for insn in block.insns if (pad := _caught(insn, unwinding)) is not None]
        pending += [block.falls_to] if block.falls_to else []
    return alive


def _caught(insn: Insn, unwinding: Unwinding | None) -> str | None:
    """Where it is caught what is thrown here, if only the unwinding tables tell."""
    if unwinding is None or insn.origin is None or insn.unwind is not None or insn.faults_to is not None:
        return None
    site = unwinding.site(insn.origin)
    return site.pad[0] if site is not None and site.pad is not None else None


def _meant(ref: Ref, owners: Mapping[str, Function]) -> list[str]:
    """A place behind a label may be any of its function's."""
    owner = owners.get(ref.target)
    return [block.label for block in owner.blocks] if ref.addend and owner is not None else [ref.target]


def _promised(program: Program, contract: Contract) -> Iterator[str]:
    """Symbols that the contract names, also within a sentence."""
    words = set(re.findall(r"\w+", repr(asdict(contract))))
    return (symbol.target for symbol in program.symbols if symbol.name in words)


def _refs(program: Program) -> Iterator[Ref]:
    for function in program.functions:
        for insn in function.insns():
            yield from insn.refs
    for data in program.data:
        yield from data.refs.values()
