"""What is known of registers, slots and flags: each case a few instructions and the value of one place behind them."""

from __future__ import annotations

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.state import State
from rewriter.analysis.value import Opaque
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from tests.passes.assembly import program


def values(text: str, name: str = "f") -> Values:
    index = Index(program(text))
    return Values(index, Depths(index, Contract()).transfer(), name)


def behind(text: str) -> State:
    """The state after the last instruction of `f`."""
    found = values("f:\n" + text + "\n    nop\n    ret\n")
    return found.before_last([b.label for b in found.blocks][-1])


def end(text: str) -> State:
    """The state before the `ret` of the block `.end`."""
    return values(text).before_last("f.end")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mov eax, 5", 5),
        ("mov eax, 7\n add eax, -9", 0xFFFFFFFE),
        ("mov eax, 5\n mov al, 0x80\n movsx eax, al", 0xFFFFFF80),
        ("mov eax, 0x1234\n movzx eax, ah", 0x12),
        ("xor eax, eax", 0),
        ("mov eax, 0x80000000\n cdq\n mov eax, edx", 0xFFFFFFFF),
        ("mov eax, ecx\n sar eax, 31\n mov edx, ecx\n sar edx, 31\n xor eax, edx", 0),  # the same sign
        ("mov eax, ecx\n sar eax, 31\n xor eax, ecx", None),
        ("mov eax, ecx\n sar eax, 30\n sar ecx, 30\n xor eax, ecx", None),
        ("mov eax, ecx\n sar eax, 31\n inc ecx\n sar ecx, 31\n xor eax, ecx", None),
        ("mov eax, ecx\n sar ecx, 31\n cdq\n mov eax, edx\n sub eax, ecx", 0),
        ("mov eax, ecx\n shr eax, 31\n sar ecx, 31\n xor eax, ecx", None),
        ("mov eax, [ecx]\n mov ecx, [edx]\n sar eax, 31\n sar ecx, 31\n xor eax, ecx", None),
        ("push 6\n pop eax", 6),
        ("push 6\n mov ecx, esp\n mov eax, [ecx]", 6),
        ("push ebp\n mov ebp, esp\n push 9\n mov eax, [ebp - 4]", 9),
        ("push ebp\n mov ebp, esp\n push 9\n leave\n mov eax, 3", 3),
        ("mov ecx, 3\n cmp ecx, 3\n sete al\n movzx eax, al", None),  # the rest of eax is not known
        ("mov eax, 0\n mov ecx, 3\n cmp ecx, 3\n sete al", 1),
        ("mov eax, 1\n mov ecx, 2\n test ecx, ecx\n cmove eax, ecx", 1),
        ("mov eax, 0xffffffff\n add eax, 1\n mov eax, 0\n adc eax, 0", 1),
        ("mov ecx, 1\n cmp ecx, 2\n inc ecx\n sbb eax, eax", None),  # eax - eax - CF
        ("mov eax, 5\n mov ecx, 1\n cmp ecx, 2\n inc ecx\n sbb eax, 0", 4),  # inc keeps the carry
        ("mov eax, 12\n shr eax, 2\n imul eax, eax, 3", 9),
        ("mov eax, [ecx]\n and eax, 0", 0),
        ("push ecx\n mov byte ptr [esp], 1\n mov eax, [esp]", None),
        ("push 0x0102\n movzx eax, byte ptr [esp + 1]", 1),
        ("push 1\n mov dword ptr [ecx], 2\n mov eax, [esp]", 1),  # no pointer leads here
        ("push 1\n lea edx, [esp]\n mov [ecx], edx\n mov dword ptr [ecx], 2\n mov eax, [esp]", None),
        ("push 1\n lea edx, [esp + ecx*4]\n mov dword ptr [edx], 2\n mov eax, [esp]", None),
    ],
)
def test_eax_behind(text: str, expected: int | None) -> None:
    assert behind(text).places["eax"].constant == expected


def test_current_is_no_address_of_a_slot() -> None:
    state = behind("push 4\n mov eax, esp\n and eax, -8192\n mov dword ptr [eax + 8], 1")
    assert not state.places["eax"].on_stack
    assert state.places[-4].constant == 4
    lost = behind("push 4\n mov eax, esp\n and eax, -64\n mov dword ptr [eax + 8], 1")
    assert -4 not in lost.places


def test_copies_have_one_name() -> None:
    state = behind("mov ecx, [eax]\n push ecx\n mov edx, [esp]\n mov esi, edx")
    assert state.places["ecx"] == state.places["esi"] == state.places[-4]
    assert state.places["ecx"] != state.places["eax"]


def test_two_loads_of_a_pointer_are_two_words() -> None:
    state = behind("mov ecx, [eax]\n mov edx, [eax]")
    assert state.places["ecx"] != state.places["edx"]


def test_where_different_words_meet_copies_stay_copies() -> None:
    state = end("""
    f:
        mov ecx, 1
        mov edx, 1
        mov ebx, 2
        test eax, eax
        je .end
        mov ecx, esi
        mov edx, esi
        mov ebx, edi
    .end:
        ret
    """)
    assert state.places["ecx"].constant is None
    assert state.places["ecx"] == state.places["edx"] != state.places["ebx"]


def test_a_word_of_the_last_round_is_another_word() -> None:
    """ecx follows edx one round behind: at the loop's top they must not look equal."""
    found = values("""
    f:
        mov ecx, [esi]
        mov edx, [esi]
    .top:
        mov ecx, edx
        mov edx, [esi]
        dec eax
        jne .top
    .end:
        ret
    """)
    top, bottom = found.states["f.top"], found.before_last("f.end")
    assert top.places["ecx"] != top.places["edx"]
    assert bottom.places["ecx"] != bottom.places["edx"]


def test_a_branch_teaches_both_sides() -> None:
    found = values("""
    f:
        mov ecx, eax
        cmp eax, 7
        je .seven
        test ecx, ecx
        je .zero
        test eax, eax
        je .never
        ret
    .zero:
        ret
    .seven:
        ret
    .never:
        ret
    """)
    assert found.states["f.seven"].places["ecx"].constant == 7
    assert found.states["f.zero"].places["eax"].constant == 0
    assert "f.never" not in found.states


def test_a_fault_is_between_before_and_after() -> None:
    state = end("""
    f:
        mov ecx, 16
        mov edx, 16
        rep movsb !.end
        mov ecx, 1
        ret
    .end:
        ret
    """)
    assert state.places["ecx"].constant is None
    assert state.places["edx"].constant == 16
    assert isinstance(state.places["esi"].base, Opaque)


def test_a_known_index_takes_one_entry_of_a_table() -> None:
    text = """
    f:
        mov eax, 1
        jmp [eax*4 + {data}]
    .a:
        ret
    .end:
        ret
    """
    index = Index(program(text, ["f.a", "f.end"]))
    found = Values(index, Depths(index, Contract()).transfer(), "f")
    assert "f.a" not in found.states
    assert "f.end" in found.states


CALLS = """
    f:
        push ebx
        push 1
        push 2
        mov ebx, 3
        mov ecx, 4
        call {callee}
        nop
    .end:
        ret
    reads:
        mov eax, [esp + 8]
        ret
    writes:
        mov dword ptr [esp + 4], 9
        mov ecx, 1
        ret
    changes:
        inc ebx
        ret
    unknown:
        mov esp, [{data}]
        ret
    stops:
        ud2
    cleans:
        ret 8
"""


def after_call(callee: str) -> State:
    return values(CALLS.replace("{callee}", callee)).before_last("f.end")


def test_a_call_changes_what_its_callee_changes() -> None:
    reads, writes, changes = (after_call(name) for name in ("reads", "writes", "changes"))
    assert (reads.places[-8].constant, reads.places[-12].constant) == (1, 2)
    assert (reads.places["ebx"].constant, reads.places["ecx"].constant) == (3, 4)
    assert -12 not in writes.places
    assert writes.places[-8].constant == 1
    assert writes.places["ecx"].constant is None
    assert changes.places["ebx"].constant is None


def test_calls_and_esp() -> None:
    assert after_call("reads").esp == -12
    assert after_call("cleans").esp == -4
    assert after_call("unknown").esp is None
    assert "f.end" not in values(CALLS.replace("{callee}", "stops")).states


def test_what_esp_has_left_is_forgotten() -> None:
    state = behind("push 61\n add esp, 4\n sub esp, 4\n mov eax, [esp]")
    assert state.places["eax"].constant is None


def test_filling_slots_gives_nobody_their_address() -> None:
    filled = behind("sub esp, 80\n lea edi, [esp + 8]\n mov ecx, 17\n xor eax, eax\n rep stosd")
    assert filled.escaped == frozenset()
    assert filled.places["edi"].slot == 8 - 80 + 68


def test_filling_slots_with_an_address_does() -> None:
    filled = behind("sub esp, 80\n lea edi, [esp + 8]\n mov ecx, 17\n mov eax, esp\n rep stosd")
    assert filled.escaped


def test_the_sign_of_another_rounds_word_is_another() -> None:
    state = end("""
    f:
        mov eax, 0
        mov edx, 0
    .head:
        mov ecx, [ebx]
        mov esi, ecx
        sar esi, 31
        xor edx, esi
        cmp dword ptr [edi], 0
        je .end
        mov edx, esi
        jmp .head
    .end:
        ret
    """)
    assert state.places["edx"].constant is None
