"""A handler with its calls inlined and nothing folded: each place in it is one of the original program, too.

Arguments that a number implies are passed by a wrapper, which is inlined around the handler; where a test fails, it
is what runs:

    sys_lseek$202$call:     push 0
                            push 0
                            push dword ptr [esp + 12]
                            call sys_lseek
                            lea esp, [esp + 12]
                            ret

The handler finds its arguments where it wants them, and the caller's words stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rewriter.analysis.depths import Depths
from rewriter.analysis.summary import FRAME
from rewriter.analysis.value import WORD
from rewriter.contract import Contract
from rewriter.edit import written
from rewriter.ir import Block, Function
from rewriter.passes.arguments import NAME, guard, renumber
from rewriter.passes.expected import Tests
from rewriter.passes.inline import Inliner
from rewriter.passes.paths import Path
from rewriter.passes.tables import Guard, repeat
from rewriter.passes.work import Work
from rewriter.profile import Profile
from rewriter.reasons import Reason
from rewriter.x86.encode import assemble, call


def plain(
    depths: Depths,
    contract: Contract,
    profile: Profile,
    at_return: int,
    *,
    handler: str,
    name: str,
    paths: tuple[Path, ...],
    share: float,
    implied: Mapping[int, int],
    guarded: Mapping[int, int],
    number: int | None,
    tables: Sequence[Guard] = (),
    tests: Tests | None = None,
) -> Work | None:
    """The handler's copy behind tests of the `guarded` arguments, called with those that are `implied`; `number` is
    what it must find in eax, if it matters; `tables`: the pointers that it tests.  None if it cannot be called with
    other arguments."""
    if not implied:
        inlined = Inliner(depths, profile, tests=tests).run(handler, name, paths, share)
        work = Work.on(inlined, depths, contract, at_return)
        general = handler
    else:
        outer = _wrapper(depths, handler, f"{name}$call", implied)
        if outer is None:
            return None
        entries = profile.blocks.get(handler, 0)
        profile = replace(profile, blocks={**profile.blocks, **{block.label: entries for block in outer.blocks}})
        depths.add(outer)
        inliner = Inliner(depths, profile, tests=tests)
        inlined = inliner.run(outer.name, name, (Path(outer.name, handler, paths),), share)
        if any(refused for refused in inliner.outcome.remarks if refused.label == outer.name):
            return None
        work = Work.on(inlined, depths, contract, at_return)
        work.wrapper = outer
        general = outer.name
    work.at_home = True
    repeat(work, tables)
    if guarded:
        guard(work, general, dict(guarded))
    if number is not None:
        renumber(work, number)
    return work


def _wrapper(depths: Depths, handler: str, name: str, implied: Mapping[int, int]) -> Function | None:
    """A function that passes on its arguments, some of them known; None where that might be noticed."""
    summary = depths.of(handler)
    if summary.use_depth is None or summary.use_depth >= FRAME or summary.kill_depth != WORD:
        return None
    count = max(summary.use_depth // WORD - 1, *(n + 1 for n in implied))
    passed = [
        f"push {implied[n]:#x}" if n in implied else f"push dword ptr [esp + {WORD * count:#x}]"
        for n in reversed(range(count))
    ]
    there = written([*assemble(passed), call(handler)], NAME, Reason.PASSED_ON)
    back = written(assemble([f"lea esp, [esp + {WORD * count:#x}]", "ret"]), NAME, Reason.PASSED_ON)
    behind = Block(f"{name}.1", back)
    return Function(name, [Block(name, there, behind.label), behind])
