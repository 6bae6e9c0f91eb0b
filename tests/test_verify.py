"""What must hold of every program, and the small changes that keep it so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewriter.edit import Labels, clone, redirect, split_edge
from rewriter.ir import Block, Function, Insn, Program, Ref, RefKind
from rewriter.verify import verify
from tests.passes.assembly import program

TEXT = """
    f:
        test eax, eax
        je .zero
        mov eax, [ecx] !.zero
        ret
    .zero:
        call f
        ret
"""


def test_a_good_program() -> None:
    assert verify(program(TEXT, ["f"])) == []


def _broken(change: str) -> Program:
    found = program(TEXT, ["f"])
    f = found.functions[0]
    first = f.blocks[0]
    if change == "label twice":
        f.blocks.append(Block("f.zero", [Insn(b"\xc3")]))
    elif change == "no such label":
        first.insns[-1] = replace(first.insns[-1], refs=(Ref(1, RefKind.PC8, "g"),))
    elif change == "no such fixup":
        f.blocks[1].insns[0] = replace(f.blocks[1].insns[0], faults_to="g")
    elif change == "falls to nothing":
        first.falls_to = None
    elif change == "falls after ret":
        f.blocks[2].falls_to = "f.zero"
    elif change == "call in the middle":
        f.blocks[3].insns.append(Insn(b"\x90"))
    elif change == "fault in the middle":
        f.blocks[1].insns.append(Insn(b"\x90"))
    elif change == "reference outside":
        first.insns[0] = Insn(b"\x85\xc0", (Ref(0, RefKind.ABS32, "data"),))
    elif change == "entry elsewhere":
        f.blocks.reverse()
    elif change == "no entry":
        found.entry = "main"
    elif change == "data behind the end":
        found.data[0].refs[4000] = Ref(4000, RefKind.ABS32, "f")
    return found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("label twice", "used 2 times"),
        ("no such label", "names g"),
        ("no such fixup", "faults to g"),
        ("falls to nothing", "falls to nothing"),
        ("falls after ret", "after an instruction that does not"),
        ("call in the middle", "before the end"),
        ("fault in the middle", "before the end"),
        ("reference outside", "reference outside"),
        ("entry elsewhere", "begins with block"),
        ("no entry", "the entry main"),
        ("data behind the end", "behind the end"),
    ],
)
def test_a_broken_program(change: str, fault: str) -> None:
    assert any(fault in line for line in verify(_broken(change)))


def test_clones_lead_among_themselves() -> None:
    found = program(TEXT, ["f"])
    labels = Labels("g", ["g.0"])
    names = {"f": "g", **{b.label: labels.fresh() for b in found.functions[0].blocks[1:]}}
    found.functions.append(Function("g", clone(found.functions[0].blocks, names)))
    assert verify(found) == []
    assert {b.label for b in found.functions[1].blocks} == {"g", "g.1", "g.2", "g.3", "g.4"}
    assert found.functions[1].blocks[1].insns[0].faults_to == names["f.zero"]


def test_an_edge_can_be_split() -> None:
    found = program(TEXT, ["f"])
    f = found.functions[0]
    f.blocks.append(split_edge(f.blocks[0], "f.zero", "f.between", [Insn(b"\x40")]))
    assert verify(found) == []
    assert f.blocks[0].insns[-1].refs[0].target == "f.between"
    redirect(f.blocks[0], f.blocks[1].label, "f.zero")
    assert f.blocks[0].falls_to == "f.zero"
