"""What running a kernel taught: argument values, block and edge counts, call traces (§2, §3).

A `Profile` belongs to one kernel, named by the SHA-256 of its ELF file, and names code by the labels of that
file's `load`.  Profiles of the same kernel add: several inputs make one composite profile (§5).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rewriter.ir import Program

SCHEMA = "hotpath.profile/1"
MAX_COUNT = 1 << 64  # counters have 64 bits; sums of profiles stay below or are refused


class ProfileError(ValueError):
    """The profile cannot be read, or is another kernel's; the message is one line."""


class Site(NamedTuple):
    """Where a program asks the kernel for something: its file name, the address of its `int 0x80`, the call."""

    program: str
    address: int
    number: int


Place = tuple[str, int]  # a label, and how far behind it; for code in instructions, for data in bytes
Edge = tuple[str, str]  # labels: control went from the end of the first block to the second
Arguments = tuple[int, ...]  # ebx, ecx, edx, esi, edi, ebp at the gate


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    """`count` times `function` was entered with these calls active: labels of the blocks that end with the
    call, innermost first (§3.1)."""

    function: str
    sites: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts from runs of one kernel.  `arguments` counts, by site, each group of all arguments (§4.2); `values`,
    by the block of the kernel that ends with a direct call, the groups of stack arguments that its table kept, () for
    all others; `pointers`, by instruction that loads one, the places in data that its word was the address of."""

    kernel: str  # SHA-256 of the ELF file, hexadecimal
    arguments: Mapping[Site, Mapping[Arguments, int]] = field(default_factory=dict)
    blocks: Mapping[str, int] = field(default_factory=dict)
    edges: Mapping[Edge, int] = field(default_factory=dict)
    traces: tuple[Trace, ...] = ()
    values: Mapping[str, Mapping[Arguments, int]] = field(default_factory=dict)
    pointers: Mapping[Place, Mapping[Place, int]] = field(default_factory=dict)

    def __add__(self, other: Profile) -> Profile:
        """The composite of both.  Raises ProfileError where they belong to different kernels."""
        if self.kernel != other.kernel:
            raise ProfileError(f"profiles of different kernels do not add: {self.kernel[:12]}, {other.kernel[:12]}")
        groups = {
            site: _sum(self.arguments.get(site, {}), other.arguments.get(site, {}))
            for site in sorted({*self.arguments, *other.arguments})
        }
        return Profile(
            self.kernel,
            groups,
            _sum(self.blocks, other.blocks),
            _sum(self.edges, other.edges),
            merged(self.traces + other.traces),
            {
                site: _sum(self.values.get(site, {}), other.values.get(site, {}))
                for site in sorted({*self.values, *other.values})
            },
            {
                at: _sum(self.pointers.get(at, {}), other.pointers.get(at, {}))
                for at in sorted({*self.pointers, *other.pointers})
            },
        )

    def check_kernel(self, kernel: bytes) -> None:
        """Raises ProfileError unless the profile was taken on this ELF file."""
        if identity(kernel) != self.kernel:
            raise ProfileError(f"the profile is of kernel {self.kernel[:12]}, not of {identity(kernel)[:12]}")

    def to_json(self) -> str:
        """One line for each count, everything sorted: equal profiles are equal bytes."""
        traces = [[t.function, list(t.sites), t.count] for t in merged(self.traces)]
        groups = [
            [*site, list(values), count]
            for site, counts in sorted(self.arguments.items())
            for values, count in sorted(counts.items())
        ]
        parts = {
            "schema": SCHEMA,
            "kernel": self.kernel,
            "arguments": groups,
            "blocks": [[label, count] for label, count in sorted(self.blocks.items())],
            "edges": [[*edge, count] for edge, count in sorted(self.edges.items())],
            "traces": traces,
            "values": [
                [site, list(passed), count]
                for site, counts in sorted(self.values.items())
                for passed, count in sorted(counts.items())
            ],
            "pointers": [
                [*at, *to, count]
                for at, counts in sorted(self.pointers.items())
                for to, count in sorted(counts.items())
            ],
        }
        lines = (f"{json.dumps(key)}: {_rows(value)}" for key, value in parts.items())
        return "{" + ",\n".join(lines) + "}\n"

    @staticmethod
    def from_json(text: str | bytes) -> Profile:
        """Raises ProfileError for anything that `to_json` would not write."""
        try:
            table = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProfileError(f"not a profile: {str(error).splitlines()[0]}") from None
        if not isinstance(table, dict):
            raise ProfileError("not a profile: no JSON object")
        if table.get("schema") != SCHEMA:
            raise ProfileError(f"schema {_short(table.get('schema'))}, expected {SCHEMA!r}")
        known = {"schema", "kernel", "arguments", "blocks", "edges", "traces", "values", "pointers"}
        unknown = sorted(table.keys() - known)
        if unknown:
            raise ProfileError(f"a profile has no {_short(unknown[0])}")
        return Profile(
            _kernel(table.get("kernel")),
            _read_arguments(table),
            dict(_read(table, "blocks", (_text, _count))),
            {(start, end): count for start, end, count in _read(table, "edges", (_text, _text, _count))},
            tuple(sorted(Trace(*row) for row in _read(table, "traces", (_text, _texts, _count)))),
            _read_values(table),
            _read_pointers(table),
        )


def identity(kernel: bytes) -> str:
    """What names a kernel in its profiles and in the programs retargeted for it."""
    return hashlib.sha256(kernel).hexdigest()


def merged(traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """Sorted, with equal traces of equal functions as one."""
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for trace in traces:
        counts[trace.function, trace.sites] += trace.count
    return tuple(Trace(function, sites, count) for (function, sites), count in sorted(counts.items()))


def block_weights(program: Program, blocks: Mapping[str, int]) -> dict[str, int]:
    """weight(B) = m·n: instructions of the block times its executions (§3.2), by label."""
    return {
        block.label: len(block.insns) * blocks[block.label]
        for function in program.functions
        for block in function.blocks
        if block.label in blocks
    }


def function_weights(program: Program, blocks: Mapping[str, int]) -> dict[str, int]:
    """The weight of a function is the sum of the weights of its blocks (§3.2), by name."""
    weights = block_weights(program, blocks)
    return {f.name: sum(weights.get(block.label, 0) for block in f.blocks) for f in program.functions}


def hot(weights: Mapping[str, int], theta: float, total: int | None = None) -> tuple[str, ...]:
    """The heaviest names which together reach the share `theta` of `total` (default: of all weights), heaviest
    first (§3.2).  A `total` that includes unmeasured code may be out of reach: then all that ran are hot."""
    if not 0 < theta <= 1:
        raise ValueError(f"theta is {theta}, must be above 0 and at most 1")
    wanted = theta * (sum(weights.values()) if total is None else total)
    chosen: list[str] = []
    covered = 0
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        if covered >= wanted or weights[name] == 0:
            break
        chosen.append(name)
        covered += weights[name]
    return tuple(chosen)


def _sum(first: Mapping[Any, int], second: Mapping[Any, int]) -> dict[Any, int]:
    return {key: first.get(key, 0) + second.get(key, 0) for key in sorted({*first, *second})}


def _rows(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(row) for row in value) + "\n]"


def _read_arguments(table: dict[str, Any]) -> dict[Site, dict[Arguments, int]]:
    found: dict[Site, dict[Arguments, int]] = {}
    for program, address, number, values, count in _read(table, "arguments", (_text, _word, _word, _words, _count)):
        found.setdefault(Site(program, address, number), {})[values] = count
    return found


def _read_values(table: dict[str, Any]) -> dict[str, dict[Arguments, int]]:
    found: dict[str, dict[Arguments, int]] = {}
    for site, passed, count in _read(table, "values", (_text, _words, _count)):
        found.setdefault(site, {})[passed] = count
    return found


def _read_pointers(table: dict[str, Any]) -> dict[Place, dict[Place, int]]:
    found: dict[Place, dict[Place, int]] = {}
    for label, position, data, offset, count in _read(table, "pointers", (_text, _word, _text, _word, _count)):
        found.setdefault((label, position), {})[data, offset] = count
    return found


def _read(table: dict[str, Any], key: str, kinds: tuple[Callable[[Any], Any], ...]) -> list[list[Any]]:
    """The rows under `key`, each cell checked by its kind; a row that repeats another's key is refused."""
    rows = table.get(key, [])
    if not isinstance(rows, list):
        raise ProfileError(f"{key} is not a list")
    seen = set()
    result = []
    for row in rows:
        if not isinstance(row, list) or len(row) != len(kinds):
            raise ProfileError(f"{key} holds {_short(row)}, expected {len(kinds)} items")
        checked = [kind(cell) for kind, cell in zip(kinds, row, strict=True)]
        if tuple(checked[:-1]) in seen:
            raise ProfileError(f"{key} holds {_short(row)} twice")
        seen.add(tuple(checked[:-1]))
        result.append(checked)
    return result


def _kernel(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ProfileError(f"kernel is {_short(value)}, expected 64 hexadecimal digits")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ProfileError(f"{_short(value)} is not a name")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ProfileError(f"{_short(value)} is not a list of names")
    return tuple(_text(item) for item in value)


def _count(value: Any, limit: int = MAX_COUNT) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise ProfileError(f"{_short(value)} is not a count")
    return value


def _word(value: Any) -> int:
    return _count(value, 1 << 32)


def _words(value: Any) -> Arguments:
    if not isinstance(value, list):
        raise ProfileError(f"{_short(value)} is not a list of words")
    return tuple(_word(item) for item in value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
