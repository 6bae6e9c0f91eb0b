"""Random programs, and what single-stepping counts in them."""

import random
from collections import Counter

from rewriter.ir import Block, Data, Function, Insn, Ref, RefKind
from rewriter.x86.encode import assemble, branch, call, jump
from rewriter.x86.flow import Flow, flow, sweep
from tests.probes.flat import STOP, Flat

CONDITIONS = ("e", "ne", "b", "ae", "s", "ns", "o", "no", "p", "a", "le")
RET = Insn(b"\xc3")


def lines(*text: str) -> list[Insn]:
    return list(assemble(text))


class RandomProgram:
    """Functions of a few blocks; where they go depends on eax, which they stir; ecx limits the blocks."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.data = [Data("table", None, bytes(16), writable=False)]
        size = self.rng.randrange(4, 14)
        self.names = ["f", *(f"f.{i}" for i in range(1, size))]
        self.functions = [Function("f", self.blocks()), self.callee()]

    def callee(self) -> Function:
        """Returns its result in the flags, as hand-written code does."""
        return Function(
            "g",
            [
                Block("g", [*lines("test al, 8"), branch("ne", "g.1")], "g.2"),
                Block("g.2", [*lines("rol eax, 3"), RET]),
                Block("g.1", lines("rol eax, 5"), "g.2"),
            ],
        )

    def blocks(self) -> list[Block]:
        last = self.names[-1]
        found = []
        for name, after in zip(self.names, self.names[1:], strict=False):
            found.append(Block(name, self.head(), f"{name}.go"))
            found[-1].insns += [*lines("dec ecx"), branch("e", last)]
            found += self.ways(f"{name}.go", after)
        return [*found, Block(last, [RET])]

    def head(self) -> list[Insn]:
        chosen = self.rng.sample(["rol eax, 7", "xor eax, 0x9e3779b9", "lea eax, [eax + 12345]", "mov edx, eax"], 2)
        return lines(*chosen)

    def ways(self, name: str, after: str) -> list[Block]:
        """One or two blocks from `name` on; some begin with live flags."""
        target = self.rng.choice(self.names)
        test = lines(f"test al, {self.rng.randrange(1, 127)}")
        condition = self.rng.choice(CONDITIONS)
        kind = self.rng.randrange(6)
        if kind == 0:
            return [Block(name, [jump(self.rng.choice((after, target)))])]
        if kind == 1:
            return [
                Block(name, [*test, branch(condition, target)], f"{name}.again"),
                Block(f"{name}.again", [branch(self.rng.choice(CONDITIONS), self.rng.choice(self.names))], after),
            ]
        if kind == 2:
            return [Block(name, [call("g")], f"{name}.back"), Block(f"{name}.back", [branch(condition, target)], after)]
        if kind == 3 and not self.data[0].refs:
            return [self.table_jump(name)]
        if kind == 4:
            return [Block(name, [*test, branch(condition, after)], after)]
        return [Block(name, [*test, branch(condition, target)], after)]

    def table_jump(self, name: str) -> Block:
        for at in range(0, 16, 4):
            self.data[0].refs[at] = Ref(at, RefKind.ABS32, self.rng.choice(self.names))
        (jump_indirect,) = assemble(("jmp dword ptr [edx*4 + {table}]",))
        return Block(name, [*lines("mov edx, eax", "and edx, 3"), jump_indirect])


def single_step(flat: Flat, labels: list[str], start: str) -> tuple[Counter, Counter]:
    """Executions of blocks and edges, seen from outside; a block and the next are an edge unless a call or a
    return lies between."""
    leaders = {flat.addresses[label]: label for label in labels}
    blocks, edges = Counter(), Counter()
    stack: list[str] = []
    previous = ""
    flat.push(STOP)
    eip = flat.addresses[start]
    while eip != STOP:
        label = leaders.get(eip)
        if label is not None:
            blocks[label] += 1
            if label == "g":
                stack.append(previous)
            elif previous:
                edges[previous, label] += 1
            previous = label
        kind = flow(bytes(flat.uc.mem_read(eip, 15))[: length(flat, eip)])
        if kind is Flow.RETURN:
            previous = stack.pop() if stack else ""
        eip = flat.jump(eip, 1)
    return blocks, edges


def length(flat: Flat, eip: int) -> int:
    return next(sweep(bytes(flat.uc.mem_read(eip, 15)), eip))[1]
