"""What is drawn, in the order of programs/randomcalls/draw.c."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.toykernel.model.open_files import PAGE, Memory
from tests.toykernel.model.tree import KERNEL, NULL

ROOM = 3 * PAGE
NEAR, LONG_NAME, NR_FDS = 64, 256, 32
WORD = 0xFFFFFFFF
NO_MEMORY, KERNEL_MEMORY = Memory(0), Memory(0, kernel=True)


class Draw:
    """Numbers below a limit, as draw(); and all else that is made of them."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 2654435761 | 1) & WORD

    def __call__(self, limit: int) -> int:
        state = self._state
        state ^= state << 13 & WORD
        state ^= state >> 17
        state ^= state << 5 & WORD
        self._state = state
        return state % limit

    def operation(self, weights: Mapping[str, tuple[int, Any]]) -> str:
        n = self(sum(weight for weight, _ in weights.values()))
        for name, (weight, _) in weights.items():
            if n < weight:
                return name
            n -= weight
        raise AssertionError

    def fd(self) -> int:
        if self(16) == 0:
            return (-1, NR_FDS, 1000, -0x7FFFFFFF, 23)[self(5)]
        return 3 + self(10)

    def path(self) -> str:
        n = self(48)
        special = (NULL, KERNEL, "", "/dev/null", "/dev/zero", "/", "/disk", "world")
        if n < len(special):
            return special[n]
        path = ("", "", "/world/", "/disk/world/")[self(4)]
        names = ("a", "b", "c", "d", "a", "b", "c", "d", "e", ".", "..", "n" * LONG_NAME)
        path += "/".join([names[self(12)] for _ in range(1 + self(3))])
        return path if self(8) else path + "/"

    def target(self) -> Memory:
        n = self(24)
        if n == 3:
            return Memory(self(NEAR))
        return {0: NO_MEMORY, 1: KERNEL_MEMORY, 2: NO_MEMORY}.get(n, Memory(ROOM))

    def source(self) -> Memory:
        n = self(24)
        if n == 0:
            return NO_MEMORY
        if n == 1:
            return KERNEL_MEMORY
        if n == 2:
            near = self(NEAR)
            return Memory(near, make_pattern()[PAGE - near : PAGE])
        at = self(512)
        return Memory(ROOM - at, make_pattern()[at:])

    def size(self) -> int:
        return self((2, 64, 64, 2000, 2000, 9000)[self(6)])

    def position(self) -> int:
        n = self(12)
        if n == 0:
            return -self(100)
        if n == 1:
            return self(400000)
        return 0 if n == 2 else self(30000)


@cache
def make_pattern() -> bytes:
    """What is written, always the same bytes."""
    draw = Draw(0)
    return bytes(draw(256) for _ in range(ROOM))
