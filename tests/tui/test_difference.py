"""Before and after: no line is lost, added, or out of order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.difference import Gap, Row, folded, rows, unified

LINES = st.lists(st.sampled_from(["push ebx", "pop ebx", "ret", "nop", "f:"]), max_size=30).map("\n".join)


@given(LINES, LINES)
def test_rows_hold_both_texts(before: str, after: str) -> None:
    found = rows(before, after)
    assert [row.before for row in found if row.before is not None] == before.splitlines()
    assert [row.after for row in found if row.after is not None] == after.splitlines()


@given(LINES, LINES)
def test_one_column_holds_both_texts(before: str, after: str) -> None:
    found = list(unified(list(rows(before, after))))
    assert [line for mark, line in found if mark in " -"] == before.splitlines()
    assert [line for mark, line in found if mark in " +"] == after.splitlines()


@given(LINES, LINES)
def test_folding_leaves_out_unchanged_lines_only(before: str, after: str) -> None:
    whole = rows(before, after)
    parts = list(folded(whole))
    assert sum(part.lines if isinstance(part, Gap) else 1 for part in parts) == len(whole)
    shown = [part for part in parts if isinstance(part, Row)]
    assert [row for row in shown if not row.same] == [row for row in whole if not row.same]


def test_equal_texts_fold_to_one_gap() -> None:
    assert list(folded(rows("a\nb\nc", "a\nb\nc"))) == [Gap(3)]


def test_a_change_is_seen_between_what_stays() -> None:
    text = list(unified(list(folded(rows("a\nb\nc\nd\ne\nf", "a\nb\nc\nX\ne\nf"), context=1))))
    assert text == [
        ("…", "2 unchanged lines"),
        (" ", "c"),
        ("-", "d"),
        ("+", "X"),
        (" ", "e"),
        ("…", "1 unchanged line"),
    ]


def test_a_copy_with_its_own_labels_is_the_same_line() -> None:
    found = rows("f:\nje f.2\nnop", "f$201:\nje f$201.4\ncall g")
    assert [(row.before, row.after, row.same) for row in found] == [
        ("f:", "f$201:", True),
        ("je f.2", "je f$201.4", True),
        ("nop", "call g", False),
    ]
    assert list(unified(list(found)))[:2] == [(" ", "f$201:"), (" ", "je f$201.4")]


def test_another_target_is_another_line() -> None:
    assert [row.same for row in rows("je f", "je f.1")] == [False]
