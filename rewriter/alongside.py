"""Two programs that should do the same, step by step beside each other: the first instruction that differs.

The programs are nearly the same: instructions were left out of one, put into it, or moved.  Both are followed as long
as the same instructions read the same values; where one has instructions that the other has not, these are passed over
until both go on alike.  Addresses within the images are compared by what lies there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from rewriter.ir import Insn, Program
from rewriter.run import Point
from rewriter.show import instruction
from rewriter.x86.effects import FLAGS, effects, names, register_mask
from rewriter.x86.flow import Flow, flow

REGISTERS = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")  # then eflags
WINDOW = 200  # instructions that one side may have more than the other
ALIKE = 3  # in a row, behind such a place
_BITS = {"CF": 0, "PF": 2, "AF": 4, "ZF": 6, "SF": 7, "DF": 10, "OF": 11}
_MASKS = [(name, register_mask(name)) for name in REGISTERS]


@dataclass(frozen=True, slots=True)
class Side:
    """An instruction, where it is, and what it reads, as text."""

    where: str
    text: str
    reads: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Where two programs part, after so many instructions of the first: `good` beside `bad`, None where one ended."""

    after: int
    good: Side | None
    bad: Side | None


class Map:
    """What lies where in an image."""

    def __init__(self, program: Program) -> None:
        self.insns: dict[int, tuple[str, int, Insn]] = {}  # by address: function, distance from its entry
        self.entries: dict[int, str] = {}
        for function in program.functions:
            known = [insn for insn in function.insns() if insn.origin is not None]
            start = known[0].origin if known else None
            for insn in known:
                assert insn.origin is not None
                assert start is not None
                self.insns[insn.origin] = function.name, insn.origin - start, insn
            if start is not None:
                self.entries[start] = function.name
        self._sections = sorted((s.address, s.address + s.size, s.name, s.executable) for s in program.sections)
        self._starts = [section[0] for section in self._sections]
        self._keys: dict[int, str] = {}

    def key(self, address: int) -> str:
        """What an instruction does, without places in its own function."""
        found = self._keys.get(address)
        if found is None:
            found = self._keys[address] = self._described(address)
        return found

    def _described(self, address: int) -> str:
        if address not in self.insns:
            return hex(address)
        _, _, insn = self.insns[address]
        kind = flow(insn.raw)
        text = instruction(insn)
        if kind in (Flow.JUMP, Flow.BRANCH):
            return text.split()[0]
        return text.replace("$old", "")

    def value(self, word: int) -> object:
        """A word; one that may be an address of the image, by what is there."""
        n = bisect_right(self._starts, word) - 1
        if n < 0 or word >= self._sections[n][1]:
            return word
        start, _, name, executable = self._sections[n]
        if not executable:
            return name, word - start
        return self.entries.get(word, name).replace("$old", "")  # a return address lies elsewhere in each image

    def side(self, point: Point) -> Side:
        function, distance, insn = self.insns.get(point.address, ("", point.address, None))
        if insn is None:
            return Side(hex(point.address), "?", "")
        where = f"{function}+{distance:#x}" if distance else function
        return Side(where, instruction(insn), ", ".join(f"{n}={v:#x}" for n, v in _read(insn, point)))

    def reads(self, point: Point) -> list[object]:
        """The values that an instruction reads."""
        _, _, insn = self.insns.get(point.address, ("", 0, None))
        return [] if insn is None else [self.value(value) for name, value in _read(insn, point) if name != "esp"]


def _read(insn: Insn, point: Point) -> list[tuple[str, int]]:
    if flow(insn.raw) in (Flow.CALL, Flow.RETURN, Flow.JUMP):
        return []
    mask = effects(insn).reads
    found = [(name, point.registers[n]) for n, (name, bits) in enumerate(_MASKS) if mask & bits]
    flags = [name for name in names(mask & FLAGS) if name in _BITS]
    return found + [(name.lower(), point.registers[-1] >> _BITS[name] & 1) for name in flags]


def first_difference(good: Map, bad: Map, one: Iterable[Point], two: Iterable[Point]) -> Pair | None:
    """Where they part; None where they do not, as far as can be seen."""
    return _Walk(good, bad, one, two).run()


class _Walk:
    def __init__(self, good: Map, bad: Map, one: Iterable[Point], two: Iterable[Point]) -> None:
        self.maps = good, bad
        self.points = _once(one), _once(two)
        self.ahead: tuple[deque[Point], deque[Point]] = deque(), deque()
        self.passed = 0

    def run(self) -> Pair | None:
        while True:
            left, right = self._peek(0, 1), self._peek(1, 1)
            if not left or not right:
                return self._pair(left, right) if left or right else None
            if self._key(0, left[0]) != self._key(1, right[0]):
                if not self._meet():
                    return self._pair(left, right)
                continue
            if self.maps[0].reads(left[0]) != self.maps[1].reads(right[0]):
                return self._pair(left, right)
            for side in (0, 1):
                self.ahead[side].popleft()
            self.passed += 1

    def _key(self, side: int, point: Point) -> str:
        return self.maps[side].key(point.address)

    def _peek(self, side: int, count: int) -> list[Point]:
        """The next points, fewer at the end."""
        ahead = self.ahead[side]
        ahead.extend(islice(self.points[side], max(0, count - len(ahead))))
        return list(islice(ahead, count))

    def _meet(self) -> bool:
        """Pass over what only one side has, as little as may be, to where both go on alike."""
        keys = [[self._key(side, p) for p in self._peek(side, WINDOW)] for side in (0, 1)]
        for total in range(1, WINDOW):
            for skipped in range(total + 1):
                left, right = keys[0][skipped:][:ALIKE], keys[1][total - skipped :][:ALIKE]
                if left and left == right:
                    for side, count in ((0, skipped), (1, total - skipped)):
                        for _ in range(count):
                            self.ahead[side].popleft()
                    self.passed += skipped
                    return True
        return False

    def _pair(self, left: list[Point], right: list[Point]) -> Pair:
        good = self.maps[0].side(left[0]) if left else None
        bad = self.maps[1].side(right[0]) if right else None
        return Pair(self.passed, good, bad)


def _once(points: Iterable[Point]) -> Iterator[Point]:
    """Without the further iterations of a `rep`."""
    last = -1
    for point in points:
        if point.address != last:
            yield point
        last = point.address
