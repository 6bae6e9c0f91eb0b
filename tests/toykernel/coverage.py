"""Which blocks of the kernel do the programs of the tests execute?  Our own counters say so (§2 step 2).

python -m tests.toykernel.coverage            what was never executed, by function
python -m tests.toykernel.coverage FUNCTION…  whole listings, such blocks marked
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Block, Function, Program
from rewriter.probes.counters import insert_counters
from rewriter.show import instruction, listing
from tests.toykernel.boots import workload
from toykernel import image
from toykernel.machine import Machine, Workload

SHOWN = 4  # instructions of a block


@dataclass(frozen=True)
class Coverage:
    kernel: Program
    executed: dict[str, int]  # blocks with counters, by label

    def missed(self, function: Function) -> list[Block]:
        return [block for block in function.blocks if self.executed.get(block.label) == 0]

    def counted(self, function: Function) -> int:
        return sum(block.label in self.executed for block in function.blocks)

    @property
    def share(self) -> float:
        return sum(map(bool, self.executed.values())) / len(self.executed)

    def lines(self) -> Iterable[str]:
        """Functions, those with most missing first, and the beginnings of blocks that were never executed."""
        for function in sorted(self.kernel.functions, key=lambda f: (-len(self.missed(f)), f.name)):
            if not self.counted(function):
                yield f"{function.name}: no counters ({function.pins[0] if function.pins else 'before paging'})"
            elif missed := self.missed(function):
                yield f"{function.name}: {len(missed)} of {self.counted(function)}"
                yield from (f"    {line}" for block in missed for line in beginning(block))
        blocks, total = sum(map(bool, self.executed.values())), len(self.executed)
        yield f"{blocks:,} of {total:,} blocks executed: {self.share:.1%}"

    def marked(self, function: Function) -> str:
        """The function's listing; blocks that were never executed have `-` in front."""
        missed = {block.label for block in self.missed(function)}
        text = []
        for block in function.blocks:
            mark = "- " if block.label in missed else "  "
            text += [mark + line for line in listing(Function(function.name, [block])).splitlines()]
        return "\n".join(text)


def beginning(block: Block) -> list[str]:
    shown = [instruction(insn) for insn in block.insns[:SHOWN]]
    more = " …" if len(block.insns) > SHOWN else ""
    return [f"{block.label}: {'; '.join(shown)}{more}"]


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
    return Coverage(kernel, dict(executed))


def counted(*commands: str) -> Workload:
    """Counters begin at zero when the kernel boots, so that the boot is counted, too."""
    return workload(*commands, "kprofile write blocks edges")


BOOTS = (
    counted("calls", "fault divide", "readseek 65536 2", "kprofile start cycles", "hello", "kprofile write cycles"),
)


def main(names: Sequence[str]) -> None:
    coverage = measure(BOOTS)
    if not names:
        print("\n".join(coverage.lines()))
    for function in coverage.kernel.functions:
        if function.name in names:
            print(coverage.marked(function))


if __name__ == "__main__":
    main(sys.argv[1:])
