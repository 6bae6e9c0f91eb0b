"""Whole programs through the passes, without a contract: what they do stays the same, with each number of steps."""

from __future__ import annotations

import pytest

from rewriter.elf import emit, load
from rewriter.passes.everywhere import NAMES, everywhere
from rewriter.passes.steps import Steps
from rewriter.verify import verify
from tests.bisect.broken import BITES, called, linked
from tests.passes.assembly import program
from tests.passes.lockstep import link
from tests.random_c import native
from tests.random_c.rewrite import compiled

FULL = """
main:
    push ebx
    lea esp, [esp - 8]
    cmp dword ptr [{data}], {data + 4}
    mov ebx, [{data + 12}]
    mov dword ptr [{data + 4}], 77
    sete al
    push {data + 4}
    movzx eax, al
    push eax
    push -2
    call taken
    mov [ebx], eax
    mov eax, [{data + 8}]
    add esp, 20
    pop ebx
    ret
taken:
    mov eax, [esp + 4]
    mov ecx, [esp + 8]
    mov edx, [esp + 12]
    mov [{data + 16}], ecx
    mov [{data + 20}], edx
    ret
"""

needs_gcc = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))


@pytest.mark.parametrize("name", BITES)
def test_each_prefix_of_the_steps_does_the_same(name: str) -> None:
    text, steps = BITES[name].text, Steps()
    expected = called(linked(text, None))
    everything = called(linked(text, steps))
    assert everything.registers["eax"] == expected.registers["eax"]
    for most in range(len(steps.done)):
        for parts in range(steps.done[most].parts):
            image = linked(text, Steps(most + 1, parts + 1))
            found = called(image)
            assert (found.trouble, found.registers["eax"]) == ("", expected.registers["eax"])


def test_no_word_is_spilled_over_one_that_is_about_to_be_read() -> None:
    """Behind the call all registers are the caller's, or results: one must be spilled for the word in memory."""
    images = [program(FULL, (5, 6, 0, "data", 0, 0)) for _ in range(2)]
    everywhere(images[1], [name for name in NAMES if name != "inline"])
    before, after = (called(link(image)) for image in images)
    assert (after.registers, after.data) == (before.registers, before.data)


@needs_gcc
@pytest.mark.parametrize("seed", range(3))
def test_random_programs_do_the_same(seed: int) -> None:
    for _, image in compiled(seed):
        program, steps = load(image), Steps()
        everywhere(program, steps=steps)
        assert verify(program) == []
        assert len({step.pass_name for step in steps.done}) > 5
        assert native.run(emit(program)) == native.run(image)


@needs_gcc
@pytest.mark.parametrize("name", NAMES)
def test_each_pass_alone(name: str) -> None:
    seed = 40 + NAMES.index(name)
    for _, image in compiled(seed):
        program = load(image)
        everywhere(program, (name,))
        assert native.run(emit(program)) == native.run(image)
