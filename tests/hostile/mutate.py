"""Files broken by a seed: field by field with the values that programs forget, and anywhere at random."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

from tests.hostile.elf_parts import Parts, Table, parts

CORNERS = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, 0x1000, 0x7FFF, 0xFFF1, 0xFFFF, 0x08048000, 0x7FFFFFFF, 0x80000000)
CORNERS += (0xC0100000, 0xFFFFF000, 0xFFFFFFFC, 0xFFFFFFFF)
NEAR = (-4096, -4, -1, 1, 2, 4, 8, 4096)
CODE = (b"\xe8", b"\xe9", b"\xeb", b"\x0f\x84", b"\x74", b"\xe3", b"\xc3", b"\xcd\x80", b"\x0f\x0b", b"\x66\xe9")
CODE += (b"\xff\x24\x85", b"\xff\x25", b"\x0f", b"\x66" * 15, b"\xf0", b"\xc4", b"\x62", b"\xcf", b"\xea", b"\x9a")
TOKENS = ("0", "-1", "1e999", "1" * 400, "99999999999999999999", "true", "null", "nan", '""', "[]", "{}", "[[]]", "''")
TOKENS += ('"' + "x" * 3000 + '"', '"\\u0000"', '"\\ud800"', '"\\n"', "[" * 3000, "{" * 3000, "1979-05-27", "0x10", "]")
TOKENS += (
    "0.5",
    '"_start"',
    '"sys_read"',
    "9007199254740993",
    "18446744073709551615",
    "4294967296",
    "\ufeff",
    "\x1b[2J",
)

Change = Callable[[random.Random, bytearray], str]


def elf(image: bytes, seed: int) -> tuple[str, bytes]:
    """(what was done, the broken file)."""
    found = parts(image)
    source, broken, done = random.Random(seed), bytearray(image), []
    for _ in range(source.choice((1, 1, 1, 1, 2, 3, 8))):
        change = source.choices((_field, _row, _string, _code, _anywhere, _size), weights=(12, 4, 2, 3, 2, 1))[0]
        done.append(change(source, broken, found))
    return "; ".join(done), bytes(broken)


def text(original: bytes, seed: int) -> tuple[str, bytes]:
    """A broken TOML or JSON file: tokens replaced, lines swapped, bytes changed."""
    source, done = random.Random(seed), []
    broken = original
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        change = source.choice((_token, _token, _token, _lines, _bytes))
        broken, what = change(source, broken)
        done.append(what)
    return "; ".join(done), broken


def blob(original: bytes, seed: int) -> tuple[str, bytes]:
    """A broken archive or disk: words and bytes changed near what is not zero, parts moved, cut off."""
    source, broken, done = random.Random(seed), bytearray(original), []
    places = [match.start() for match in re.finditer(rb"[^\0]{4,}", original)] or [0]
    for _ in range(source.choice((1, 1, 2, 4, 16))):
        at = source.choice(places[: source.choice((8, 64, len(places)))])
        size = source.choice((1, 1, 4, 8, 110, 1024))
        kind = source.choice(("word", "digits", "copy", "zero", "cut"))
        at = max(0, min(at + source.randrange(-8, 64), len(broken) - size))
        if kind == "word":
            value = source.choice((*CORNERS, source.getrandbits(32)))
            broken[at : at + 4] = struct.pack("<I", value)
        elif kind == "digits":
            broken[at : at + 8] = source.choice((b"FFFFFFFF", b"7FFFFFFF", b"00000000", b"0000000G", b"80000000"))
        elif kind == "copy":
            broken[at : at + size] = broken[(other := source.choice(places)) : other + size]
        elif kind == "zero":
            broken[at : at + size] = bytes(min(size, len(broken) - at))
        elif source.random() < 0.2:
            del broken[source.randrange(len(broken)) :]
        done.append(f"{kind} at {at:#x}")
    return "; ".join(done), bytes(broken)


# ---- ELF


def _field(source: random.Random, broken: bytearray, found: Parts) -> str:
    """One field of one row, or the same field of every row, becomes a corner value."""
    table = source.choice(found.tables)
    offset, size = source.choice(table.fields)
    rows = range(table.count) if source.random() < 0.1 else [source.randrange(table.count)]
    if table.count == 0:
        return "nothing"
    like = source.randrange(table.count)
    kind = source.choice(("corner", "corner", "near", "near", "like", "like", "random", "length"))
    value = source.choice(CORNERS)
    change = source.choice(NEAR)
    for row in rows:
        at = table.offset + table.size * row + offset
        if at + size > len(broken):
            continue
        if kind == "near":
            value = int.from_bytes(broken[at : at + size], "little") + change
        elif kind == "like":
            other = table.offset + table.size * like + offset
            value = int.from_bytes(broken[other : other + size], "little") + source.choice((0, 0, 1, -1))
        elif kind == "random":
            value = source.getrandbits(32)
        elif kind == "length":
            value = len(broken) + source.choice((-1, 0, 1))
        broken[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    return f"{table.name}[{'*' if len(rows) > 1 else rows[0]}]+{offset} = {value:#x}"


def _row(source: random.Random, broken: bytearray, found: Parts) -> str:
    """Rows of a table swapped, doubled, emptied, turned around, filled with noise."""
    table = source.choice(found.tables[1:])
    if table.count < 2:
        return _field(source, broken, found)
    one, two = source.sample(range(table.count), 2)
    kind = source.choice(("swap", "double", "empty", "turn", "noise"))
    first, second = _bytes_of(table, one), _bytes_of(table, two)
    was = bytes(broken[first])
    if kind == "swap":
        broken[first] = broken[second]
        broken[second] = was
    elif kind == "double":
        broken[second] = was
    elif kind == "empty":
        broken[first] = bytes(len(was))
    elif kind == "noise":
        broken[first] = source.randbytes(len(was))
    else:
        low, high = sorted((one, two))
        rows = [bytes(broken[_bytes_of(table, row)]) for row in range(low, min(high, low + 50))]
        for row, content in zip(range(low, low + len(rows)), reversed(rows), strict=True):
            broken[_bytes_of(table, row)] = content
    return f"{kind} {table.name}[{one}], [{two}]"


def _bytes_of(table: Table, row: int) -> slice:
    start = table.offset + table.size * row
    return slice(start, start + table.size)


def _string(source: random.Random, broken: bytearray, found: Parts) -> str:
    start, end = source.choice(found.strings)
    at = source.randrange(start, end)
    new = source.choice((b"\0", b"\xff", b"\n", b"x" * 40, b"\x1b[2J", b"$end", b".1", b"~2", b"_start", b"\0" * 40))
    broken[at : min(at + len(new), end)] = new[: end - at]
    return f"name at {at:#x} = {new!r}"


def _code(source: random.Random, broken: bytearray, found: Parts) -> str:
    start, end = source.choice(found.code + found.data)
    at = source.randrange(start, end)
    new = source.choice((*CODE, source.randbytes(1), source.randbytes(4), bytes(16), source.randbytes(64)))
    broken[at : min(at + len(new), end)] = new[: end - at]
    return f"bytes at {at:#x} = {new[:8].hex()}"


def _anywhere(source: random.Random, broken: bytearray, found: Parts) -> str:
    """Any byte of the file, whatever it belongs to."""
    if not broken:
        return "nothing"
    at = source.randrange(len(broken))
    broken[at] = source.choice((0, 0x80, 0xFF, broken[at] ^ 1 << source.randrange(8)))
    there = next((f" of {table.name}" for table in found.tables if table.range[0] <= at < table.range[1]), "")
    return f"byte {at:#x}{there} = {broken[at]:#x}"


def _size(source: random.Random, broken: bytearray, found: Parts) -> str:
    """Cut off, longer, or with bytes put in or taken out so that everything behind is elsewhere."""
    borders = [at + near for table in found.tables for at in table.range for near in (-1, 0, 1)]
    at = max(0, min(source.choice((*borders, source.randrange(len(broken) + 1))), len(broken)))
    kind = source.choice(("cut", "longer", "put in", "taken out"))
    if kind == "cut":
        del broken[at:]
    elif kind == "longer":
        broken += bytes(source.choice((1, 4, 4096)))
    elif kind == "put in":
        broken[at:at] = source.randbytes(source.choice((1, 4, 32)))
    else:
        del broken[at : at + source.choice((1, 4, 32))]
    return f"{kind} at {at:#x}"


# ---- TOML and JSON


def _token(source: random.Random, broken: bytes) -> tuple[bytes, str]:
    """A word, number or string is replaced: by another of the file, or by one that nobody expects."""
    found = list(re.finditer(rb'"(?:[^"\\\n]|\\.)*"|[\w.+-]+|[][{}=:,#]', broken))
    if not found:
        return broken, "nothing"
    token = source.choice(found[: source.choice((20, len(found)))])
    other = source.choice(found).group()
    new = source.choice((*(t.encode("utf-8", "surrogatepass") for t in TOKENS), b"", other, other, other, other))
    return broken[: token.start()] + new + broken[token.end() :], f"{token.group()[:30]!r} = {new[:30]!r}"


def _lines(source: random.Random, broken: bytes) -> tuple[bytes, str]:
    lines = broken.split(b"\n")
    one, two = source.randrange(len(lines)), source.randrange(len(lines))
    kind = source.choice(("swap", "double", "drop", "cut"))
    if kind == "swap":
        lines[one], lines[two] = lines[two], lines[one]
    elif kind == "double":
        lines.insert(two, lines[one])
    elif kind == "drop":
        del lines[one]
    else:
        del lines[one + 1 :]
    return b"\n".join(lines), f"{kind} line {one}"


def _bytes(source: random.Random, broken: bytes) -> tuple[bytes, str]:
    if not broken:
        return broken, "nothing"
    at = source.randrange(len(broken))
    new = source.choice((b"\xff", b"\0", b"\xed\xa0\x80", b"", source.randbytes(1)))
    return broken[:at] + new + broken[at + 1 :], f"byte {at} = {new.hex()}"
