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
    pins = {name: {f.name: "; ".join(f.pins) for f in p.code if f.pins} for name, p in everything.items()}
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
            "pinned": pins,
        },
        (
            Table("What was loaded", columns, sizes),
            Table(
                "Pinned, and why",
                ("image", "function", "reason"),
                tuple((name, *row) for name, found in pins.items() for row in found.items()),
            ),
        ),
        files={"kernel.identity.elf": same},
    )


def share(programs: Iterable[Program]) -> tuple[int, dict[str, int]]:
    """How many functions are free to change, and how many are not, by their first reason."""
    handled, refused = 0, Counter[str]()
    for program in programs:
        for function in program.code:
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
    own = program.code
    blocks = [b for f in own for b in f.blocks]
    insns = [i for b in blocks for i in b.insns]
    refs = sum(len(i.refs) for i in insns) + sum(len(d.refs) for d in program.data)
    return len(own), sum(bool(f.pins) for f in own), len(blocks), len(insns), refs
