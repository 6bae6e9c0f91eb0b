"""Handlers in which a stack slot looks known and is not: what a review of the passes found."""

from __future__ import annotations

from random import Random

import pytest

from rewriter.analysis.graph import Index
from rewriter.ir import Symbol
from rewriter.passes.specialize import Refused, Specializer
from tests.passes.assembly import program
from tests.passes.lockstep import link
from tests.passes.random_programs import GATE
from tests.passes.test_lockstep import CONTRACT, NUMBER, TABLE_WORDS, all_paths, check, pointed, profile_of, starts

IMPLIED = {"an argument that one path overwrites": {0: 1}}
HANDLERS = {
    "an argument that one path overwrites": """
sys_call:
    cmp dword ptr [esp + 8], 3
    jae .join
    mov dword ptr [esp + 4], 5
.join:
    mov eax, dword ptr [esp + 4]
    ret
""",
    "a store through the pointer that stosd moved on": """
sys_call:
    push ebx
    sub esp, 8
    mov dword ptr [esp], 1
    mov dword ptr [esp + 4], 2
    mov ebx, edi
    mov edi, esp
    mov eax, 5
    stosd
    mov dword ptr [edi], 7
    mov edi, ebx
    mov eax, dword ptr [esp + 4]
    add esp, 8
    pop ebx
    ret
""",
    "the saved registers, counted from the bottom of the stack": """
sys_call:
    mov ecx, esp
    and ecx, -8192
    mov edx, dword ptr [esp + 8]
    mov dword ptr [esp + 4], 1
    mov dword ptr [ecx + 8068], edx
    mov eax, dword ptr [esp + 4]
    ret
""",
    "a callee that returns the address of its argument": """
sys_call:
    sub esp, 4
    mov dword ptr [esp], 5
    call addr
    mov dword ptr [eax], 9
    mov edx, dword ptr [esp]
    lea eax, [edx + edx*4]
    add esp, 4
    ret
addr:
    lea eax, [esp + 4]
    ret
""",
    "a slot that is popped through ebp": """
sys_call:
    push ebp
    mov ebp, esp
    sub esp, 8
    mov dword ptr [ebp - 8], 17
    push dword ptr [ebp + 8]
    pop dword ptr [ebp - 8]
    mov eax, dword ptr [ebp - 8]
    leave
    ret
""",
    "the number of the call, as a result": """
sys_call:
    cmp dword ptr [esp + 8], 7
    je .join
    lea eax, [eax + eax*2 + 5]
.join:
    ret
""",
    "the number of the call, passed on to somebody unknown": """
sys_call:
    push eax
    push dword ptr [esp + 8]
    call dword ptr [{data + 8}]
    add esp, 8
    ret
second:
    mov eax, dword ptr [esp + 8]
    add eax, dword ptr [esp + 4]
    ret
""",
    "an array below a saved register, counted from its end and from one": """
sys_call:
    push ebx
    sub esp, 8
    mov ebx, dword ptr [esp + 16]
    mov dword ptr [esp], 3
    mov dword ptr [esp + 4], 2
    mov ecx, dword ptr [esp + 20]
    and ecx, 1
    sub ecx, 1
    mov dword ptr [esp + ecx*4 + 4], 77
    mov edx, dword ptr [esp + 24]
    and edx, 1
    add edx, 1
    add ebx, dword ptr [esp + edx*4 - 4]
    mov eax, dword ptr [esp]
    lea eax, [eax + ebx*2]
    add eax, dword ptr [esp + 4]
    add esp, 8
    pop ebx
    ret
""",
    "a helper in registers, whose fixup is a function": """
sys_call:
    push ebx
    mov eax, dword ptr [esp + 8]
    and eax, 4
    lea eax, [eax*4 + 0x8ffff0]
    call get_user
    mov ebx, eax
    lea eax, [edx + ebx*2]
    pop ebx
    ret
get_user:
    cmp eax, 0x900001
    jae bad_get_user
    mov edx, dword ptr [eax] !bad_get_user
    xor eax, eax
    ret
bad_get_user:
    xor edx, edx
    mov eax, -14
    ret
""",
    "a fixup elsewhere, which comes back": """
sys_call:
    mov eax, dword ptr [esp + 4]
    call get_byte
    add eax, ecx
    ret
get_byte:
    push ebx
    xor ebx, ebx
    and eax, 4
    lea eax, [eax*4 + 0x8ffff0]
    xor ecx, ecx
    mov ecx, dword ptr [eax] !fixup
.back:
    mov eax, ebx
    pop ebx
    ret
fixup:
    mov ebx, -14
    jmp get_byte.back
""",
    "a callee that calls itself, and the handler": """
sys_call:
    mov eax, dword ptr [esp + 4]
    and eax, 7
    push eax
    call below
    add esp, 4
    ret
below:
    push ebx
    mov ebx, dword ptr [esp + 8]
    mov eax, 1
    test ebx, ebx
    je .end
    dec ebx
    push ebx
    cmp ebx, 2
    je .handler
    call below
    jmp .add
.handler:
    call sys_call
.add:
    add esp, 4
    lea eax, [eax + eax*2 + 1]
.end:
    pop ebx
    ret
""",
    "an array on the stack, indexed": """
sys_call:
    sub esp, 16
    mov dword ptr [esp], 3
    mov dword ptr [esp + 4], 2
    mov dword ptr [esp + 8], 1
    mov dword ptr [esp + 12], 3
    mov ecx, dword ptr [esp + 20]
    and ecx, 3
    mov edx, dword ptr [esp + 24]
    mov eax, dword ptr [esp + 8]
    mov dword ptr [esp + ecx*4], 77
    add edx, eax
    mov eax, edx
    add esp, 16
    ret
""",
}


@pytest.mark.parametrize("title", HANDLERS)
def test_the_new_call_does_what_the_handler_does(title: str) -> None:
    found = program(
        GATE + HANDLERS[title],
        ["sys_call", "sys_call", "second" if "second:" in HANDLERS[title] else 0, *[0] * (TABLE_WORDS - 3)],
    )
    found.symbols.append(Symbol("table", "data"))
    implied = IMPLIED.get(title, {})
    linked, states = link(found), starts(Random(5), 12, implied)
    maker = Specializer(found, CONTRACT, profile_of(linked, states[1:4]))
    paths = all_paths(Index(found), "sys_call", pointed(linked, found, states))
    try:
        new = maker.specialize("sys_call", "sys_call$0", paths, number=NUMBER, implied=implied)
    except Refused:
        return  # with a reason: that is sound, too
    check(found, new, Random(7), 40)


READS_ITS_ARGUMENTS_REGISTER = """
sys_call:
    mov eax, dword ptr [esp + 4]
    test eax, eax
    je .none
    mov eax, ebx
    ret
.none:
    mov eax, 7
    ret
"""


@pytest.mark.parametrize(("value", "accepted"), [(0, True), (1, False)])
def test_an_implied_arguments_register_is_not_read_for_its_value(value: int, accepted: bool) -> None:
    """The handler as a whole reads it; its copy for 0 does not."""
    found = program(GATE + READS_ITS_ARGUMENTS_REGISTER, ["sys_call", "sys_call", *[0] * (TABLE_WORDS - 2)])
    found.symbols.append(Symbol("table", "data"))
    linked, states = link(found), starts(Random(5), 12, {0: value})
    maker = Specializer(found, CONTRACT, profile_of(linked, states[1:4]))
    new = maker.specialize("sys_call", "sys_call$0", (), number=NUMBER, implied={0: value})
    assert new.implied == ({0: value} if accepted else {})
    check(found, new, Random(7), 40)
