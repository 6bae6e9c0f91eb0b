"""What matters where: registers, flags, and the bytes of the own frame."""

from __future__ import annotations

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.liveness import STACK_SHIFT, Liveness
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.x86.effects import names, register_mask
from tests.passes.assembly import program

EAX = register_mask("eax")


def liveness(text: str, at_return: int = EAX) -> Liveness:
    index = Index(program(text))
    return Liveness(Values(index, Depths(index, Contract()).transfer(), "f"), at_return)


def low(mask: int) -> tuple[str, ...]:
    return names(mask & (1 << STACK_SHIFT) - 1)


def test_strong_liveness_forgets_what_only_the_dead_read() -> None:
    found = liveness("f:\n mov ecx, edx\n add ecx, esi\n mov eax, 1\n ret\n")
    assert low(found.before("f")) == ()
    needed = [touch.results & after for touch, after in zip(found.touches("f"), found.after("f"), strict=True)]
    assert needed[:2] == [0, 0]


def test_a_saved_register_is_not_read() -> None:
    assert low(liveness("f:\n push ebx\n mov ebx, ecx\n mov eax, ebx\n pop ebx\n ret\n").before("f")) == ("ecx",)


def test_the_carry_lives_across_inc_but_not_across_add() -> None:
    assert "CF" in low(liveness("f:\n inc ecx\n adc eax, 0\n ret\n").before("f"))
    assert "CF" not in low(liveness("f:\n add ecx, 1\n adc eax, 0\n ret\n").before("f"))


def test_a_slot_lives_from_its_store_to_its_load() -> None:
    found = liveness("f:\n push ecx\n push edx\n mov eax, [esp + 4]\n add esp, 8\n ret\n")
    assert low(found.before("f")) == ("ecx",)
    after = found.after("f")
    assert after[0] >> STACK_SHIFT == after[1] >> STACK_SHIFT != 0
    assert after[2] >> STACK_SHIFT == 0


def test_nothing_below_esp_matters() -> None:
    found = liveness("f:\n push ecx\n add esp, 4\n mov eax, [esp - 4]\n ret\n")
    assert "ecx" not in low(found.before("f"))


def test_a_fixup_needs_what_was_before_the_fault() -> None:
    found = liveness("f:\n mov eax, 5\n mov eax, [ecx] !.fix\n ret\n.fix:\n ret\n")
    assert "eax" in low(found.after("f")[0])
    assert low(found.before("f")) == ("ecx",)


def test_an_escaped_slot_always_matters() -> None:
    found = liveness("f:\n push 1\n lea eax, [esp]\n mov [ecx], eax\n mov dword ptr [esp], 2\n add esp, 4\n ret\n")
    assert found.touches("f")[3].results & found.after("f")[3]


def test_a_callee_reads_its_arguments() -> None:
    text = "f:\n push ecx\n push edx\n call g\n add esp, 8\n ret\ng:\n mov eax, [esp + 4]\n ret\n"
    assert low(liveness(text).before("f")) == ("edx",)
    deep = text.replace("[esp + 4]", "[esp + 8]")
    assert low(liveness(deep).before("f")) == ("ecx", "edx")  # a depth is a bound: what lies above may be read, too


def test_what_leaves_by_a_tail_call_matters_there() -> None:
    assert low(liveness("f:\n mov ecx, edx\n jmp g\ng:\n mov eax, ecx\n ret\n").before("f")) == ("edx",)
