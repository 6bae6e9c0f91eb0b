"""Numbers and counts as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rewriter.report import PHASES, Cell, PhaseResult, Table

FRACTIONS = ("share", "covered", "change")  # columns whose floats are fractions of one
BAR = 10  # cells of a full bar
_NUMBER = re.compile(r"[-+]?[\d,.]*%?|–")
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def cell(column: str, value: Cell) -> str:
    """What stands in a table under that column."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if column == "change":
        return f"{value:+.1%}"
    return f"{value:.1%}" if column in FRACTIONS else f"{value:,.1f}"


def bar(share: float) -> str:
    """A fraction of one as a bar; what is above nothing is seen."""
    eighths = max(round(min(max(share, 0.0), 1.0) * BAR * 8), 1 if share > 0 else 0)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(BAR)


def is_numeric(table: Table, column: int) -> bool:
    """Whether all cells of the column are numbers, or nothing."""
    cells = [row[column] for row in table.rows if row[column] != ""]
    return bool(cells) and all(not isinstance(value, str) or _NUMBER.fullmatch(value) for value in cells)


def account(result: PhaseResult) -> str:
    """How much the phase handled and refused; "" where it counts nothing."""
    refused = sum(result.refused.values())
    if not result.handled and not refused:
        return ""
    return f"{result.handled:,} handled, {refused:,} refused"


def reasons(refused: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons with their counts, the most frequent first."""
    return sorted(refused.items(), key=lambda item: (-item[1], item[0]))


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def number(phase: str) -> int:
    """1 … 9."""
    return PHASES.index(phase) + 1
