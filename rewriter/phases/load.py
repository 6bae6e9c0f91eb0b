"""Phase 1, load (§2): the relocatable ELF becomes functions, blocks, instructions; every address a symbol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rewriter.elf import emit, load
from rewriter.ir import Program
from rewriter.options import System
from rewriter.report import PhaseResult, Table


@dataclass(frozen=True, slots=True)
class Loaded:
    kernel: Program
    programs: Mapping[str, Program]


def run(system: System, poll: Callable[[], None]) -> tuple[Loaded, PhaseResult]:
    """Load the kernel and every program.  Raises ElfError."""
    kernel = load(system.kernel, system.contract)
    programs = {}
    for name, raw in sorted(system.programs.items()):
        poll()
        programs[name] = load(raw)
    everything = {"kernel": kernel, **programs}
    handled, refused = share(everything.values())
    sizes = tuple((name, *_sizes(program)) for name, program in everything.items())
    columns = ("image", "functions", "pinned", "blocks", "instructions", "references")
    pins = tuple((f.name, "; ".join(f.pins)) for p in everything.values() for f in p.functions if f.pins)
    total = sum(row[4] for row in sizes)
    same = emit(kernel)
    return Loaded(kernel, programs), PhaseResult(
        "load",
        "§2",
        f"Relocations tell numbers from addresses, so {total:,} instructions can move without changing what they mean.",
        0.0,
        handled,
        refused,
        {
            "images": {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in sizes},
            "pinned": dict(pins),
        },
        (Table("What was loaded", columns, sizes), Table("Pinned, and why", ("function", "reason"), pins)),
        files={"kernel.identity.elf": same},
    )


def share(programs: Iterable[Program]) -> tuple[int, dict[str, int]]:
    """How many functions are free to change, and how many are not, by their first reason.  Data is no function."""
    handled, refused = 0, Counter[str]()
    for program in programs:
        for function in program.functions:
            if function.is_data:
                continue
            if function.pins:
                refused[kind(function.pins[0])] += 1
            else:
                handled += 1
    return handled, dict(sorted(refused.items()))


def kind(reason: str) -> str:
    """A reason without the names in it: `calls f, which reads …` is counted with `calls g, which reads …`."""
    words = reason.split(", which ", 1)
    return f"…, which {words[1]}" if len(words) == 2 else reason.split(" at ")[0]


def _sizes(program: Program) -> tuple[int, int, int, int, int]:
    blocks = [b for f in program.functions for b in f.blocks]
    insns = [i for b in blocks for i in b.insns]
    refs = sum(len(i.refs) for i in insns) + sum(len(d.refs) for d in program.data)
    return len(program.functions), sum(bool(f.pins) for f in program.functions), len(blocks), len(insns), refs
