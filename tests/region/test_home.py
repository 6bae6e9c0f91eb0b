"""Exits that lead to the original program: arguments implied, calls inlined, a callee's fixup, a tail call.

`HOTPATH_GOLDEN=write pytest tests/region/test_home.py` writes `home.s` anew: read the difference.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path as File
from random import Random

from rewriter.analysis.graph import Index
from rewriter.edit import cut
from rewriter.ir import Block, Program, Symbol
from rewriter.passes.paths import Path
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.profile import Profile
from rewriter.region.region import region
from rewriter.show import listing
from rewriter.verify import verify
from tests.passes.assembly import program
from tests.passes.random_programs import GATE, TABLE_WORDS
from tests.passes.test_lockstep import CONTRACT, check

GOLDEN = File(__file__).parent / "home.s"
WORDS = ["sys_call", "sys_call", *[0] * (TABLE_WORDS - 2), *range(3, 15)]
HANDLER = """
sys_call:
    push ebx
    mov ebx, dword ptr [esp + 8]
    push dword ptr [esp + 12]
    push ebx
    call get
    add esp, 8
    test eax, eax
    js .error
    push eax
    call dword ptr [{data + 32}]
    add esp, 4
    add eax, dword ptr [esp + 12]
.error:
    pop ebx
    ret
get:
    push esi
    mov esi, dword ptr [esp + 8]
    mov eax, -9
    cmp esi, 7
    ja .out
    mov eax, dword ptr [{data + 64} + esi*4] !.fixup
    add eax, dword ptr [esp + 12]
    cmp eax, 40
    ja .slow
.out:
    pop esi
    ret
.fixup:
    mov eax, -14
    jmp .out
.slow:
    mov dword ptr [{data + 36}], esi
    and eax, 15
    jmp .out
double:
    mov eax, dword ptr [esp + 4]
    cmp eax, 9
    ja other
    add eax, eax
    ret
other:
    mov eax, dword ptr [esp + 4]
    sub eax, 3
    ret
"""


def kernel() -> Program:
    words: list[int | str] = [*WORDS]
    words[8] = "double"
    found = program(GATE + HANDLER, words)
    found.symbols.append(Symbol("table", "data"))
    return found


def made(found: Program) -> Specialized:
    blocks = {
        b.label: 0 if b.label.endswith((".slow", ".fixup", "other")) else 8 for f in found.functions for b in f.blocks
    }
    edges = {(b.label, b.falls_to): 8 for f in found.functions for b in f.blocks if b.falls_to}
    maker = Specializer(found, CONTRACT, Profile("0" * 64, blocks=blocks, edges=edges))
    sites = {callee: site for site, callee in _calls(found)}
    paths = (Path(sites["get"], "get"), Path(sites["double"], "double"))
    beyond = (("region", partial(region, always=True)),)
    return maker.specialize("sys_call", "sys_call$0", paths, implied={1: 5}, beyond=beyond)


def _calls(found: Program) -> list[tuple[str, str]]:
    index = Index(found)
    blocks: list[Block] = found.function("sys_call").blocks
    return [
        (b.label, index.callee(b.insns[-1]) or "double")
        for b in blocks
        if b.falls_to and b.insns[-1].raw[0] in (0xE8, 0xFF)
    ]


def test_golden() -> None:
    found = kernel()
    new = made(found)
    assert new.wrapper is not None
    text = listing(new.function) + "\n" + listing(new.wrapper) + "\n"
    if os.environ.get("HOTPATH_GOLDEN") == "write":
        GOLDEN.write_text(HANDLER.lstrip("\n") + "\nafter:\n" + text)
    assert GOLDEN.read_text() == HANDLER.lstrip("\n") + "\nafter:\n" + text


def test_nobody_sees_a_difference() -> None:
    for seed in range(6):
        found = kernel()
        new = made(found)
        assert new.implied == {1: 5}
        check(found, new, Random(seed), count=40)


def test_nothing_of_the_original_is_copied_behind_the_exits() -> None:
    found = kernel()
    new = made(found)
    assert not any(block.label in new.clone_of for block in new.function.blocks)
    cut(found, new.entries)
    assert new.wrapper is not None
    found.functions += [new.function, new.wrapper]
    assert verify(found) == []
