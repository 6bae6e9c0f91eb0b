"""A call tree as text: how often each function was entered, and by what.

25  system_call
25  └⇢ sys_lseek
25     ├─ fget
25     ├⇢ generic_file_llseek
25     └─ fput
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from rewriter.report import DIRECT, INDIRECT, JUMPED, Branch, Tree

MARKS = {DIRECT: "─", INDIRECT: "⇢", JUMPED: "↪"}
LEGEND = "⇢ indirect call, ↪ tail call"


def lines(tree: Tree, mark: str, rare: bool) -> Iterator[Text]:
    """One line a function; indirect calls in the style `mark`, what is not hot dim, or left out if not `rare`."""
    width = max(len(f"{tree.root.count:,}") + 2, 7)
    return _lines(tree.root, "", "", width, mark, rare)


def _lines(branch: Branch, head: str, below: str, width: int, mark: str, rare: bool) -> Iterator[Text]:
    """`head` stands before the function's name, `below` before what it calls."""
    style = "" if branch.hot else "dim"
    arrow = (head[-2:-1], mark if branch.mark == INDIRECT else "dim")
    yield Text.assemble(
        (f"{branch.count:>{width},}  ", "dim"), (head[:-2], "dim"), arrow, head[-1:], (branch.name, style)
    )
    inner = [each for each in branch.inner if rare or each.hot]
    for each in inner:
        last = each is inner[-1]
        head = f"{below}{'└' if last else '├'}{MARKS[each.mark]} "
        yield from _lines(each, head, f"{below}{' ' if last else '│'}  ", width, mark, rare)
    left = len(branch.inner) - len(inner)
    if left:
        yield Text(f"{'':>{width}}  {below}… {left} rarer call{'s' if left > 1 else ''}", "dim")
