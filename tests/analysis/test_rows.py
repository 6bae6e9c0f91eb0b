"""Unwinding rows that are made from the analysis: the same as the compiler's, and right behind the passes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index, Way
from rewriter.analysis.promised import Promised
from rewriter.analysis.rows import Unwindable, check
from rewriter.analysis.thrown import throws
from rewriter.analysis.values import Values
from rewriter.elf import emit, load
from rewriter.ir import Frame, Program
from rewriter.passes.everywhere import PROMISES, everywhere
from rewriter.passes.steps import Steps
from rewriter.verify import verify
from tests.random_c import native

# What is thrown here nobody catches: but the tables are those of a program that does.
SOURCE = """
extern "C" {
void may_throw(int n);
void __gxx_personality_v0() {}
__attribute__((noreturn)) void _Unwind_Resume(void *) { for (;;); }
void *__cxa_begin_catch(void *thrown) noexcept { return thrown; }
void __cxa_end_catch() {}
static int leave(int n) {
    asm volatile("int $0x80" : : "a"(1), "b"(n));
    for (;;);
}
}
struct Object {
    int kept;
    __attribute__((noipa)) ~Object() { asm volatile("" : : "r"(kept)); }
};
__attribute__((noipa)) int sums(int a, int b, int c) {
    Object first{a}, second{b};
    int sum = 0;
    for (int i = 0; i < a; i++) {
        may_throw(i * b);
        sum += i * c + first.kept;
    }
    return sum;
}
__attribute__((noipa)) int catches(int a, int b) {
    int done = a;
    try {
        done += sums(a, b, 3);
        may_throw(done);
    } catch (...) {
        return done - 1;
    }
    return done * 2;
}
extern "C" void _start() { leave((catches(5, 7) + catches(2, 1)) & 127); }
"""
ELSEWHERE = """extern "C" void may_throw(int n) { asm volatile("" : : "r"(n)); }"""
needs_gcc = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))
FLAGS = ("-fexceptions", "-fasynchronous-unwind-tables")


def image(level: str) -> bytes:
    return native.build({"program.cc": SOURCE, "elsewhere.cc": ELSEWHERE}, (level, *FLAGS))


def analysis(program: Program) -> Depths:
    index = Index(program)
    assert program.unwinding is not None
    return Depths(index, PROMISES, promised=Promised(index, program.unwinding))


def agreed(program: Program) -> dict[str, str]:
    """Why rows and analysis do not agree, by function."""
    depths, found = analysis(program), {}
    assert program.unwinding is not None
    for function in program.functions:
        try:
            check(Values(depths.index, depths.transfer(), function.name), program.unwinding)
        except Unwindable as why:
            found[function.name] = str(why)
    return found


@needs_gcc
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-Os"])
def test_code_can_be_unwound_behind_the_passes(level: str) -> None:
    original = image(level)
    program, steps = load(original), Steps()
    everywhere(program, steps=steps)
    assert verify(program) == []
    changed = {step.function for step in steps.done}
    assert any("sums" in name for name in changed)
    assert level == "-O0" or any("catches" in name for name in changed)
    rewritten = emit(program)
    assert native.run(rewritten) == native.run(original)
    again = load(rewritten)
    assert throws(again) == {}
    before = load(original)
    throws(before)
    assert agreed(again).keys() <= agreed(before).keys()  # these stayed as they were
    assert pads(again) >= 3


def pads(program: Program) -> int:
    """Calls from which something is caught."""
    index = Index(program)
    return sum(e.way is Way.THROW for f in program.functions for b in f.blocks for e in index.edges(b))


@needs_gcc
def test_rows_that_are_wrong_are_seen() -> None:
    program = load(image("-O2"))
    assert program.unwinding is not None
    frames = program.unwinding.all
    wrong = [Frame(f.start, f.end, f.lead, f.kind, after.rows, f.handlers) for f, after in pairwise(frames)]
    program.unwinding.all = (*wrong, frames[-1])
    throws(program)
    assert any("do not agree" in why for why in agreed(program).values())
    before = {f.name: list(f.insns()) for f in program.functions}
    outcome = everywhere(program, ("constants", "deadcode", "flatten", "region"))
    left = {r.function for r in outcome.remarks if "do not agree" in (r.detail or "")}
    assert left
    assert all(list(program.function(name).insns()) == before[name] for name in left)


@needs_gcc
def test_a_pad_knows_what_the_call_knew_but_the_exception_is_new() -> None:
    program = load(image("-O2"))
    throws(program)
    depths, seen = analysis(program), 0
    for function in program.functions:
        values = Values(depths.index, depths.transfer(), function.name)
        for block in values.blocks:
            for edge, state in values.ways(block.label):
                if edge.way is Way.THROW:
                    before, seen = values.before_last(block.label), seen + 1
                    assert state.esp is not None
                    assert before.esp is not None
                    assert state.esp >= before.esp
                    assert state.places["ebx"] == values.behind(block.label).places["ebx"]
                    known = {*before.places.values(), *values.behind(block.label).places.values()}
                    assert not known & {state.places[register] for register in ("eax", "ecx", "edx")}
    assert seen
