"""Whole programs through the passes, without a contract: what they do stays the same, with each number of steps."""

from __future__ import annotations

import pytest

from rewriter.elf import emit, load
from rewriter.passes.everywhere import NAMES, everywhere
from rewriter.passes.steps import Steps
from rewriter.verify import verify
from tests.bisect.broken import BITES, called, linked
from tests.random_c import native
from tests.random_c.rewrite import compiled

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
