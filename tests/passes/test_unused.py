"""Code that nothing reaches is dropped (§2, Fig 5), and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewriter.contract import Contract
from rewriter.ir import Program, Ref, RefKind, Section, Symbol
from rewriter.passes.layout import pack
from rewriter.passes.unused import unused
from rewriter.verify import verify

from .assembly import program

KERNEL = """
    main:
        call used
        jmp .end
    .never:
        nop
    .end:
        ret
    used:
        mov eax, [ebx] !fixup
        ret
    fixup:
        mov eax, {pointed}
        ret
    pointed:
        ret
    stored:
        ret
    alone:
        call inner
        ret
    inner:
        call alone
        ret
    named:
        ret
"""


def kernel() -> Program:
    found = program(KERNEL, ["stored"])
    found.symbols = [Symbol(f.name, f.name, kind="func") for f in found.functions]
    return found


def names(found: Program) -> list[str]:
    return [function.name for function in found.functions]


def test_what_is_called_stored_or_a_fixup_stays() -> None:
    found = kernel()
    dropped = unused(found, Contract())
    assert names(found) == ["main", "used", "fixup", "pointed", "stored"]
    assert set(dropped.functions) == {"alone", "inner", "named"}
    assert [symbol.name for symbol in found.symbols] == names(found)
    assert [block.label for block in found.functions[0].blocks] == ["main", "main.after1", "main.end"]
    assert (dropped.blocks, dropped.instructions, dropped.bytes) == (6, 6, 14)
    assert verify(found) == []


def test_what_the_contract_names_stays() -> None:
    found = kernel()
    unused(found, Contract(facts=("named keeps the C convention",)))
    assert "named" in names(found)


def test_what_is_pinned_stays_with_all_it_names() -> None:
    found = kernel()
    found.functions = [replace(f, pins=("a reason",)) if f.name == "alone" else f for f in found.functions]
    unused(found, Contract())
    assert {"alone", "inner"} <= set(names(found))


def test_a_place_behind_a_label_keeps_the_function() -> None:
    found = kernel()
    found.data[0].refs[0] = Ref(0, RefKind.ABS32, "alone", 1)
    unused(found, Contract())
    assert {"alone", "inner"} <= set(names(found))


def test_a_distance_from_the_start_of_the_text_may_mean_anything() -> None:
    found = kernel()
    found.sections = (Section(".text", 0, 64, 1, True, False, False),)
    found.data[0].refs[0] = Ref(0, RefKind.ABS32, ".text", 8)
    before = names(found)
    assert unused(found, Contract()).refused == ".text+0x8 is not a label of code"
    assert names(found) == before


@pytest.mark.parametrize("hot", [(), ("used",)])
def test_only_hot_functions_keep_their_alignment(hot: tuple[str, ...]) -> None:
    found = kernel()
    pack(found.functions, hot)
    assert [f.name for f in found.functions if f.align is None] == list(hot)


def test_what_the_first_block_names_stays_where_only_another_is_reached() -> None:
    """The first block is the function's name, and stays."""
    found = program(
        """
        main:
            jmp inner.here
        inner:
            call other
            test eax, eax
            je .gone
        .here:
            ret
        .gone:
            ret
        other:
            ret
        """
    )
    unused(found, Contract())
    assert names(found) == ["main", "inner", "other"]
    assert verify(found) == []
