"""The peephole pass finds every rule's pattern, and puts in its place what the rule says."""

from __future__ import annotations

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.ir import Block, Function, Insn, Program
from rewriter.passes.heat import Heat
from rewriter.passes.inline import Inlined
from rewriter.passes.pattern import Found, Memory, made, templates
from rewriter.passes.peephole import peephole
from rewriter.passes.peephole_rules import RULES, Rule
from rewriter.passes.work import Work
from rewriter.x86.decode import Mem
from rewriter.x86.effects import register_mask
from rewriter.x86.encode import assemble

LIVE, DEAD = ("eax", "ebx", "esi", "edi"), ("ecx", "edx")
AT_RETURN = sum(register_mask(name) for name in (*LIVE, "ebp"))
SINGLE = [each for rule in RULES for each in rule.rules() if "esp" not in each.before]


def meanings(rule: Rule) -> Found:
    """Dead letters in registers that nobody needs; slots of its own below esp, where they matter to nobody."""
    live, dead = iter(LIVE), iter(DEAD)
    registers = {letter: next(dead if letter in rule.dead.split() else live) for letter in "abcd"}
    parts = [p for t in templates(rule.before + ";" + rule.after) for p in t.parts if isinstance(p, Memory)]
    swapped = any(part.swap for part in parts)
    memory = {p.letter: (Mem(registers["a"] if swapped else "ebp", disp=8, size=p.size), None) for p in parts}
    memory |= {letter: (Mem("esp", disp=-8), None) for letter in rule.own}
    return Found(registers, {"k": 20, "l": 3}, {**memory}, {"L": "f.end"})


def work_on(insns: list[Insn]) -> Work:
    ret = assemble(["ret"])
    branches = any(insn.refs for insn in insns)
    blocks = [Block("f", insns, "f.end"), Block("f.end", ret)] if branches else [Block("f", insns + ret)]
    function = Function("f", blocks)
    heat = Heat({block.label: 1.0 for block in blocks})
    inlined = Inlined(function, [], {}, {block.label: (0,) for block in blocks}, heat)
    index = Index(Program([function], [], "f"))
    return Work.on(inlined, Depths(index, Contract()), Contract(), AT_RETURN)


@pytest.mark.parametrize("rule", SINGLE, ids=str)
def test_pattern_is_found(rule: Rule) -> None:
    found = meanings(rule)
    pattern = templates(rule.before)
    insns = made(pattern, found, [Insn(b"\x90")] * len(pattern))
    assert insns is not None
    work = work_on(insns)
    peephole(work)
    assert [remark.detail for remark in work.outcome.remarks][:1] == [str(rule)]
    kept = sum(len(block.insns) for block in work.function.blocks)
    assert kept <= len(insns) + 1 - rule.fewer
