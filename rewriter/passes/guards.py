"""Which arguments are worth a test at the entry: `if (x == v) C[x=v] else C` (§4.2, Muth et al. 2000).

A test costs two instructions on every call.  It pays where the body that knows the value is expected to execute fewer
by more than that, which is found out by folding a copy of the body and counting.
"""

from __future__ import annotations

from collections.abc import Mapping

from rewriter.passes.arguments import guard
from rewriter.passes.constants import constants
from rewriter.passes.deadcode import deadcode, unreachable
from rewriter.passes.work import Work
from rewriter.reasons import Reason, Why


def paying(work: Work, handler: str, candidates: Mapping[int, int]) -> tuple[dict[int, int], dict[int, Why]]:
    """Those of the candidates (argument → value) whose test pays, each beside those before it; and the others."""
    if not candidates:
        return {}, {}
    kept: dict[int, int] = {}
    refused: dict[int, Why] = {}
    least = _cost(work, handler, kept)
    for argument, value in candidates.items():
        cost = _cost(work, handler, {**kept, argument: value})
        if cost < least:
            kept[argument], least = value, cost
        else:
            with_it, without = (each / max(work.heat.block(work.name), 1e-9) for each in (cost, least))
            refused[argument] = Why(Reason.GUARD_COSTS, f"{with_it:.1f} instructions, without it {without:.1f}")
    return kept, refused


def _cost(work: Work, handler: str, known: Mapping[int, int]) -> float:
    trial = work.copy()
    if known:
        guard(trial, handler, dict(known))
    constants(trial)
    deadcode(trial)
    unreachable(trial)
    return trial.expected()
