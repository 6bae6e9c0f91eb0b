"""Which applications of passes happen: all, or only the first few, so that a search can find the one that does harm.

An application is one pass on one function that changed something: a *step*, counted in the order in which they happen.
Where a pass changes places that have nothing to do with each other, each is an *edit*, and some of the last step's can
be left out, too.  Passes know nothing of this: what they did is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, TypeVar

from rewriter.edit import copied
from rewriter.ir import Block, Function, Insn

if TYPE_CHECKING:
    from rewriter.passes.work import Work

T = TypeVar("T")
# Passes whose edits are each right by themselves: what is known, or dead, is so whatever becomes of the others.
SEPARABLE: Final = frozenset({"constants", "deadcode", "peephole"})


@dataclass(frozen=True, slots=True)
class Edit:
    """A place that a pass changed: these instructions of a block became those."""

    label: str
    before: tuple[Insn, ...]
    after: tuple[Insn, ...]
    start: int  # of `before` in the block as it was


@dataclass(frozen=True, slots=True)
class Step:
    """One pass on one function, or on its copy.

    edits: what it did, as far as that is told; parts: how many of these can be left out one by one, 1 where it is all
    or nothing; names: of these, where they are no edits."""

    pass_name: str
    function: str
    edits: tuple[Edit, ...] = ()  # the last ones first
    parts: int = 1
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Steps:
    """Lets the first `most` steps happen (None: all of them), and of the last one the first `parts`."""

    most: int | None = None
    parts: int | None = None
    done: list[Step] = field(default_factory=list)
    begun: tuple[str, str] = ("", "")  # the pass and the function that were tried last

    @property
    def over(self) -> bool:
        return self.most is not None and len(self.done) >= self.most

    @property
    def _last(self) -> bool:
        """Whether the step that was just begun is to be made in part."""
        return self.parts is not None and self.most is not None and len(self.done) + 1 == self.most

    def happens(self, pass_name: str, function: str) -> bool:
        """For what is no pass over one function: whether it may happen; then it counts."""
        if self.over:
            return False
        self.begun = pass_name, function
        self.done.append(Step(pass_name, function))
        return True

    def some(self, pass_name: str, function: str, items: Sequence[T], name: Callable[[T], str] = str) -> Sequence[T]:
        """Of things that can be done or left out, those that may be done; each is an edit, and has a name."""
        if self.over or not items:
            return items[:0]
        self.begun = pass_name, function
        kept = items[: self.parts] if self._last else items
        self.done.append(Step(pass_name, function, parts=len(items), names=tuple(map(name, items))))
        return kept

    def run(self, pass_name: str, work: Work, transform: Callable[[Work], None], function: str = "") -> None:
        """Apply a pass, if it may be.  `function`: what it is called, if not as the copy."""
        if self.over:
            return
        self.begun = pass_name, function or work.name
        before = copied(work.function)
        transform(work)
        if not _same(before, work.function):
            self._note(work, before)

    def _note(self, work: Work, before: Function) -> None:
        pass_name, function = self.begun
        edits = differences(before, work.function)[::-1]  # who needs a dead result comes behind it
        apart = pass_name in SEPARABLE and _comparable(before, work.function)
        step = Step(pass_name, function, edits, len(edits) if apart else 1)
        if self._last and apart:
            work.function.blocks[:] = _partly(before, work.function, edits[: self.parts])
        self.done.append(step)


def _same(one: Function, two: Function) -> bool:
    return one.blocks == two.blocks


def _comparable(before: Function, after: Function) -> bool:
    """Whether only instructions of blocks changed."""
    return [(b.label, b.falls_to) for b in before.blocks] == [(b.label, b.falls_to) for b in after.blocks]


def differences(before: Function, after: Function) -> tuple[Edit, ...]:
    """What became of blocks that are there before and after; and of blocks that are not, as a whole."""
    found: list[Edit] = []
    new = {block.label: block for block in after.blocks}
    for block in before.blocks:
        other = new.pop(block.label, None)
        found += _edits(block, other.insns if other is not None else [])
    for block in new.values():
        found += _edits(Block(block.label, []), block.insns)
    return tuple(found)


def _edits(block: Block, insns: list[Insn]) -> list[Edit]:
    old = block.insns
    if old == insns:
        return []
    found = []
    for tag, a, b, c, d in SequenceMatcher(None, old, insns, autojunk=False).get_opcodes():
        if tag == "delete":
            found += [Edit(block.label, (old[n],), (), n) for n in range(a, b)]
        elif tag != "equal":
            found.append(Edit(block.label, tuple(old[a:b]), tuple(insns[c:d]), a))
    return found


def _partly(before: Function, after: Function, edits: Sequence[Edit]) -> list[Block]:
    """The function as it was, with these edits."""
    blocks = copied(before).blocks
    by_label = {block.label: block for block in blocks}
    for edit in edits:  # the last ones first: positions are those of before
        insns = by_label[edit.label].insns
        insns[edit.start : edit.start + len(edit.before)] = edit.after
    return blocks
