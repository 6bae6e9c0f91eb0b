"""What the training set should print, computed from its inputs by other means than its own."""

from __future__ import annotations

import hashlib
import heapq
import ipaddress
import zlib
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

from toykernel import data

STEPS = (
    *(7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97),
    *(107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796),
    *(876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871),
    *(5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623),
    *(27086, 29794, 32767),
)


def wc(text: bytes) -> str:
    lines = text.count(b"\n")
    return f"wc: {lines} lines, {len(text.split())} words, {len(text)} bytes\n"


def sha1(raw: bytes) -> str:
    return f"sha1: {hashlib.sha1(raw).hexdigest()}\n"


def crc32(raw: bytes, name: str = "") -> str:
    return f"crc32: {zlib.crc32(raw):08x}, {len(raw)} bytes{name and f' of {name}'}\n"


def bitcount(raw: bytes) -> str:
    return f"bitcount: {int.from_bytes(raw, 'little').bit_count()} of {8 * len(raw)} bits\n"


def search(pattern: bytes, text: bytes) -> str:
    """Overlapping ones count; Horspool's shift is up to where the byte under the pattern's end occurs before that."""
    places = [at for at in range(len(text)) if text.startswith(pattern, at)]
    tried = at = 0
    while at + len(pattern) <= len(text):
        last = at + len(pattern) - 1
        at += len(pattern) - 1 - pattern[:-1].rfind(text[last : last + 1])
        tried += 1
    first = places[0] if places else 0
    return f"search: {len(places)} times, first at {first}, {tried} of {len(text)} places tried\n"


def dijkstra(graph: bytes) -> str:
    nodes, *numbers = map(int, graph.split())
    ways = defaultdict(list)
    for start, end, length in zip(*[iter(numbers)] * 3, strict=True):
        ways[start].append((end, length))
    found: dict[int, int] = {}
    waiting = [(0, 0)]
    while waiting:
        distance, node = heapq.heappop(waiting)
        if node not in found:
            found[node] = distance
            for end, length in ways[node]:
                heapq.heappush(waiting, (distance + length, end))
    sums = f"distances add up to {sum(found.values())}, the farthest is {max(found.values())}"
    return f"dijkstra: {len(found)} of {nodes} nodes reached, {sums}\n"


def patricia(routes: bytes, addresses: bytes) -> str:
    hops = {ipaddress.ip_network(line.split()[0]): int(line.split()[1]) for line in routes.decode().splitlines()}
    found = checksum = 0
    asked = addresses.decode().split()
    for address in map(ipaddress.ip_address, asked):
        longest = max((net for net in hops if address in net), key=lambda net: net.prefixlen, default=None)
        found += longest is not None
        checksum = (checksum * 31 + (-1 if longest is None else hops[longest])) & 0xFFFFFFFF
    prefixes = sorted(f"{int(net.network_address):032b}"[: net.prefixlen] for net in hops)
    nodes = {*prefixes, *(_common(a, b) for a, b in pairwise(prefixes))}
    return (
        f"patricia: {len(hops)} routes in {len(nodes)} nodes, {found} of {len(asked)} addresses have one, "
        f"checksum {checksum:08x}\n"
    )


def _common(a: str, b: str) -> str:
    n = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a[:n]


def ordered(records: bytes) -> bytes:
    return b"".join(sorted(records.splitlines(keepends=True)))


def look(key: bytes, records: bytes) -> bytes:
    return b"".join(line for line in ordered(records).splitlines(keepends=True) if line.startswith(key))


class _Adpcm:
    """One side's state (IMA Digital Audio Focus, 1992)."""

    def __init__(self) -> None:
        self.value, self.index = 0, 0

    def hear(self, code: int) -> int:
        """The sample that a code stands for."""
        step = STEPS[self.index]
        offset = step // 8 + self._distance(step, code)
        self.value = max(-32768, min(32767, self.value + (-offset if code & 8 else offset)))
        self.index = max(0, min(88, self.index + (-1, -1, -1, -1, 2, 4, 6, 8)[code & 7]))
        return self.value

    def say(self, sample: int) -> int:
        """The code that reaches farthest without going past the sample."""
        step, off = STEPS[self.index], abs(sample - self.value)
        fitting = [code for code in range(8) if self._distance(step, code) <= off]
        code = max(fitting) | (8 if sample < self.value else 0)
        self.hear(code)
        return code

    @staticmethod
    def _distance(step: int, code: int) -> int:
        return sum(step // part for bit, part in ((4, 1), (2, 2), (1, 4)) if code & bit)


def adpcm_encode(sound: bytes) -> bytes:
    samples = [int.from_bytes(sound[at : at + 2], "little", signed=True) for at in range(0, len(sound) - 1, 2)]
    side = _Adpcm()
    codes = [side.say(sample) for sample in samples + [0] * (len(samples) % 2)]
    return bytes(high << 4 | low for high, low in zip(*[iter(codes)] * 2, strict=True))


def adpcm_decode(codes: bytes) -> bytes:
    side = _Adpcm()
    return b"".join(
        side.hear(code).to_bytes(2, "little", signed=True) for byte in codes for code in (byte >> 4, byte & 15)
    )


def unpacked(packed: bytes) -> bytes:
    """What `lz pack` was given."""
    text, at = bytearray(), 0
    while at < len(packed):
        flags, at = packed[at], at + 1
        for item in range(8):
            if at < len(packed) and flags >> item & 1:
                pair, at = int.from_bytes(packed[at : at + 2], "little"), at + 2
                for _ in range((pair >> 12) + 3):
                    text.append(text[-(pair & 0xFFF) - 1])
            elif at < len(packed):
                text.append(packed[at])
                at += 1
    return bytes(text)


def script(size: str) -> str:
    """What the whole training set prints."""
    files = data.inputs(size)
    text = files["text"]
    of_files = {name: files[name] for name in ("text", "graph", "routes", "addresses")}
    of_files |= {f"/disk/{size}/sound": files["sound"], "/disk/copy": text}
    return "".join(
        [
            *(wc(text), sha1(text), *(crc32(raw, name) for name, raw in of_files.items()), bitcount(files["noise"])),
            *(search(b"hotpath", text), dijkstra(files["graph"]), patricia(files["routes"], files["addresses"])),
            *(sha1(look(b"07", files["records"])), wc(ordered(files["records"])[:320])),
            *(crc32(adpcm_decode(adpcm_encode(files["sound"]))), sha1(text), crc32(bytes(2 * data.SIZES[size].text))),
        ]
    )


def left_behind(size: str, disk: Mapping[str, bytes]) -> bool:
    """Whether these files of the disk's root, all there are, are what the whole training set writes."""
    files = data.inputs(size)
    return (
        set(disk) == {"adpcm", "copy", "sorted", "text.lz"}
        and disk["adpcm"] == adpcm_encode(files["sound"])
        and disk["copy"] == unpacked(disk["text.lz"]) == files["text"]
        and disk["sorted"] == ordered(files["records"])
        and len(disk["text.lz"]) < 0.6 * len(files["text"])
    )
