"""Inlining with one mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any


def the_next_target_needs_no_test() -> None:
    from rewriter.passes.inline import Inliner

    honest = Inliner._guard

    def careless(self: Any, block: Any, *arguments: Any) -> Any:
        behind_another = block.label in self.result.failing
        cold = honest(self, block, *arguments)
        if behind_another:
            del block.insns[-2:]
        return cold

    Inliner._guard = careless  # type: ignore[method-assign]


def arguments_are_passed_to_the_inlined_body_alone() -> None:
    from rewriter.passes import general

    first = general._first

    def forgetful(work: Any, call: Any) -> None:
        before = list(call.insns)
        first(work, call)
        call.insns = before

    general._first = forgetful


def copies_cannot_fault() -> None:
    from rewriter.passes.inline import Inliner

    honest = Inliner._copy

    def careless(self: Any, *arguments: Any, **named: Any) -> Any:
        made = honest(self, *arguments, **named)
        for block in self.blocks:
            block.insns = [replace(insn, faults_to=None) for insn in block.insns]
        return made

    Inliner._copy = careless  # type: ignore[method-assign]


def copies_call_themselves() -> None:
    from rewriter.passes import inline

    honest = inline.Inliner._copy

    def copy(self: Any, body: Any, *arguments: Any) -> Any:
        made = honest(self, body, *arguments)
        mine = set(made.labels.values())
        for block in self.blocks:
            if block.label in mine and block.insns:
                insn = block.insns[-1]
                refs = tuple(replace(ref, target=made.labels.get(ref.target, ref.target)) for ref in insn.refs)
                block.insns[-1] = replace(insn, refs=refs)
        return made

    inline.Inliner._copy = copy  # type: ignore[method-assign]


def return_without_its_slot() -> None:
    from rewriter.passes import inline

    inline._UP = "lea esp, [esp + 8]"  # type: ignore[misc]
