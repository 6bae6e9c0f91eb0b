"""What the training set works on: `small` inputs to learn from, and `large` ones to judge by.

The same files are in memory (`/data/small/…`, from the archive) and on the disk (`/disk/small/…`).  None is stored:
every one is made from a seed, by integers alone, so that it is the same everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from toykernel import disk
from toykernel.machine import Workload

T = TypeVar("T")

SEED = 24
RECORD = 32  # bytes of a record, its newline included
NETWORKS = (10, 10, 172, 192, 203)  # first bytes of addresses
SYLLABLES = (
    "ar",
    "be",
    "con",
    "da",
    "er",
    "fi",
    "gra",
    "hot",
    "in",
    "ker",
    "lo",
    "ma",
    "nel",
    "path",
    "re",
    "sys",
    "ti",
)


@dataclass(frozen=True)
class Size:
    """How much there is of everything."""

    text: int  # bytes
    records: int
    noise: int  # bytes
    nodes: int
    ways: int
    routes: int
    addresses: int
    samples: int


SIZES = {
    "small": Size(text=12_000, records=256, noise=3_001, nodes=40, ways=160, routes=60, addresses=120, samples=4_000),
    "large": Size(
        text=60_000, records=1_536, noise=16_001, nodes=240, ways=1_200, routes=400, addresses=800, samples=16_000
    ),
}

# Every program, on files in memory and on the disk, in pipes, and on a device.
SCRIPT = """\
# The training set on {size} inputs.
cd /data/{size}
wc text
cat text | tee /disk/copy | sha1
crc32 text graph routes addresses /disk/{size}/sound /disk/copy
bitcount /disk/{size}/noise
search hotpath text
dijkstra graph
patricia routes addresses
sort -T /disk /disk/{size}/records > /disk/sorted
look 07 /disk/sorted | sha1
sort records | head 320 | wc
adpcm encode < sound | tee /disk/adpcm | adpcm decode | crc32
lz pack < text > /disk/text.lz
lz unpack < /disk/text.lz | sha1
head {zeros} /dev/zero | crc32
"""


def text(size: Size, draw: random.Random) -> bytes:
    """Lines of words, of which a few are frequent and most are rare."""
    words = ["".join(_pick(draw, SYLLABLES) for _ in range(1 + number % 4)) for number in range(400)]
    lines: list[str] = []
    while sum(map(len, lines)) < size.text:
        line = [words[_below(draw, 1 + _below(draw, len(words)))] for _ in range(4 + _below(draw, 9))]
        lines.append(" ".join(line) + "\n")
    return "".join(lines).encode()[: size.text]


def records(size: Size, draw: random.Random) -> bytes:
    """Lines of equal length, which begin with a number in no order; some numbers come twice."""
    lines = [f"{draw.getrandbits(14):05d} {draw.getrandbits(100):025x}" for _ in range(size.records)]
    return "".join(f"{line}\n" for line in lines).encode()


def noise(size: Size, draw: random.Random) -> bytes:
    """Bytes without any order; their number is odd."""
    return draw.getrandbits(8 * size.noise).to_bytes(size.noise, "little")


def graph(size: Size, draw: random.Random) -> bytes:
    """The number of nodes, then `from to length`.  The last nodes may be out of reach."""
    ways = [
        f"{_below(draw, size.nodes)} {_below(draw, size.nodes - 3)} {1 + _below(draw, 100)}" for _ in range(size.ways)
    ]
    return "".join(f"{line}\n" for line in (str(size.nodes), *ways)).encode()


def routes(size: Size, draw: random.Random) -> bytes:
    """`prefix/length hop`, many of them within others, all different."""
    found: dict[str, int] = {}
    while len(found) < size.routes:
        length = _pick(draw, (8, 12, 16, 19, 24, 32))
        found[f"{_dotted(_address(draw, NETWORKS) & -1 << (32 - length))}/{length}"] = 1 + _below(draw, 250)
    return "".join(f"{prefix} {hop}\n" for prefix, hop in found.items()).encode()


def addresses(size: Size, draw: random.Random) -> bytes:
    """Some of them in a network that no route leads to."""
    found = [_address(draw, (*NETWORKS, 127)) for _ in range(size.addresses)]
    return "".join(f"{_dotted(address)}\n" for address in found).encode()


def sound(size: Size, draw: random.Random) -> bytes:
    """16 bits a sample, little-endian: two triangular waves that fade, and some noise."""
    samples = []
    for at in range(size.samples):
        loud = 12_000 - at % 4_000 * 3
        value = _wave(at, 90) * loud // 100 + _wave(at, 37) * loud // 250 + _below(draw, 400) - 200
        samples.append(value.to_bytes(2, "little", signed=True))
    return b"".join(samples)


FILES: Mapping[str, Callable[[Size, random.Random], bytes]] = {
    "addresses": addresses,
    "graph": graph,
    "noise": noise,
    "records": records,
    "routes": routes,
    "sound": sound,
    "text": text,
}


@cache
def inputs(size: str) -> Mapping[str, bytes]:
    """The files of a size, by name."""
    seeds = enumerate(FILES.items(), SEED * SIZES[size].text)
    return {name: make(SIZES[size], random.Random(seed)) for seed, (name, make) in seeds}


def in_memory(size: str) -> dict[str, bytes]:
    """The inputs, and the script that runs all programs on them, by their path in the archive."""
    script = SCRIPT.format(size=size, zeros=2 * SIZES[size].text)
    return {f"data/{size}.sh": script.encode()} | {f"data/{size}/{name}": raw for name, raw in inputs(size).items()}


def on_disk(size: str) -> dict[str, bytes]:
    """The inputs by their path on the disk."""
    return {f"{size}/{name}": raw for name, raw in inputs(size).items()}


def workload(commands: Sequence[str], files: Mapping[str, bytes]) -> Workload:
    """Work with these files in the archive, and the inputs of each size that a command line names, in memory and on
    the disk: `sh /data/small.sh` has all that are small."""
    memory, stored = dict(files), dict[str, bytes]()
    for size in SIZES:
        if any(f"/{size}" in command for command in commands):
            memory |= in_memory(size)
            stored |= on_disk(size)
    return Workload(commands, memory, disk.make(stored))


def _below(draw: random.Random, limit: int) -> int:
    """A number from 0 on; from `getrandbits`, which gives the same in every version of Python."""
    return draw.getrandbits(32) * limit >> 32


def _pick(draw: random.Random, among: Sequence[T]) -> T:
    return among[_below(draw, len(among))]


def _address(draw: random.Random, networks: Sequence[int]) -> int:
    """From few networks, so that prefixes lie within others."""
    return _pick(draw, networks) << 24 | _below(draw, 8) << 21 | _below(draw, 16) << 12 | draw.getrandbits(12)


def _dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def _wave(at: int, period: int) -> int:
    """A triangle between -100 and 100."""
    phase = at % period * 400 // period
    return phase - 100 if phase < 200 else 300 - phase
