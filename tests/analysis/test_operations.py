"""The load of the table is found behind copies, tests and defaults, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.operations import pointer_loads
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from tests.passes.assembly import program

LOAD = "    mov eax, [esi + 16]\n"


def found(text: str) -> list[tuple[str, int]]:
    index = Index(program(f"f:\n{text}\n    ret\ng:\n    ret\n", [1, "g"]))
    values = Values(index, Depths(index, Contract()).transfer(), "f")
    return [tuple(point) for label in values.states for point in pointer_loads(values, label)]


@pytest.mark.parametrize(
    "text",
    [
        f"{LOAD} call [eax + 8]",
        f"{LOAD} mov edx, [eax + 8]\n test edx, edx\n je .none\n call edx\n.none:",
        f"{LOAD} mov ecx, {{g}}\n mov edx, [eax]\n test edx, edx\n cmove edx, ecx\n call edx",
        f"{LOAD} mov ebx, eax\n push 0\n call [ebx]\n pop ecx",
        f"{LOAD} mov edx, [eax]\n jmp edx",
        "    nop\n" + LOAD.replace("    mov", "    mov") + " call [eax]",
    ],
)
def test_where_a_table_is_loaded(text: str) -> None:
    assert found(text) == [("f", text.strip().count("nop"))]


@pytest.mark.parametrize(
    "text",
    [
        "call g",
        "call [{data + 4}]",
        "call [eax*4 + {data}]",
        "mov eax, {data}\n call [eax + 4]",
        "lea eax, [esi + 16]\n call [eax + 8]",
        "mov eax, [esi + 16]\n add eax, ecx\n call [eax]",
        "mov eax, [esi + 16] !.on\n.on:\n call [eax]",  # may fault
        "mov eax, fs:[16]\n call [eax]",
        "mov eax, [{data}]\n mov eax, esi\n call eax",
        "test ecx, ecx\n je .on\n mov eax, [esi]\n jmp .both\n.on:\n mov eax, [edi]\n.both:\n call [eax]",  # one of two
    ],
)
def test_what_is_no_load_of_a_table(text: str) -> None:
    assert found(text) == []
