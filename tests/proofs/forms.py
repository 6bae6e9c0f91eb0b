"""Every form of instruction that the rules mention, as real instructions."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from rewriter.ir import Insn
from rewriter.passes.pattern import Found, Template, made, templates
from rewriter.passes.peephole_rules import RULES
from rewriter.x86.decode import Mem

# Letters as different registers, and some of them as the same.
REGISTERS = (("ecx", "edx", "ebx", "eax"), ("eax", "eax", "ecx", "ecx"), ("ebx", "edi", "ebx", "esi"))
NUMBERS = (0, 1, 5, 31, 32, 0x7F, 0x80, 0xFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MEMORY = (Mem("esi", disp=8), Mem("ebp", "edi", 4, -4), Mem("edi"), Mem("ecx", "ebx", 1, 16))


def mentioned() -> dict[str, Template]:
    """The templates in all rules, by what they look like."""
    rules = [each for rule in RULES for each in rule.rules()]
    return {str(t): t for rule in rules for text in (rule.before, rule.after) for t in templates(text)}


def instances(template: Template, random: Random) -> Iterator[Insn]:
    """The template with several registers, numbers and memory."""
    for registers in REGISTERS:
        numbers: dict[str, int] = {letter: random.choice(NUMBERS) for letter in "kl"}
        if template.mnemonic in ("shl", "shr", "sar"):
            numbers = dict.fromkeys(numbers, random.choice((0, 1, 2, 20, 31, 32, 33)))
        memory = {letter: (random.choice(MEMORY), None) for letter in "mn"}
        for part in template.parts:
            size = getattr(part, "size", 4)
            memory = {k: (Mem(m.base, m.index, m.scale, m.disp, size), None) for k, (m, _) in memory.items()}
        found = Found(dict(zip("abcd", registers, strict=True)), {**numbers}, {**memory}, {"L": "somewhere"})
        insns = made((template,), found, (Insn(b"\x90"),))
        if insns is not None:
            yield insns[0]
