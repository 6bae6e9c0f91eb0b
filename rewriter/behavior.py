"""Did two kernels do the same?  Pure functions over two runs (DESIGN §6: behavior first, then cost).

The n-th system call of a process in one run is compared with its n-th in the other.  A retargeted program differs
from its original in the numbers that it loads, so numbers are not compared, results and registers are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rewriter.run import Call, Run

Key = tuple[int, int]  # a call: its process, and its number among that one's calls
CHECKED = ("console", "returns", "registers", "memory", "files", "exit")
MASKED = "nothing: the machine's clock counts instructions of user mode, so both runs read the same time"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first way in which two runs differ; `what` is one of CHECKED."""

    what: str
    detail: str


def checked(run: Run) -> list[str]:
    """What a comparison with this run compares; files only where there was a disk."""
    return [what for what in CHECKED if what != "files" or run.files]


def differences(original: Run, other: Run) -> list[Difference]:
    """One difference of each kind at most; empty where both runs behaved the same."""
    found: dict[str, Difference] = {}
    for difference in _all(original, other):
        found.setdefault(difference.what, difference)
    return [found[what] for what in CHECKED if what in found]


def _all(original: Run, other: Run) -> Iterator[Difference]:
    if original.console != other.console:
        yield Difference("console", _first_line(original.console, other.console))
    if tuple(original.exits) != tuple(other.exits):
        yield Difference("exit", f"{list(original.exits)} became {list(other.exits)}")
    if dict(original.files) != dict(other.files):
        names = sorted({*original.files, *other.files})
        changed = [n for n in names if original.files.get(n) != other.files.get(n)]
        yield Difference("files", f"{', '.join(changed[:3])} differ")
    if len(original.calls) != len(other.calls):
        yield Difference("returns", f"{len(original.calls)} system calls became {len(other.calls)}")
    counterparts = keyed(other)
    for n, (key, call) in enumerate(keyed(original).items()):
        if key in counterparts:
            yield from _call(n, call, counterparts[key])


def keyed(run: Run) -> dict[Key, Call]:
    """The calls in their order, by process and by their number among its calls."""
    numbers = Counter[int]()
    found: dict[Key, Call] = {}
    for call in run.calls:
        found[call.process, numbers[call.process]] = call
        numbers[call.process] += 1
    return found


def _call(n: int, first: Call, second: Call) -> Iterator[Difference]:
    where = f"call {n} ({first.program}, number {first.number} at {first.site:#x})"
    if (first.program, first.site) != (second.program, second.site):
        yield Difference("returns", f"{where} became one of {second.program} at {second.site:#x}")
    if first.result != second.result:
        yield Difference("returns", f"{where} returned {first.result}, then {second.result}")
    if first.registers != second.registers:
        yield Difference("registers", f"{where} left {_hex(first.registers)}, then {_hex(second.registers)}")
    if first.memory != second.memory:
        yield Difference("memory", f"user memory differs after {where}")


def _first_line(first: bytes, second: bytes) -> str:
    lines, others = first.split(b"\n"), second.split(b"\n")
    for n, (line, other) in enumerate(zip(lines, others, strict=False), 1):
        if line != other:
            return f"line {n}: {line[:60]!r} became {other[:60]!r}"
    return f"{len(lines)} lines became {len(others)}"


def _hex(registers: Sequence[int]) -> str:
    return " ".join(f"{r:x}" for r in registers)


def result_class(call: Call) -> str:
    """How a call ended: `error`, `zero`, `full` (the count that was asked for), `partial`, or `none`.  Calls that
    ended alike are compared with each other."""
    if call.result is None:
        return "none"
    if -4096 < call.result < 0:
        return "error"
    if call.result == 0:
        return "zero"
    return "full" if len(call.arguments) > 2 and call.result == call.arguments[2] else "partial"
