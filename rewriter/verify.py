"""What must hold of every program, before and after every pass (§2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass

from rewriter.ir import ABSOLUTE, END, Block, Function, Insn, Program, Ref, RefKind
from rewriter.x86.flow import CALLS, Flow, flow

# After these, control may go on to the next block: `falls_to` must say which.  None behind a call: the callee never
# returns.
_FALLING = (Flow.NEXT, Flow.BRANCH)


def verify(program: Program) -> list[str]:
    """What is wrong with the program, one line each; an empty list if nothing is."""
    known = _counts(program)
    faults = [f"label {label} is used {n} times" for label, n in known.items() if n > 1]
    names = labels(program)
    for function in program.functions:
        faults += [f"{function.name}: {fault}" for fault in _function_faults(function, names)]
    for data in program.data:
        for offset, ref in data.refs.items():
            if offset + 4 > len(data.raw) or offset < 0:
                faults.append(f"{data.name}+{offset:#x}: a reference behind the end")
            elif not _exists(ref.target, names):
                faults.append(f"{data.name}+{offset:#x}: names {ref.target}, which does not exist")
    faults += _fault_words(program, names)
    if program.entry not in known:
        faults.append(f"the entry {program.entry} does not exist")
    return faults


def _fault_words(program: Program, names: set[str]) -> Iterator[str]:
    """Entries of the exception table that have a third word must find it by their instruction's origin."""
    words = program.fault_words
    if words:
        for function in program.functions:
            for insn in function.insns():
                if insn.faults_to is not None and insn.origin not in words:
                    yield f"{function.name}: a new instruction may fault, of which the exception table knows nothing"
    for word in words.values():
        if isinstance(word, Ref) and not _exists(word.target, names):
            yield f"the exception table names {word.target}, which does not exist"


@dataclass(frozen=True, slots=True)
class Either:
    """What is in one of two sets, without a copy of either: one is as large as the program."""

    first: Container[str]
    second: Container[str]

    def __contains__(self, label: object) -> bool:
        return label in self.first or label in self.second


def verify_function(function: Function, names: Container[str]) -> list[str]:
    """What is wrong with one function of a program that has these labels, its own among them."""
    own = Counter(block.label for block in function.blocks)
    return [f"label {label} is used {n} times" for label, n in own.items() if n > 1] + [
        *_function_faults(function, names)
    ]


def labels(program: Program) -> set[str]:
    """Everything that a reference may name, but for ends."""
    return {*_counts(program), *(section.name for section in program.sections)}


def _counts(program: Program) -> Counter[str]:
    labels = Counter(data.name for data in program.data)
    for function in program.functions:
        labels.update(block.label for block in function.blocks)
    return labels


def _exists(label: str, names: Container[str]) -> bool:
    return label in names or label == ABSOLUTE or (label.endswith(END) and label.removesuffix(END) in names)


def _function_faults(function: Function, names: Container[str]) -> Iterator[str]:
    if not function.blocks:
        yield "has no blocks"
        return
    if function.blocks[0].label != function.name:
        yield f"begins with block {function.blocks[0].label}"
    for block in function.blocks:
        verbatim = function.pins and len(function.blocks) == 1 and len(block.insns) == 1
        if not verbatim:
            yield from _block_faults(block, names)


def _block_faults(block: Block, names: Container[str]) -> Iterator[str]:
    for insn in block.insns[:-1]:
        if flow(insn.raw) is not Flow.NEXT or insn.faults_to is not None:
            yield f"{block.label}: control leaves before the end, at {insn.raw.hex()}"
    for insn in block.insns:
        yield from (f"{block.label}: {fault}" for fault in _insn_faults(insn, names))
    last = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
    if block.falls_to is None and last in _FALLING:
        yield f"{block.label}: falls to nothing"
    if block.falls_to is not None and last not in (*_FALLING, *CALLS):
        yield f"{block.label}: falls to {block.falls_to} after an instruction that does not"
    if block.falls_to is not None and not _exists(block.falls_to, names):
        yield f"{block.label}: falls to {block.falls_to}, which does not exist"


def _insn_faults(insn: Insn, names: Container[str]) -> Iterator[str]:
    if insn.faults_to is not None and insn.faults_to not in names:
        yield f"faults to {insn.faults_to}, which does not exist"
    end = 0
    for ref in sorted(insn.refs, key=lambda r: r.offset):
        if ref.offset < end or ref.offset + _width(ref) > len(insn.raw):
            yield f"a reference outside of {insn.raw.hex()}, or over another"
        end = ref.offset + _width(ref)
        if not _exists(ref.target, names):
            yield f"names {ref.target}, which does not exist"


def _width(ref: Ref) -> int:
    return 1 if ref.kind is RefKind.PC8 else 4
