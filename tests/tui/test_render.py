"""Results as text: nothing is cut off, shortened tables say so, and plain text is plain."""

from __future__ import annotations

import pytest

from rewriter.report import PHASES, Listing, Table
from tests.tui import made_up
from tui import difference, render, words
from tui.paper import plain_text
from tui.render import Look


def shown(name: str, width: int, **look: object) -> str:
    return plain_text(render.phase(made_up.result(name), Look(width, **look)), width)  # type: ignore[arg-type]


def squeezed(text: str) -> str:
    """Without blanks and line ends, so that wrapped text compares."""
    return "".join(text.split())


@pytest.mark.parametrize("width", [60, 76, 80, 116, 120])
@pytest.mark.parametrize("name", PHASES)
def test_every_name_and_number_is_there(name: str, width: int) -> None:
    text = shown(name, width)
    result = made_up.result(name)
    for words_of in [result.sentence, *result.refused]:
        assert squeezed(words_of) in squeezed(text)
    pieces = text.split()
    for table in result.tables:
        for row in table.rows:
            for column, value in zip(table.columns, row, strict=True):
                assert set(words.cell(column, value).split()) <= set(pieces), (column, value)
    assert max(map(len, text.splitlines())) <= width


def test_a_wide_table_goes_on_below() -> None:
    table = Table("t", ("name", *(f"column{n}" for n in range(12))), (("lseek", *range(100000, 100012)),))
    lines = plain_text(render.table(table, Look(60)), 60).splitlines()
    assert [line.split()[0].strip("─") for line in lines] == ["t", *["name", "", "lseek"] * 3]


@pytest.mark.parametrize("width", [80, 120])
def test_every_instruction_is_there(width: int) -> None:
    text = shown("specialize", width)
    for row in difference.rows(made_up.BEFORE, made_up.AFTER):
        assert row.after is None or row.after in text
        assert row.before is None or row.before in text or (row.same and width < render.WIDE)


def test_side_by_side_where_there_is_room() -> None:
    row = "  ja      sys_lseek.6"
    assert f"- {row.strip()}" in shown("specialize", 80)
    wide = next(line for line in shown("specialize", 120).splitlines() if "jne     sys_lseek$0.6" in line)
    assert wide.strip().startswith("ja      sys_lseek.6")


def test_a_brief_table_says_what_it_leaves_out() -> None:
    assert "… 5 more (d)" in shown("count", 80, detail=False, more=" (d)")
    assert "more" not in shown("count", 80)


def test_a_long_brief_listing_says_what_it_leaves_out() -> None:
    listing = Listing("long", "", "\n".join(f"nop {n}" for n in range(100)))
    text = plain_text(render.listing(listing, Look(80, detail=False)))
    assert "nop 23" in text
    assert "nop 24" not in text
    assert "… 76 more lines" in text


def test_plain_text_has_columns_and_nothing_else() -> None:
    text = shown("count", 1000, plain=True)
    assert text.isascii() or set(filter(lambda c: not c.isascii(), text)) <= set("§…–")
    line = next(line for line in text.splitlines() if line.startswith("do_generic_file_read"))
    assert line.split() == ["do_generic_file_read", "41,235", "52.1%", "52.1%"]


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("calls", 1234567, "1,234,567"),
        ("share", 0.5, "50.0%"),
        ("change", -0.214, "-21.4%"),
        ("change", 0.0, "+0.0%"),
        ("before", 178.0, "178.0"),
        ("number", "19", "19"),
    ],
)
def test_cells(column: str, value: str | int | float, text: str) -> None:
    assert words.cell(column, value) == text


@pytest.mark.parametrize(("share", "length"), [(0.0, 0), (0.0001, 1), (0.5, 5), (1.0, 10), (1.5, 10)])
def test_bars(share: float, length: int) -> None:
    assert len(words.bar(share).rstrip()) == length
    assert len(words.bar(share)) == words.BAR


def test_numbers_stand_to_the_right() -> None:
    table = Table("t", ("a", "b", "c"), ((1, "-3.5%", "x"), (2, "", 1)))
    assert [words.is_numeric(table, column) for column in range(3)] == [True, True, False]


def test_where_new_lines_come_from_is_told_where_everything_is_asked_for() -> None:
    source = Listing(
        "f", "f:\n    nop\n    ret", "f:\n    inc eax\n    ret", notes=("", "region: why (0x10)", "not shown")
    )
    shown = plain_text(render.listing(source, Look(80, everything=True)))
    assert "+     inc eax    ; region: why (0x10)" in shown
    assert "not shown" not in shown
    assert "region" not in plain_text(render.listing(source, Look(80)))
