"""What scripts of the program `edit` should do to the files of a disk, after each single change.

A state is what a mount may find: directories end in a slash.  A write changes one page at a time, all else at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

PAGE = 4096
State = dict[str, bytes]


def content(at: int, size: int, seed: int) -> bytes:
    """What `w` writes."""
    return bytes((place * 7 + (place >> 8) * 13 + seed) & 0xFF for place in range(at, at + size))


def checksum(raw: bytes) -> int:
    """What `c` prints."""
    total = 0
    for byte in raw:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total


def changes(state: State, line: str) -> Iterator[State]:
    """The states that follow while one line is carried out; it is one that succeeds."""
    kind, path, *numbers = [*line.split(), ""][: len(line.split()) or 1] + [""] * (len(line.split()) < 2)
    path = path.removeprefix("/disk/")
    if kind == "w":
        yield from _write(state, path, *map(int, numbers))
    elif kind == "t":
        size = int(numbers[0])
        yield {**state, path: state[path][:size].ljust(size, b"\0")}
    elif kind == "d":
        yield {**state, path + "/": b""}
    elif kind in ("u", "r"):
        gone = path + "/" * (kind == "r")
        yield {name: raw for name, raw in state.items() if name != gone}


def _write(state: State, path: str, at: int, size: int, seed: int) -> Iterator[State]:
    state = {**state, path: state.get(path, b"")}
    yield state
    end = at + size
    while at < end:
        part = content(at, min(end, (at // PAGE + 1) * PAGE) - at, seed)
        old = state[path].ljust(at, b"\0")
        state = {**state, path: old[:at] + part + old[at + len(part) :]}
        yield state
        at += len(part)


def states(state: State, script: str) -> list[list[State]]:
    """For each line of a script, the states that it leads through; the last one holds when it is done."""
    result = []
    for line in script.splitlines():
        steps = list(changes(state, line)) or [state]
        state = steps[-1]
        result.append(steps)
    return result


def random_script(seed: int, lines: int) -> str:
    """Changes that all succeed, with an fsync or a sync now and then."""
    chance = random.Random(seed)
    state: State = {}
    script: list[str] = []
    while len(script) < lines:
        line = _random_line(chance, state)
        script.append(line)
        for following in changes(state, line):
            state = following
    return "\n".join(script) + "\n"


def _random_line(chance: random.Random, state: State) -> str:
    files = sorted(path for path in state if not path.endswith("/"))
    folders = ["", *sorted(path for path in state if path.endswith("/"))]
    empty = [folder for folder in folders[1:] if not any(p.startswith(folder) and p != folder for p in state)]
    kind = chance.choices("wtufsdr", (10, 3, 2, 3, 1, 1, 1))[0]
    if kind == "s":
        return "s"
    if kind == "d":
        return f"d /disk/{chance.choice(folders)}d{chance.randrange(1000)}x{len(state)}"
    if kind == "r" and empty:
        return f"r /disk/{chance.choice(empty)[:-1]}"
    if kind in "tuf" and files:
        path = chance.choice(files)
        if kind == "t":
            return f"t /disk/{path} {chance.randrange(chance.choice((3000, 40_000, 400_000)))}"
        return f"{kind} /disk/{path}"
    new = f"{chance.choice(folders)}f{chance.randrange(1000)}"
    path = chance.choice(files) if files and chance.random() < 0.7 else new
    at = chance.choice((0, 0, chance.randrange(5000), chance.randrange(300_000)))
    return f"w /disk/{path} {at} {1 + chance.randrange(chance.choice((100, 5000, 20_000)))} {chance.randrange(256)}"
