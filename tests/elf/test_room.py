"""Places around islands: nothing overlaps, and gaps are filled."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from operator import add
from random import Random

from rewriter.elf.room import Room


def test_what_fits_goes_before_the_island() -> None:
    room = Room(0, [(100, 200)])
    taken = [room.take(1, partial(add, size)) for size in (40, 70, 50, 30, 10, 1)]
    assert taken == [0, 200, 40, 270, 90, 300]
    assert room.end == 301


def test_nothing_overlaps() -> None:
    random = Random(4)
    for _ in range(50):
        starts = sorted(random.sample(range(0, 20_000, 100), 20))
        islands = [(start, start + random.randrange(1, 100)) for start in starts]
        room, taken = Room(random.randrange(500), islands), list(islands)
        end = 0
        for _ in range(200):
            align, size = random.choice((1, 4, 16)), random.choice((1, 5, 30, 400))
            address = room.take(align, partial(add, size))
            assert address % align == 0
            taken.append((address, address + size))
            end = max(end, address + size)
        taken.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(taken))
        assert room.end == end
