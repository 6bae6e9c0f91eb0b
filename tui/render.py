"""A phase's result as rich shows it, the same in the terminal and in the walkthrough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from rewriter.report import Listing, PhaseResult, Table, Tree
from tui import difference, words
from tui import tree as call_tree
from tui.difference import Gap, Row

WIDE = 100  # columns from which before and after stand side by side
BRIEF_ROWS = 8  # of a table, where details are not asked for
FEW_ROWS = 4  # where a listing follows
BRIEF_LINES = 24  # of a listing, or a tree
BRIEF_TREES = 2
LONGEST_WORD = 40  # columns that a word in a table may ask for; a longer one is folded
GAP = 2  # columns between columns
HOT = "yellow"  # the terminal's own; the walkthrough makes it orange
STYLES = {"-": "red", "+": "green", "…": "dim", " ": ""}


@dataclass(frozen=True, slots=True)
class Look:
    """How much is shown, and on how many columns; `plain` has neither lines nor bars.  `everything`: also what the
    phases hold to be too much."""

    width: int
    plain: bool = False
    detail: bool = True
    everything: bool = False
    more: str = ""  # how to see what is left out


def phase(result: PhaseResult, look: Look, listings: bool = True) -> RenderableType:
    """The whole result: heading, sentence, account, tables and listings."""
    parts: list[RenderableType] = [heading(result, look), Text(result.sentence), *_account(result, look)]
    tables = [each for each in result.tables if each.rows and (look.everything or not each.detail)]
    code = [each for each in result.listings if listings and (look.everything or not each.detail)]
    if look.detail:
        parts += [tree(each, look, legend=each is result.trees[0]) for each in result.trees]
        parts += [table(each, look) for each in tables] + [listing(each, look) for each in code]
        return _spaced(parts)
    parts += [tree(each, look, legend=each is result.trees[0]) for each in result.trees[:BRIEF_TREES]]
    shown = [] if result.trees else tables[:1]
    parts += [table(each, look, FEW_ROWS if code else BRIEF_ROWS) for each in shown]
    parts += [listing(each, look) for each in code[:1]]
    hidden = _counted(len(result.trees[BRIEF_TREES:]), "tree") + _counted(len(tables) - len(shown), "table")
    hidden += _counted(len(code[1:]), "listing")
    if hidden and look.more:
        parts += [Group(Text(f"… {words.listed(hidden)} more{look.more}", "dim"))]
    return _spaced(parts)


def listings(result: PhaseResult, look: Look) -> Iterator[RenderableType]:
    """All listings, each made when it is asked for: to compare two long ones takes a while."""
    for each in result.listings:
        if look.everything or not each.detail:
            yield Group(Text(""), listing(each, look))


def _counted(count: int, noun: str) -> list[str]:
    return [f"{count} {noun}{'' if count == 1 else 's'}"] if count else []


def heading(result: PhaseResult, look: Look) -> Text:
    """`3 count  §3.2`, as a line of its own."""
    mark = f"{words.number(result.name)} {result.name}"
    return Text.assemble((mark, f"bold {HOT}"), ("  " + result.section, "dim"))


def _account(result: PhaseResult, look: Look) -> Iterator[Text]:
    line = words.account(result)
    if line:
        told = "; ".join(f"{reason} ({count:,})" for reason, count in words.reasons(result.refused))
        yield Text(f"{line}: {told}" if told and look.detail else line, style="dim")


def table(source: Table, look: Look, brief: int = BRIEF_ROWS) -> RenderableType:
    """A table with its title; one that is too wide goes on below, its first column repeated."""
    rows = source.rows if look.detail else source.rows[:brief]
    left = len(source.rows) - len(rows)
    last = [Text(f"… {left:,} more{look.more}", "dim")] if left else []
    shown = Table(source.title, source.columns, rows)
    grids = [_grid(shown, columns, look) for columns in _fitting(shown, look)]
    return Group(Text(source.title, "bold"), *grids, *last)


def _grid(source: Table, columns: Sequence[int], look: Look) -> Grid:
    """Some columns of a table: numbers to the right and in one piece, shares with a bar."""
    grid = Grid(
        box=None if look.plain else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        header_style="dim",
        border_style="dim",
        padding=(0, GAP if look.plain else GAP - 1, 0, 0),  # lines take a column, too
    )
    for column in columns:
        name, number = source.columns[column], words.is_numeric(source, column)
        grid.add_column(
            Text(name),
            justify="right" if number and (look.plain or name != "share") else "left",
            overflow="fold",
            min_width=_needed(source, column, look),
            no_wrap=look.plain,
        )
    for row in source.rows:
        grid.add_row(*(_cell(source.columns[column], row[column], look) for column in columns))
    return grid


def _fitting(source: Table, look: Look) -> Iterator[list[int]]:
    """The columns in as many groups as the width asks for, each after the first column."""
    widths = [_needed(source, column, look) + GAP for column in range(len(source.columns))]
    group = [0]
    for column in range(1, len(widths)):
        if len(group) > 1 and sum(widths[i] for i in group) + widths[column] > look.width:
            yield group
            group = [0]
        group.append(column)
    yield group


def _needed(source: Table, column: int, look: Look) -> int:
    """The least width that breaks neither a number nor a word, but for very long words."""
    name = source.columns[column]
    texts = [_cell(name, row[column], look).plain.rstrip() for row in source.rows]
    if words.is_numeric(source, column):
        return max(map(cell_len, [*texts, *name.split()]))
    return min(max(map(cell_len, " ".join([name, *texts]).split())), LONGEST_WORD)


def _cell(column: str, value: str | int | float, look: Look) -> Text:
    text = words.cell(column, value)
    if column == "share" and isinstance(value, float) and not look.plain:
        return Text.assemble(f"{text:>6} ", (words.bar(value), HOT))
    if column == "change":
        return Text(text, {"-": "green", "+": "red"}.get(text[:1], "") if text.strip("+-0.%") else "")
    return Text(text)


def listing(source: Listing, look: Look) -> RenderableType:
    """Assembly before and after: side by side where there is room, else in one column with marks."""
    whole = difference.rows(source.before, source.after)
    if look.everything and source.notes:
        whole = list(_noted(whole, source.notes))
    parts = list(whole if look.detail or not source.before else difference.folded(whole))
    left = 0 if look.detail else max(len(parts) - BRIEF_LINES, 0)
    parts = parts[: len(parts) - left]
    body = _beside(parts) if look.width >= WIDE and source.before and not look.plain else _stacked(parts, source)
    last = [Text(f"… {left:,} more lines{look.more}", "dim")] if left else []
    return Group(Text(source.title, "bold"), Padding(body, (0, 0, 0, 1)), *last)


def _noted(whole: list[Row], notes: Sequence[str]) -> Iterator[Row]:
    """The rows with what is known of their lines behind them, where these are new; what holds for several lines in a
    row stands behind the first."""
    left, told = iter(notes), ""
    for row in whole:
        if row.after is None:
            yield row
            continue
        note = next(left, "")
        shown = note and note != told and not row.same
        yield replace(row, after=f"{row.after}    ; {note}") if shown else row
        told = note if not row.same else ""


def tree(source: Tree, look: Look, legend: bool = True) -> RenderableType:
    """A call tree with its title; in brief without what is rare."""
    found = list(call_tree.lines(source, HOT, rare=look.detail))
    left = 0 if look.detail else max(len(found) - BRIEF_LINES, 0)
    last = [Text(f"… {left:,} more lines{look.more}", "dim")] if left else []
    title = Text.assemble((source.title, "bold"), (f"   {call_tree.LEGEND}" if legend else "", "dim"))
    return Group(title, *found[: len(found) - left], *last)


def _beside(parts: list[Row | Gap]) -> Grid:
    grid = Grid(box=None, expand=True, pad_edge=False, padding=(0, 1), header_style="dim")
    for name in ("before", "after"):
        grid.add_column(name, ratio=1, overflow="fold")
    for part in parts:
        if isinstance(part, Gap):
            grid.add_row(*[Text(f"… {difference.alike(part)}", "dim")] * 2)
            continue
        grid.add_row(
            _line(part.before or "", "" if part.same else STYLES["-"]),
            _line(part.after or "", "" if part.same else STYLES["+"]),
        )
    return grid


def _stacked(parts: list[Row | Gap], source: Listing) -> Text:
    if not source.before:
        return Text("\n").join(_line(part.after or "", "") for part in parts if isinstance(part, Row))
    return Text("\n").join(
        Text.assemble((f"{mark} ", STYLES[mark]), _line(line, STYLES[mark])) for mark, line in difference.unified(parts)
    )


def _line(line: str, style: str) -> Text:
    """A line of assembly; labels stand out."""
    return Text(line, f"bold {style}".strip() if line.rstrip().endswith(":") else style)


def _spaced(parts: list[RenderableType]) -> Group:
    """An empty line before each table and listing: before all but the first lines, which are Text."""
    spread: list[RenderableType] = []
    for part in parts:
        if not isinstance(part, Text):
            spread.append(Text(""))
        spread.append(part)
    return Group(*spread)
