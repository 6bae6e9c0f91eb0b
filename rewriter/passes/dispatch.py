"""The gate's way to the entries of new system calls, without cost for those that have none (beyond the paper).

    system_call:                 ⇒    system_call:
        push eax                          cmp eax, 201        ; the first number behind the kernel's own
        …                                 jae .new
        cmp eax, 256                      push eax            ; the same instructions but for the test,
        jae .bad                          …                   ; which has moved to the top
                                          (falls to what was behind the test)
                                 .new:    je entry of 201
                                          cmp eax, 203
                                          jb entry of 202
                                          je entry of 203
                                          push eax            ; and all as it was
                                          …
                                          cmp eax, 256
                                          jae .bad

A smaller number is no bad one, so it needs no other test.  Where there are many new calls, a table of addresses takes
the place of the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.analysis.entrance import Entrance
from rewriter.edit import Labels, copied, stamp
from rewriter.ir import Block, Data, Insn, Program, Ref, RefKind
from rewriter.reasons import Reason
from rewriter.region.segments import SS_PREFIX
from rewriter.x86.encode import assemble, branch

WORD = 4
NAME = "dispatch"
TABLE = 3  # instructions that a table of addresses costs: a tree that costs more is none


@dataclass(frozen=True, slots=True)
class Door:
    """Where a number goes, and how often it is expected to come."""

    label: str
    weight: float


def dispatch(
    program: Program, way: Entrance, doors: Mapping[int, Door], others: Mapping[int, float] | None = None
) -> None:
    """Change the entry's function so that these numbers go to their own entries.  Nobody else sees a difference.

    `others`: numbers behind the kernel's own that go through the table as ever, and how often they come.
    """
    function = program.function(way.function)
    before = copied(function)
    head = function.blocks[0]
    labels = Labels(function.name, (block.label for f in program.functions for block in f.blocks))
    fast, new, old = (labels.fresh() for _ in range(3))
    test = [*assemble([f"cmp eax, {way.limit:#x}"]), branch("ae", new)]
    doors = {**doors, **{number: Door(fast, weight) for number, weight in (others or {}).items()}}
    tree = _Tree(doors, labels, old)
    if tree.expected(way.limit) > TABLE:
        blocks = _by_table(program, way, doors, new, labels.fresh(), old)
    else:
        blocks = tree.grow(new, way.limit)
    function.blocks[:1] = [
        Block(function.name, test, fast),
        Block(fast, list(head.insns[: way.test]), head.falls_to),
    ]
    function.blocks += [*blocks, Block(old, list(head.insns), head.falls_to)]
    stamp(function, before, NAME, Reason.DISPATCH)


@dataclass(frozen=True, slots=True)
class _Node:
    """A compare with `number`: where to go on each condition, the last without a branch."""

    number: int
    ways: tuple[tuple[str, _Node | str], ...]


def _by_table(
    program: Program, way: Entrance, doors: Mapping[int, Door], new: str, inside: str, old: str
) -> list[Block]:
    """`cmp eax, last; ja old; jmp ss:[eax*4 + table]`: ds is the program's here."""
    name, last = f"{way.function}$table", max(doors)
    targets = [doors[n].label if n in doors else old for n in range(way.limit, last + 1)]
    refs = {WORD * n: Ref(WORD * n, RefKind.ABS32, target) for n, target in enumerate(targets)}
    program.data.append(Data(name, None, bytes(WORD * len(targets)), refs, writable=False))
    through = Insn(bytes([SS_PREFIX, 0xFF, 0x24, 0x85, 0, 0, 0, 0]), (Ref(4, RefKind.ABS32, name, -WORD * way.limit),))
    return [
        Block(new, [*assemble([f"cmp eax, {last:#x}"]), branch("a", old)], inside),
        Block(inside, [through]),
    ]


class _Tree:
    """Compares and branches that cost the fewest instructions for what is expected."""

    def __init__(self, doors: Mapping[int, Door], labels: Labels, other: str) -> None:
        self.doors = doors
        self.labels = labels
        self.other = other
        self.blocks: list[Block] = []
        self._known: dict[tuple[tuple[int, ...], int, int | None], tuple[float, _Node | str]] = {}

    def expected(self, known: int) -> float:
        """Instructions that a number costs."""
        numbers = tuple(sorted(self.doors))
        first = sum(self.doors[n].weight for n in numbers[:1] if n == known)
        rest = self._best(numbers[1:], known + 1, None)[0] if first else self._best(numbers, known, None)[0]
        total = sum(door.weight for door in self.doors.values())
        return (rest + total) / total if first else rest / max(total, 1e-9)

    def grow(self, label: str, known: int) -> list[Block]:
        """The tree under this label, where the flags are those of a compare of eax with `known`, which it is not
        below."""
        numbers = tuple(sorted(self.doors))
        insns = []
        if numbers[:1] == (known,):
            numbers, insns = numbers[1:], [branch("e", self.doors[known].label)]
            known += 1
        first = Block(label, insns, None)
        self.blocks.append(first)
        tree = self._best(numbers, known, None)[1]
        first.falls_to = tree if isinstance(tree, str) else self.labels.fresh()
        self._place(tree, first.falls_to)
        return self.blocks

    def _best(self, numbers: tuple[int, ...], low: int, high: int | None) -> tuple[float, _Node | str]:
        """How to tell these numbers apart where eax is in low … high (None: or more), and what that costs."""
        if not numbers:
            return 0.0, self.other
        if numbers == (low,) and low == high:
            return 0.0, self.doors[low].label
        key = numbers, low, high
        if key not in self._known:
            found = [self._compared(numbers, number, low, high) for number in numbers]
            self._known[key] = min(found, key=lambda each: each[0])
        return self._known[key]

    def _compared(self, numbers: tuple[int, ...], number: int, low: int, high: int | None) -> tuple[float, _Node]:
        """With a compare with this number first."""
        total, ways = 0.0, [(self.doors[number].weight, "e", self.doors[number].label)]
        sides: list[tuple[float, str, _Node | str]] = []
        for code, part, bounds in (
            ("b", tuple(n for n in numbers if n < number), (low, number - 1)),
            ("a", tuple(n for n in numbers if n > number), (number + 1, high)),
        ):
            if bounds[1] is None or bounds[0] <= bounds[1]:
                cost, inner = self._best(part, *bounds)
                total += cost
                sides.append((sum(self.doors[n].weight for n in part), code, inner))
        if len({inner for _, _, inner in sides}) == 1:
            sides = [(sum(weight for weight, _, _ in sides), "ne", sides[0][2])]
        every = sorted([*ways, *sides], key=lambda way: -way[0])
        instructions = [min(2 + place, len(every)) for place in range(len(every))]
        total += sum(way[0] * n for way, n in zip(every, instructions, strict=True))
        return total, _Node(number, tuple((code, inner) for _, code, inner in every))

    def _place(self, tree: _Node | str, label: str) -> None:
        """Blocks for it, those first where control falls through."""
        if isinstance(tree, str):
            return
        insns: list[Insn] = assemble([f"cmp eax, {tree.number:#x}"])
        targets = [inner if isinstance(inner, str) else self.labels.fresh() for _, inner in tree.ways]
        *branches, _ = tree.ways
        for place, (code, _) in enumerate(branches):
            after = targets[-1] if place == len(branches) - 1 else self.labels.fresh()
            self.blocks.append(Block(label, [*insns, branch(code, targets[place])], after))
            label, insns = after, []
        for (_, inner), target in reversed(list(zip(tree.ways, targets, strict=True))):
            self._place(inner, target)
