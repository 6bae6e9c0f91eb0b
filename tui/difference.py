"""Two pieces of assembly beside each other, line by line.

A copy has labels of its own, `sys_read$201.4` where the original had `sys_read.2`.  Lines that differ in nothing
else stay the same line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Row:
    """A line before and the line after that stands beside it; None where there is none."""

    before: str | None
    after: str | None

    @property
    def same(self) -> bool:
        return self.before is not None and self.after is not None and _essence(self.before) == _essence(self.after)


@dataclass(frozen=True, slots=True)
class Gap:
    """So many unchanged lines, left out."""

    lines: int


def rows(before: str, after: str) -> list[Row]:
    """Every line of both texts once, in order; lines that stay are on one row."""
    left, right = before.splitlines(), after.splitlines()
    found: list[Row] = []
    matcher = SequenceMatcher(None, [*map(_essence, left)], [*map(_essence, right)], autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        height = max(i_end - i, j_end - j)
        found += map(Row, _padded(left[i:i_end], height), _padded(right[j:j_end], height))
    return found


def folded(whole: list[Row], context: int = 2) -> Iterator[Row | Gap]:
    """The rows that changed with some unchanged ones around them; a gap says how many were left out."""
    near: set[int] = set()
    for number, row in enumerate(whole):
        if not row.same:
            near.update(range(number - context, number + context + 1))
    hidden = 0
    for number, row in enumerate(whole):
        if number not in near:
            hidden += 1
            continue
        if hidden:
            yield Gap(hidden)
        hidden = 0
        yield row
    if hidden:
        yield Gap(hidden)


def unified(parts: list[Row | Gap]) -> Iterator[tuple[str, str]]:
    """One column: (mark, line), the mark " " for what stays, "-" and "+" for what goes and comes, "…" for a gap."""
    gone: list[str] = []
    come: list[str] = []
    for part in [*parts, Gap(0)]:
        if isinstance(part, Row) and not part.same:
            gone += [part.before] if part.before is not None else []
            come += [part.after] if part.after is not None else []
            continue
        yield from (("-", line) for line in gone)
        yield from (("+", line) for line in come)
        gone, come = [], []
        if isinstance(part, Row):
            yield " ", part.after or ""
        elif part.lines:
            yield "…", alike(part)


def alike(gap: Gap) -> str:
    return f"{gap.lines} unchanged line{'s' if gap.lines > 1 else ''}"


def _essence(line: str) -> str:
    """The line without what a copy changes in labels: the number of the system call, the numbers of blocks."""
    return re.sub(r"\$\d+", "", re.sub(r"\.\d+", ".0", line))


def _padded(lines: list[str], height: int) -> list[str | None]:
    return [*lines, *[None] * (height - len(lines))]
