"""A test that is decided by the way on which one comes to it is not made on that way (§4.2: conditional constants, path
by path).

           xor  eax, eax                  ⇒              xor  eax, eax
           cmp  ecx, 0x1f                                cmp  ecx, 0x1f
           ja   .found                                   ja   .absent'
           …                                             …
           inc  dword ptr [ecx + 8]                      inc  dword ptr [ecx + 8]
           mov  eax, ecx                                 mov  eax, ecx
    .found: test eax, eax                                test eax, eax      ; its flags: deadcode removes it
           je   .absent                                  …
           …                              .absent':      test eax, eax
                                                         jmp  .absent

What a callee tells its caller by its result (a pointer or none, a length or an error), the caller tests at once; but
behind the call all its ways have met, and there no single value is known.  Each way that decides a branch gets a copy
of the little block around it, and each that decides a cmov or setcc a copy of what leads up to it: as the test itself,
which goes, that is no more than a few instructions.
"""

from __future__ import annotations

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.graph import Edge, Way
from rewriter.analysis.state import State
from rewriter.analysis.values import Values
from rewriter.edit import redirect
from rewriter.ir import Block, Insn
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.decode import decode
from rewriter.x86.flow import Flow, flow

NAME = "thread"
MOST = 16  # instructions that are copied
ROUNDS = 2  # a test may be decided by what an earlier one became; but no loop is unrolled
_PLAIN = (Way.FALL, Way.TAKEN, Way.JUMP, Way.RETURN)


def thread(work: Work) -> None:
    """Do so with every block in which ways meet.  What that makes known is for the passes behind."""
    for _ in range(ROUNDS):
        if not _Round(work).run():
            break


class _Round:
    """All blocks once; those that were `cut` in two are no sources any more of what is known."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.values: Values = work.values()
        self.cut: set[str] = set()
        self.done = False

    def run(self) -> bool:
        for block in list(self.work.function.blocks):
            if block.insns and block.label in self.values.states and block.label != self.work.name:
                into = self._into(block)
                if not self._branch(block, into):
                    self._select(block, into)
        return self.done

    def _into(self, block: Block) -> dict[str, list[State]]:
        """What is known on each way to a block, by the block from which it comes; none where that is the only one, or
        the block itself.  If both ways of a branch lead here, both count."""
        found: dict[str, list[tuple[Edge, State]]] = {}
        for source in self.values.blocks:
            ways = [(edge, state) for edge, state in self.values.ways(source.label) if edge.target == block.label]
            if ways:
                found[source.label] = ways
        if len(found) < 2 or block.label in found:
            return {}
        plain = {source for source, ways in found.items() if all(edge.way in _PLAIN for edge, _ in ways)}
        return {source: [state for _, state in found[source]] for source in found if source in plain - self.cut}

    def _branch(self, block: Block, into: dict[str, list[State]]) -> bool:
        """Thread the branch at the end; whether there was one to thread."""
        last = block.insns[-1]
        if len(block.insns) > MOST or flow(last.raw) is not Flow.BRANCH or not condition_of(decode(last.raw).mnemonic):
            return False
        done = False
        for source, states in into.items():
            targets = {way.target for state in states for way, _ in self.values.onward(block.label, state)}
            if len(targets) == 1:
                self._lead(source, block, len(block.insns) - 1, targets.pop())
                done = True
        return done

    def _select(self, block: Block, into: dict[str, list[State]]) -> None:
        """Thread the last cmov or setcc near the top that some way decides, though not all of them together."""
        joined = [state for _, _, state in self.values.walk(block.label)]
        for site in reversed(range(min(MOST, len(block.insns)))):
            condition = _selects(block.insns[site])
            if not condition or joined[site].decide(condition) is not None:
                continue
            decides = [
                source
                for source, states in into.items()
                if all(self.values.along(block.label, s)[site].decide(condition) is not None for s in states)
            ]
            if decides:
                rest = self._cut(block, site + 1)
                for source in decides:
                    self._lead(source, block, site + 1, rest)
                return

    def _cut(self, block: Block, site: int) -> str:
        """Let a block end before an instruction; the label of the rest."""
        self.cut.add(block.label)
        return self.work.cut(block, site).label

    def _lead(self, source: str, block: Block, size: int, target: str) -> None:
        """Give who comes from `source` a copy of the first instructions of the block, which goes on at the target."""
        work, heat, label = self.work, self.work.heat, self.work.labels().fresh()
        before = work.block(source)
        redirect(before, block.label, label)
        work.function.blocks.insert(work.function.blocks.index(before) + 1, Block(label, block.insns[:size], target))
        work.returns[label] = work.returns.get(block.label, (0,))
        count = heat.edges.pop((source, block.label), 0.0)
        heat.blocks[label] = count
        heat.blocks[block.label] = max(0.0, heat.block(block.label) - count)
        heat.flow(source, label, count)
        heat.flow(label, target, count)
        heat.flow(block.label, target, max(0.0, heat.edge(block.label, target) - count))
        self.done = True
        work.did(NAME, label, Reason.WAY_DECIDES, block.insns[min(size, len(block.insns) - 1)])


def _selects(insn: Insn) -> str:
    """The condition of a cmov or setcc; "" for anything else."""
    plain = flow(insn.raw) is Flow.NEXT and insn.faults_to is None
    return condition_of(decode(insn.raw).mnemonic) if plain else ""
