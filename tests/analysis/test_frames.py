"""Frames: esp at each block, the deepest point, what escapes."""

from __future__ import annotations

from rewriter.analysis.depths import Depths
from rewriter.analysis.explain import Explainer, Explanation
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from tests.passes.assembly import program


def of(text: str) -> Explanation:
    return Explainer(Depths(Index(program(text)), Contract())).explain("f")


def test_esp_and_depth() -> None:
    found = of("""
    f:
        push ebx
        sub esp, 16
        test eax, eax
        je .end
        push 1
        call g
        add esp, 4
    .end:
        add esp, 16
        pop ebx
        ret
    g:
        ret
    """)
    assert found.esp["f.end"] == -20
    assert found.size == 28  # the argument and the return address of the call
    assert not found.escapes
    assert found.summary.pops == 0


def test_an_aligned_frame_is_not_known() -> None:
    found = of("f:\n push ebp\n mov ebp, esp\n and esp, -16\n push 1\n leave\n ret\n")
    assert found.size is None


def test_an_address_that_is_stored_escapes() -> None:
    assert of("f:\n push 1\n mov [eax], esp\n jmp .end\n.end:\n pop eax\n ret\n").escapes
