"""How far a region goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a region goes."""

    budget: int = 1200  # instructions lifted
    least: float = 1 / 10  # of the entries: a path that is followed less often is left
    rounds: int = 2  # times that a path may come by the same block
    calls: bool = True  # whether a path goes on behind a call
    often: float = 2.0  # times that a loop goes round: one that does less often is unrolled first
    joins: bool = False  # whether paths that meet go on as one, in the order of the code
    long: float = 12.0  # instructions behind a block where they do
