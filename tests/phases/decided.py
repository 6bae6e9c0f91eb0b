"""Runs that give away what their phases hand to each other, and the trees that regions are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rewriter.ir import Insn
from rewriter.options import Options, System
from rewriter.passes import entry
from rewriter.phases import specialize
from rewriter.phases.inline import Inlined
from rewriter.phases.load import Loaded
from rewriter.phases.specialize import Call
from rewriter.phases.values import Values
from rewriter.pipeline import run
from rewriter.region import region
from rewriter.region.tree import Node
from rewriter.report import PhaseResult


@dataclass
class Decided:
    loaded: Any = None
    observed: Any = None
    inlined: Any = None
    calls: tuple[Call, ...] = ()
    results: dict[str, PhaseResult] = field(default_factory=dict)  # of all phases, by name
    trees: dict[tuple[str, str], Node] = field(default_factory=dict)  # the last one made, by pass and function

    @property
    def result(self) -> PhaseResult:
        """Of specialize."""
        return self.results["specialize"]

    def rows(self) -> list[dict[str, Any]]:
        found: Any = self.result.summary["remarks"]
        return list(found)


def decided(options: Options, system: System) -> Decided:
    """A run, watched."""
    found = Decided()
    one, add = specialize.run, region.add_region

    def watched(
        options: Options, system: System, loaded: Loaded, observed: Values, inlined: Inlined
    ) -> tuple[specialize.SpecializedCalls, PhaseResult]:
        made, result = one(options, system, loaded, observed, inlined)
        found.loaded, found.observed, found.inlined = loaded, observed, inlined
        found.calls = made.calls
        return made, result

    def added(pass_name: str) -> Any:
        def made(work: Any, *limits: Any) -> Any:
            tree = add(work, *limits)
            found.trees[pass_name, work.name] = tree.root
            return tree

        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specialize, "run", watched)
        patch.setattr(region, "add_region", added("region"))
        patch.setattr(entry, "add_region", added("entry"))
        found.results = {result.name: result for result in run(options, system)}
    return found


def last_insns(found: Decided) -> Iterator[tuple[str, Insn]]:
    """The last instruction of every block of the original kernel, with the block's label."""
    for function in found.loaded.kernel.functions:
        for block in function.blocks:
            if block.insns:
                yield block.label, block.insns[-1]
