"""Loads of read-only data are known, those of anything else are not."""

from __future__ import annotations

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.readonly import ReadOnly
from rewriter.analysis.value import Value, constant
from rewriter.analysis.values import Values
from rewriter.contract import Contract, SystemCalls
from rewriter.ir import Program, Symbol
from rewriter.passes.constants import constants
from rewriter.passes.inline import Inlined
from rewriter.passes.work import Work
from rewriter.show import listing
from tests.passes.assembly import program

WORDS = [7, "g", 0xFFFFFFFF, "f.next", "data"]


def built(text: str, name: str = "fixed") -> Program:
    body = text.replace("table", name)
    return program(f"f:\n{body}\n    ret\n.next:\n    ret\ng:\n    ret\n", WORDS, fixed=WORDS)


def loaded(text: str, name: str = "fixed", contract: Contract | None = None, symbols: tuple[Symbol, ...] = ()) -> Value:
    """What eax holds before the `ret`."""
    found = built(text, name)
    found.symbols += symbols
    index = Index(found)
    values = Values(index, Depths(index, contract or Contract()).transfer(), "f")
    return values.behind("f").places["eax"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mov eax, [{table}]", constant(7)),
        ("mov eax, [{table + 4}]", Value("g")),
        ("mov ecx, {table - 4}\n mov eax, [ecx + 8]", Value("g")),
        ("mov ecx, {table}\n mov edx, 4\n mov eax, [ecx + edx*2]", constant(0xFFFFFFFF)),
        ("movzx eax, byte ptr [{table + 9}]", constant(0xFF)),
        ("movsx eax, word ptr [{table + 8}]", constant(0xFFFFFFFF)),
        ("mov eax, [{table + 16}]", Value("data")),
        ("mov eax, [{table + 12}]", None),  # a block: a jump table's word, which passes change
        ("mov eax, [{table + 2}]", None),  # parts of two words
        ("movzx eax, byte ptr [{table + 4}]", None),  # part of an address
        ("mov eax, [{table + 18}]", None),  # beyond the end
        ("mov eax, [{table - 4}]", None),
        ("mov eax, fs:[{table}]", None),
        ("mov eax, [{table}] !.next", None),  # may fault
    ],
)
def test_what_a_load_of_read_only_data_gives(text: str, expected: Value | None) -> None:
    found = loaded(text)
    assert found == expected if expected is not None else found.constant is None and found.label is None
    assert loaded(text, "data").constant is None


def test_what_the_image_writes_itself_is_not_believed() -> None:
    assert loaded("mov eax, 1\n mov [{table + 8}], eax\n mov eax, [{table}]").constant is None


def test_nor_what_is_different_in_the_image_that_is_written() -> None:
    contract = Contract(SystemCalls("calls", "none", "gate", 2))
    at = (Symbol("calls", "fixed", 4),)
    assert loaded("mov eax, [{table + 4}]", contract=contract, symbols=at).label is None
    assert loaded("mov eax, [{table + 8}]", contract=contract, symbols=at).constant is None
    assert loaded("mov eax, [{table + 16}]", contract=contract, symbols=at).label == "data"
    assert loaded("mov eax, [{table}]", contract=contract, symbols=at) == constant(7)


def test_an_address_of_a_word_is_not_zero_but_one_behind_the_last_may_be() -> None:
    text = "mov ecx, {table OFFSET}\n xor eax, eax\n test ecx, ecx\n setne al"
    assert loaded(text.replace("OFFSET", "+ 4")) == constant(1)
    assert loaded(text.replace("OFFSET", "+ 17")).constant is None


def test_what_counts_from_nowhere_is_a_number() -> None:
    assert loaded("mov eax, {$absolute}") == constant(0)
    assert loaded("mov ecx, {$absolute + 3}\n lea eax, [ecx + 1]") == constant(4)


def test_calls_through_a_known_table_are_direct() -> None:
    found = built("push 0\n mov ecx, {fixed}\n add eax, [ecx]\n push [ecx + 8]\n call [ecx + 4]\n pop ecx\n pop ecx")
    index = Index(found)
    depths = Depths(index, Contract())
    work = Work.on(Inlined(index.functions["f"]), depths, Contract(), 0)
    constants(work)
    shown = listing(work.function)
    assert "call g" in shown
    assert "push -1" in shown
    assert "add eax, 7" in shown


def test_holds_knows_words_alone() -> None:
    readonly = ReadOnly(Index(built("nop")), Contract())
    assert readonly.holds(Value("fixed", 16))
    assert not readonly.holds(Value("fixed", 17))
    assert not readonly.holds(Value("data"))
    assert not readonly.holds(Value("g"))
