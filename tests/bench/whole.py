"""The whole way of a generated image: load, count, specialize with what the counters say, lay out, write.

`python -m tests.bench.whole INSTRUCTIONS` prints each step's processor time, and the memory that was needed.
"""

from __future__ import annotations

import resource
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import unicorn
from unicorn import x86_const as x86

from rewriter.analysis.callers import EVERYTHING
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.elf.place import place
from rewriter.ir import Program
from rewriter.passes.inline import Inliner
from rewriter.passes.layout import arrange, order_functions, pack
from rewriter.passes.paths import Path
from rewriter.passes.transform import PASSES, Transformer, used_tables
from rewriter.passes.work import Work
from rewriter.phases.order import BEYOND
from rewriter.probes.counters import COUNTS, insert_counters
from rewriter.profile import Edge, Profile, function_weights, hot
from rewriter.verify import labels
from rewriter.x86.flow import Flow, flow
from tests.random_c.big import big

NEW_CALLS = 20  # as many as a kernel gets
STACK = 0x7FFF0000
PT_LOAD = 1
THETA = 0.9


@dataclass
class Whole:
    """What came out: the image, its functions, seconds by step, MiB at the end of each."""

    image: bytes = b""
    functions: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


def whole(image: bytes) -> Whole:
    """Everything, one step after the other; the machine that runs the counting image is not ours to time."""
    found = Whole()
    clock = _Clock(found)
    program = load(image)
    clock.lap("load")
    counting = program.copy()
    counters = insert_counters(counting, Contract())
    written = emit(counting)
    clock.lap("count")
    at = place(counting).addresses[COUNTS]
    blocks, edges = counters.decode(run(written, at, counters.size))
    clock.skip()
    profile = Profile("0" * 64, blocks=blocks, edges=edges)
    index = Index(program)
    depths = Depths(index, Contract())
    for function in program.functions:
        depths.of(function.name)
    clock.lap("analyze")
    transformer = Transformer(frozenset(labels(program)), lambda *_: None)
    for name in hottest(program, blocks):
        _replace(program, depths, profile, transformer, name)
    clock.lap("specialize")
    _lay_out(program, blocks, edges)
    clock.lap("lay out")
    found.image = emit(program)
    clock.lap("write")
    found.functions = len(load(found.image).functions)
    return found


class _Clock:
    def __init__(self, found: Whole) -> None:
        self.found = found
        self.last = time.process_time()

    def lap(self, step: str) -> None:
        self.found.seconds[step] = time.process_time() - self.last
        self.found.memory[step] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.skip()

    def skip(self) -> None:
        self.last = time.process_time()


def hottest(program: Program, blocks: Mapping[str, int]) -> Iterator[str]:
    """The heaviest functions of the table that the program calls one after the other."""
    called = {ref.target for data in program.data for ref in data.refs.values()}
    weights = function_weights(program, blocks)
    ranked = sorted(weights, key=lambda name: (-weights[name], name))
    yield from [name for name in ranked if name in called and name.startswith("f")][:NEW_CALLS]


def _replace(program: Program, depths: Depths, profile: Profile, transformer: Transformer, name: str) -> None:
    """A copy with its calls inlined, as a region, in the place of the function in the table."""
    index = depths.index
    paths = tuple(
        Path(block.label, callee)
        for block in index.functions[name].blocks
        if block.insns and flow(block.insns[-1].raw) is Flow.CALL and (callee := index.callee(block.insns[-1]))
    )
    made = Inliner(depths, profile).run(name, f"{name}$0", paths)
    work = Work.on(made, depths, Contract(), EVERYTHING)
    work.early = work.copy()
    transformer.run(work, (*PASSES[:-1], *BEYOND, PASSES[-1]))
    program.functions.append(work.function)
    program.data += used_tables(work)
    for data in program.data:
        for at, ref in data.refs.items():
            if ref.target == name:
                data.refs[at] = replace(ref, target=work.name)


def _lay_out(program: Program, blocks: Mapping[str, int], edges: Mapping[Edge, int]) -> None:
    """Pettis–Hansen, of all blocks and of all functions."""
    chosen = set(hot(function_weights(program, blocks), THETA))
    for function in program.functions:
        arrange(function, lambda a, b: edges.get((a, b), 0), lambda label: blocks.get(label, 0) > 0)
    program.functions = order_functions(Index(program), blocks)
    pack(program.functions, chosen)


def run(image: bytes, at: int, size: int) -> bytes:
    """Run a program that ends with a system call, and read its memory then."""
    engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
    entry, table = struct.unpack_from("<II", image, 24)
    (count,) = struct.unpack_from("<H", image, 44)
    for i in range(count):
        kind, offset, address, _, filled, needed = struct.unpack_from("<6I", image, table + 32 * i)
        if kind == PT_LOAD:
            first = address & -4096
            engine.mem_map(first, (address + needed - first + 4095) & -4096)
            engine.mem_write(address, image[offset : offset + filled])
    engine.mem_map(STACK - 0x10000, 0x10000)
    engine.reg_write(x86.UC_X86_REG_ESP, STACK - 64)
    engine.hook_add(unicorn.UC_HOOK_INTR, lambda uc, number, _: uc.emu_stop())
    engine.emu_start(entry, 0)
    return bytes(engine.mem_read(at, size))


if __name__ == "__main__":
    done = whole(big(int(sys.argv[1])))
    for step, seconds in done.seconds.items():
        print(f"{step:12} {seconds:6.1f} s  {done.memory[step]:6.0f} MiB")
    print(f"{'all':12} {sum(done.seconds.values()):6.1f} s")
