"""load(emit(P)) = P up to addresses, on everything that we build."""

from __future__ import annotations

import pytest

import toykernel.image
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Program
from tests.elf.structure import structure

CONTRACT = Contract.parse(toykernel.image.contract())
IMAGES = {"kernel": toykernel.image.kernel(), **toykernel.image.programs()}


def loaded(name: str) -> Program:
    return load(IMAGES[name], contract_of(name))


def contract_of(name: str) -> Contract | None:
    return CONTRACT if name == "kernel" else None


@pytest.mark.parametrize("move", [False, True], ids=["identity", "moved"])
@pytest.mark.parametrize("name", IMAGES)
def test_what_is_written_reads_as_what_was_loaded(name: str, move: bool) -> None:
    program = loaded(name)
    again = load(emit(program, move=move), contract_of(name))
    expected, found = structure(program), structure(again)
    assert found.keys() == expected.keys()
    for part, value in expected.items():
        assert found[part] == value, part


@pytest.mark.parametrize("name", IMAGES)
def test_identity_keeps_every_function_at_its_address(name: str) -> None:
    program = loaded(name)
    again = load(emit(program), contract_of(name))
    for before, after in zip(program.functions, again.functions, strict=True):
        assert before.blocks[0].insns[0].origin == after.blocks[0].insns[0].origin, before.name


@pytest.mark.parametrize("name", IMAGES)
def test_moved_leaves_nothing_but_int3_and_what_is_pinned(name: str) -> None:
    program = loaded(name)
    text = max((s for s in program.sections if s.executable), key=lambda s: s.size)
    again = load(emit(program, move=True), contract_of(name))
    for function in again.functions:
        origin = function.blocks[0].insns[0].origin
        assert origin is not None
        assert bool(function.pins) or origin >= text.address + text.size, function.name


def test_emit_is_deterministic() -> None:
    assert emit(loaded("kernel")) == emit(loaded("kernel"))
