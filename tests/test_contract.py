"""A contract that is not of the known form, or promises what the image does not hold, gets one clear line."""

from __future__ import annotations

import pytest

import toykernel.image
from rewriter.contract import Contract, ContractError, EqualStubs
from rewriter.elf import ElfError, load


def test_reads_the_kernels() -> None:
    contract = Contract.parse(toykernel.image.contract())
    assert contract.equal_stubs == (EqualStubs("irq_stubs", 8, 16),)
    assert contract.system_calls is not None
    assert contract.system_calls.table == "sys_call_table"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stay =", "not TOML"),
        ('schema = "other"', "schema 'other'"),
        ("stack = 1", "no key 'stack'"),
        ("stack_size = -1", "stack_size is not a number"),
        ("stack_size = true", "stack_size is not a number"),
        ("copied = [1]", "copied is not a list of strings"),
        ('copied = "f"', "copied is not a list of strings"),
        ("exception_table = 5", "[exception_table] is not a table"),
        ("[exception_table]", "'start' and 'end'"),
        ('facts = ["f never returns"]', "facts: 'f never returns' is unknown; there are: F returns with"),
        ('facts = ["f keeps the C convention, with many arguments"]', "is unknown; there are: F returns with"),
        ("equal_stubs = 5", "equal_stubs is not an array of tables"),
        ("equal_stubs = [5]", "[equal_stubs] is not a table"),
        ("[[equal_stubs]]", "'symbol', 'size', and 'count'"),
        ('equal_stubs = [{symbol = "f", size = 8, count = 0}]', "f has no size or no count"),
        ('equal_stubs = [{symbol = "f", size = -8, count = 2}]', "equal_stubs.size is not a number"),
        ('equal_stubs = [{symbol = "f", size = 8, count = 2, end = "g"}]', "no key 'end'"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(ContractError) as error:
        Contract.parse(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "fact", ["reset returns with the caller's frame intact", "reset() keeps the C convention, with 1 argument"]
)
def test_a_fact_about_nobody_is_refused(fact: str) -> None:
    with pytest.raises(ElfError, match="has no function reset, of which the contract states a fact"):
        load(toykernel.image.kernel(), Contract(facts=(fact,)))


@pytest.mark.parametrize(
    ("stubs", "message"),
    [
        (EqualStubs("nowhere", 8, 16), "has no symbol nowhere"),
        (EqualStubs("irq_stubs", 8, 10**9), "do not fit the section"),
        (EqualStubs("irq_stubs", 10**9, 16), "do not fit the section"),
        (EqualStubs("irq_stubs", 1, 16), "does not end with a jump"),
        (EqualStubs("irq_stubs", 2, 16), "does not end with a jump"),
        (EqualStubs("irq_stubs", 9, 16), "does not end with a jump"),
        (EqualStubs("sys_call_table", 4, 16), "is not code"),
    ],
)
def test_stubs_that_are_not_there_are_refused(stubs: EqualStubs, message: str) -> None:
    with pytest.raises(ElfError) as error:
        load(toykernel.image.kernel(), Contract(equal_stubs=(stubs,)))
    assert message in str(error.value)
