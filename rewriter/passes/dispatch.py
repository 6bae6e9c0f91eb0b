"""The gate's way to the entries of new system calls, without cost for those that have none (beyond the paper).

    system_call:                 ⇒    system_call:
        push eax                          cmp eax, 201        ; the first number behind the kernel's own
        …                                 jae .new
        cmp eax, 256                      push eax            ; the same instructions but for the test,
        jae .bad                          …                   ; which has moved to the top
                                          (falls to what was behind the test)
                                 .new:    je entry of 201
                                          cmp eax, 203
                                          je entry of 203
                                          jb entry of 202
                                          push eax            ; and all as it was
                                          …
                                          cmp eax, 256
                                          jae .bad

A smaller number is no bad one, so it needs no other test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.analysis.entrance import Entrance
from rewriter.edit import Labels
from rewriter.ir import Block, Insn, Program
from rewriter.x86.encode import assemble, branch


@dataclass(frozen=True, slots=True)
class Door:
    """Where a number goes, and how often it is expected to come."""

    label: str
    weight: float


def dispatch(program: Program, way: Entrance, doors: Mapping[int, Door]) -> None:
    """Change the entry's function so that these numbers go to their own entries.  Nobody else sees a difference."""
    function = program.function(way.function)
    head = function.blocks[0]
    labels = Labels(function.name, (block.label for f in program.functions for block in f.blocks))
    fast, new, old = (labels.fresh() for _ in range(3))
    test = [*assemble([f"cmp eax, {way.limit:#x}"]), branch("ae", new)]
    tree = _Tree(doors, labels, old)
    blocks = tree.grow(new, way.limit)
    prefix = head.insns[: way.test]
    function.blocks[:1] = [
        Block(function.name, test, fast),
        Block(fast, list(prefix), head.falls_to),
    ]
    function.blocks += [*blocks, Block(old, list(head.insns), head.falls_to)]


class _Tree:
    """Compares: the most frequent number first, then those on either side of it."""

    def __init__(self, doors: Mapping[int, Door], labels: Labels, other: str) -> None:
        self.doors = doors
        self.labels = labels
        self.other = other
        self.blocks: list[Block] = []

    def grow(self, label: str, known: int) -> list[Block]:
        """The tree under this label, where the flags are those of a compare of eax with `known`, which it is not
        below."""
        numbers = sorted(self.doors)
        if numbers and numbers[0] == known:
            rest = self._place(numbers[1:], known + 1, None)
            self._add(label, [branch("e", self.doors[known].label)], rest)
        else:
            self._add(label, [], self._place(numbers, known, None))
        return self.blocks

    def _place(self, numbers: list[int], low: int, high: int | None) -> str:
        """The label that tells these numbers apart, where eax is in low … high (None: or more)."""
        if not numbers:
            return self.other
        if high is not None and numbers == [low] and low == high:
            return self.doors[low].label
        middle = max(numbers, key=lambda n: self.doors[n].weight)
        label = self.labels.fresh()
        below = self._place([n for n in numbers if n < middle], low, middle - 1)
        above = self._place([n for n in numbers if n > middle], middle + 1, high)
        first = [*assemble([f"cmp eax, {middle:#x}"]), branch("e", self.doors[middle].label)]
        if below == above or low == middle:
            self._add(label, first, above)
            return label
        second = self.labels.fresh()
        self._add(label, first, second)
        self._add(second, [branch("b", below)], above)
        return label

    def _add(self, label: str, insns: list[Insn], falls_to: str) -> None:
        self.blocks.append(Block(label, insns, falls_to))
