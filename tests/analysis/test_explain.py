"""All that the stack analyses know of a function: of small ones, and of every one of the kernel."""

from __future__ import annotations

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.explain import Explainer, Explanation
from rewriter.analysis.graph import Index
from rewriter.analysis.state import EVERYTHING
from rewriter.analysis.summary import FRAME, UNBOUNDED, Summary
from rewriter.contract import Contract
from rewriter.elf import load
from rewriter.ir import Program, Symbol
from tests.passes.assembly import program
from toykernel import image

CONTRACT = Contract.parse(image.contract())


def of(text: str, symbols: tuple[Symbol, ...] = ()) -> Explanation:
    found = program(text)
    found.symbols += symbols
    return Explainer(Depths(Index(found), Contract())).explain("f")


def test_the_local_phase_and_what_callees_add() -> None:
    found = of("""
    f:
        push ebx
        mov ebx, [esp + 8]
        push 1
        call g
        add esp, 4
        pop ebx
        ret
    g:
        mov eax, [esp + 24]
        ret
    """)
    assert (found.own.use_depth, found.own.kill_depth) == (8, 4)
    assert (found.summary.use_depth, found.summary.kill_depth) == (16, 4)  # g's sixth word is f's third argument
    assert (found.size, found.esp) == (12, {"f": 0, "f.after1": -8})
    assert (found.chain, found.reason) == ((), "")


def test_the_chain_leads_to_the_function_that_is_the_reason() -> None:
    found = of("""
    f:
        call g
        ret
    g:
        call innocent
        call switch
        ret
    innocent:
        ret
    switch:
        mov esp, [{data}]
        ret
    """)
    assert found.chain == ("f", "g", "switch")
    assert found.reason == "switch: esp at a return is not known to be the entry esp"
    assert found.summary.kill_depth is None
    assert found.own.kill_depth == 4


def test_what_escapes_and_where() -> None:
    found = of("f:\n sub esp, 8\n test eax, eax\n je .end\n mov [ecx], esp\n.end:\n add esp, 8\n ret\n")
    assert found.escapes == {(-8, 0): "f.after1"}


def test_an_address_above_the_arguments_escapes_anywhere() -> None:
    found = of("f:\n lea eax, [esp + ecx]\n mov [edx], eax\n ret\n")
    assert list(found.escapes) == [EVERYTHING]
    assert found.own.kill_depth is None
    assert found.chain == ("f",)


MEMORY = """
f:
    mov eax, [{data + 4}]
    mov [{data + 8}], eax
    mov eax, [ecx]
    mov ecx, [{data + 20} + edx*4]
    mov byte ptr [0xb8000], 1
    mov edx, [eax] !.end
    out 0x70, al
    push eax
    call g
    pop eax
.end:
    ret
g:
    inc dword ptr [{data + 12}]
    mov [eax], ecx
    ret
"""


def test_other_memory_by_name() -> None:
    named = [("jiffies", 4, 4), ("last", 8, 4), ("nr_tasks", 12, 4), ("table", 16, 64)]
    found = of(MEMORY, tuple(Symbol(name, "data", at, size, "object") for name, at, size in named))
    assert found.memory.reads == {"jiffies", "a pointer", "table", "user memory"}
    assert found.memory.writes == {"last", "address 0xb8000"}
    assert found.memory_below.reads - found.memory.reads == {"nr_tasks"}
    assert found.memory_below.writes - found.memory.writes == {"nr_tasks", "a pointer"}
    assert found.memory.besides == {"port"}


# The kernel


@pytest.fixture(scope="module")
def kernel() -> Program:
    return load(image.kernel(), CONTRACT)


@pytest.fixture(scope="module")
def explainer(kernel: Program) -> Explainer:
    return Explainer(Depths(Index(kernel), CONTRACT))


def test_every_function_is_explained(kernel: Program, explainer: Explainer) -> None:
    for function in kernel.functions:
        found = explainer.explain(function.name)
        assert next(iter(found.esp.values())) == 0
        lost = found.summary.unbounded or found.summary.pops is None
        assert bool(found.chain) == lost
        assert bool(found.reason) or not lost
        assert found.memory.writes <= found.memory_below.writes
        for mine, all_ in (
            (found.own.use_depth, found.summary.use_depth),
            (found.own.kill_depth, found.summary.kill_depth),
        ):
            assert (mine or UNBOUNDED) <= (all_ or UNBOUNDED), function.name


# Counted by hand in uaccess.S, getuser.S and bitmap.S; a handler finds its arguments above its return address.
BY_HAND = {
    "__copy_to_user": (8, 16, 4),
    "__copy_from_user": (12, 16, 4),
    "__get_user_1": (0, 4, 4),
    "find_first_zero_bit": (4, 12, 4),
    "sys_lseek": (None, 16, 4),
    "sys_close": (None, 8, 4),
    "sys_getpid": (None, 4, 4),
    "sys_mmap2": (None, 28, 4),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_what_was_counted_by_hand(explainer: Explainer, name: str) -> None:
    size, use, kill = BY_HAND[name]
    found = explainer.explain(name)
    assert (found.summary.use_depth, found.summary.kill_depth) == (use, kill)
    assert size in (None, found.size)
    assert found.chain == ()


def test_a_copy_touches_the_program(explainer: Explainer) -> None:
    found = explainer.explain("__copy_to_user")
    assert found.memory.reads == found.memory.writes == {"user memory"}


def test_without_facts_the_scheduler_is_the_reason(kernel: Program) -> None:
    """The paper's failure (§5)."""
    found = Explainer(Depths(Index(kernel), CONTRACT, facts=False)).explain("sys_mmap2")
    assert found.chain[0] == "sys_mmap2"
    assert found.chain[-2:] == ("schedule", "switch_to")
    assert found.summary.kill_depth is None
    assert depth(found.own) == (28, 4)


def depth(summary: Summary) -> tuple[int | None, int | None]:
    assert FRAME not in (summary.use_depth, summary.kill_depth)
    return summary.use_depth, summary.kill_depth
