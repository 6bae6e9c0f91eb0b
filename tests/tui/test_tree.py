"""Call trees as text."""

from __future__ import annotations

from rewriter.report import DIRECT, INDIRECT, JUMPED, Branch, Tree
from tui.tree import lines

COPY = Branch("copy", 1200, JUMPED, True)
ROOT = Branch(
    "gate",
    1500,
    DIRECT,
    True,
    (
        Branch(
            "read",
            1500,
            INDIRECT,
            True,
            (Branch("file", 1200, INDIRECT, True, (COPY,)), Branch("put", 3, DIRECT, False)),
        ),
    ),
)


def test_a_tree_shows_counts_and_marks() -> None:
    assert [line.plain for line in lines(Tree("read", ROOT), "", rare=True)] == [
        "  1,500  gate",
        "  1,500  └⇢ read",
        "  1,200     ├⇢ file",
        "  1,200     │  └↪ copy",
        "      3     └─ put",
    ]


def test_in_brief_what_is_rare_is_counted() -> None:
    assert [line.plain for line in lines(Tree("read", ROOT), "", rare=False)][-3:] == [
        "  1,200     └⇢ file",
        "  1,200        └↪ copy",
        "            … 1 rarer call",
    ]
