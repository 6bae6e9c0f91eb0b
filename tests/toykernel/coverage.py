"""Which blocks of the kernel do the programs of the tests execute?  Our own counters say so (§2 step 2).

    python -m tests.toykernel.coverage            what was never executed, by function
    python -m tests.toykernel.coverage FUNCTION…  whole listings, such blocks marked

Counters begin at zero when the kernel boots, so that the boot is counted, too; what follows the last read-out is not.
Left out are blocks that cannot be executed: padding, and functions to which nothing leads, because all who call them
have a copy of their own.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Block, Function, Program
from rewriter.probes.counters import insert_counters
from rewriter.show import instruction, listing
from tests.toykernel.boots import workload
from tests.toykernel.random_calls import roomy_disk
from toykernel import disk, fsck, image
from toykernel.machine import Machine, Workload

MEMORY = 12  # MiB
OFTEN = 50  # stores to the disk between two looks at it
SHOWN = 4  # instructions of a block
PADDING = ("nop", "int3")


@dataclass(frozen=True)
class Coverage:
    functions: tuple[Function, ...]  # those to which something leads
    idle: tuple[str, ...]  # names of the others
    executed: dict[str, int]  # blocks with counters, by label

    def counted(self, function: Function) -> list[Block]:
        return [block for block in function.blocks if block.label in self.executed and not is_padding(block)]

    def missed(self, function: Function) -> list[Block]:
        return [block for block in self.counted(function) if not self.executed[block.label]]

    @property
    def blocks(self) -> tuple[int, int]:
        """How many were executed, and how many there are."""
        total, missed = (sum(len(list(part(f))) for f in self.functions) for part in (self.counted, self.missed))
        return total - missed, total

    @property
    def share(self) -> float:
        executed, total = self.blocks
        return executed / total

    def lines(self) -> Iterator[str]:
        """Functions, those with most missing first, and the beginnings of blocks that were never executed."""
        for function in sorted(self.functions, key=lambda f: (-len(self.missed(f)), f.name)):
            if not self.counted(function):
                yield f"{function.name}: no counters ({function.pins[0] if function.pins else 'before paging'})"
            elif missed := self.missed(function):
                yield f"{function.name}: {len(missed)} of {len(self.counted(function))}"
                yield from (f"    {beginning(block)}" for block in missed)
        if self.idle:
            yield f"nothing leads to {', '.join(self.idle)}"
        executed, total = self.blocks
        yield f"{executed:,} of {total:,} blocks executed: {self.share:.1%}"

    def marked(self, function: Function) -> str:
        """The function's listing; blocks that were never executed have `-` in front."""
        missed = {block.label for block in self.missed(function)}
        text = []
        for block in function.blocks:
            mark = "- " if block.label in missed else "  "
            text += [mark + line for line in listing(Function(function.name, [block])).splitlines()]
        return "\n".join(text)


def beginning(block: Block) -> str:
    shown = [text for insn in block.insns if not (text := instruction(insn)).startswith(PADDING)]
    return f"{block.label}: {'; '.join(shown[:SHOWN])}{' …' if len(shown) > SHOWN else ''}"


def is_padding(block: Block) -> bool:
    return all(instruction(insn).startswith(PADDING) for insn in block.insns)


def led_to(program: Program, roots: set[str]) -> tuple[Function, ...]:
    """The functions that something names: code of another such function, data, or one of the `roots`."""
    named = roots | {program.entry} | {ref.target for data in program.data for ref in data.refs.values()}
    found: list[Function] = []
    left = list(program.functions)
    while new := [f for f in left if f.pins or any(block.label in named for block in f.blocks)]:
        left = [f for f in left if f not in new]
        found += new
        named |= {ref.target for f in new for insn in f.insns() for ref in insn.refs}
        named |= {b.falls_to for f in new for b in f.blocks if b.falls_to}
        named |= {insn.faults_to for f in new for insn in f.insns() if insn.faults_to}
    return tuple(f for f in program.functions if f in found)


def measure(boots: Sequence[Workload]) -> Coverage:
    """Boot the kernel with counters once for each workload, which must end with a `kprofile write blocks edges`."""
    contract = Contract.parse(image.contract())
    kernel = load(image.kernel(), contract)
    counting = kernel.copy()
    counters = insert_counters(counting, contract)
    elf = emit(counting)
    executed: Counter[str] = Counter(dict.fromkeys(counters.blocks, 0))
    for work in boots:
        blocks, _ = counters.read(Machine().run(elf, work).profile)
        executed.update(blocks)
    functions = led_to(kernel, {contract.system_calls.entry} if contract.system_calls else set())
    names = {f.name for f in functions}
    return Coverage(functions, tuple(f.name for f in kernel.functions if f.name not in names), dict(executed))


def counted(*commands: str, image: bytes = b"") -> Workload:
    """With little memory, so that it can be used up."""
    return workload(*commands, "kprofile write blocks edges", disk=image, memory=MEMORY)


def crashed() -> bytes:
    """A disk on which the power failed behind the commit of files that are open and have no names."""
    found = bytearray(disk.empty())
    run = Machine(stores=True).run(image.kernel(), workload("usertests disk-orphans", disk=bytes(found)))
    for number, store in enumerate(run.stores):
        found[store.offset : store.offset + len(store.content)] = store.content
        if number % OFTEN == 0 and any(disk.transactions(bytes(found))) and fsck.orphans(disk.replayed(bytes(found))):
            return bytes(found)
    raise AssertionError("no such moment")


def boots() -> tuple[Workload, ...]:
    """All that the kernel is tested with from inside, and a boot that finds a journal."""
    faults = (f"fault {kind}" for kind in ("divide", "coprocessor", "deep-stack"))
    return (
        counted("calls", "files", "files devices", *faults, "none", "../dev/console"),
        counted("usertests", image=disk.empty()),
        counted("randomcalls 1 4000", image=roomy_disk()),
        counted("cat /proc/syscalls /proc/kprofile", image=crashed()),
        counted("kprofile start blocks edges", "kprofile stop blocks edges", "kprofile start cycles", "hello"),
        counted("kprofile start cycles", "hello", "readseek 65536 2", "kprofile write cycles"),
    )


def main(names: Sequence[str]) -> None:
    coverage = measure(boots())
    if not names:
        print("\n".join(coverage.lines()))
    for function in coverage.functions:
        if function.name in names:
            print(coverage.marked(function))


if __name__ == "__main__":
    main(sys.argv[1:])
