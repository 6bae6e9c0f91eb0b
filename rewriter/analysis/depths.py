"""Use depth and kill depth of every function, and what else its callers see of it (§4.2).

Two phases, as in the paper: what a function's own instructions do, then what its callees do, carried from callees to
callers until nothing changes.  An indirect call joins the registers of all functions whose address is taken; of the
stack it touches its arguments, which lie in the frame of whoever made the call: the compiler that emitted it knew
its callee by its convention alone, and so do we.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rewriter.analysis.callgraph import POINTERS, TABLE, CallGraph
from rewriter.analysis.gates import gates, is_gate, only_handlers
from rewriter.analysis.graph import Index
from rewriter.analysis.liveness import ESP, Liveness
from rewriter.analysis.local import Unknown, local_summary, reads_return
from rewriter.analysis.pointers import ThroughPointers
from rewriter.analysis.promised import Promised
from rewriter.analysis.readonly import ReadOnly
from rewriter.analysis.summary import (
    ALL_REGISTERS,
    CALLER_SAVED,
    NOTHING,
    Summary,
    anything,
    conventional,
    intact,
)
from rewriter.analysis.transfer import Memory, Transfer
from rewriter.analysis.value import REGISTERS
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.facts import POINTERS as CONVENTION
from rewriter.facts import conventional as conventional_functions
from rewriter.facts import intact as intact_functions
from rewriter.ir import Function, Insn
from rewriter.x86.effects import FLAGS, register_mask
from rewriter.x86.flow import Flow, flow

_MASK = ALL_REGISTERS | FLAGS
_PATIENCE = 12  # analyses of one function before its depths count as unbounded


class Depths:
    """Summaries of functions, computed when they are asked for.  `facts`: believe the contract's.  `poll` is called
    now and then, here and by whoever works with these; what it raises ends the work.  `promised`: what is believed of
    functions whose code is not understood."""

    def __init__(
        self,
        index: Index,
        contract: Contract,
        facts: bool = True,
        poll: Callable[[], None] = lambda: None,
        promised: Promised | None = None,
    ) -> None:
        self.poll = poll
        self.promised = promised
        self.unknown: dict[str, str] = {}  # functions whose code is not understood, and why
        self.index = index
        self.contract = contract
        self.readonly = ReadOnly(index, contract)
        handlers = only_handlers(index.program, contract)
        doors = {index.owners[block.label].name for block in gates(index.program, contract)} if handlers else set()
        self.graph = CallGraph(index, handlers, doors)
        believed = contract.facts if facts else ()
        self.intact = intact_functions(believed)
        self.conventional = {name: conventional(n) for name, n in conventional_functions(believed).items()}
        self._known: dict[str, Summary] = {}
        self._settled: set[str] = set()  # POINTERS and TABLE too, once all that they stand for are
        held = CONVENTION in believed
        self._through = {
            POINTERS: ThroughPointers(self.graph.targets, believed=promised is not None, conventional=held),
            TABLE: ThroughPointers(self.graph.targets + self.graph.handlers, conventional=held),
        }

    def add(self, function: Function) -> None:
        """Know one more function, which those of the program do not call."""
        self.index.add(function)
        self.graph.study(function)
        self._settled.discard(function.name)

    def of(self, name: str) -> Summary:
        """What a call of this function does."""
        if name not in self._settled:
            self._settle([name])
        return self._known[name]

    def own(self, name: str) -> Summary:
        """What the function's own instructions do, the local phase: whatever it calls, and comes back, keeps the
        convention and touches nothing."""
        return self._local(name, _Silent(self))

    def of_call(self, insn: Insn) -> Summary:
        """What this call instruction does."""
        if flow(insn.raw) is Flow.CALL_INDIRECT:
            return self._gate if self.is_gate(insn) else self.indirect
        callee = self.index.called(insn)
        known = callee is not None and self.graph.knows(callee)
        return self.of(callee) if callee and known else anything("calls what is not a function")

    @property
    def indirect(self) -> Summary:
        """What an indirect call may do."""
        self._settle([POINTERS])
        return self._through[POINTERS].summary

    @property
    def _gate(self) -> Summary:
        """What a call through the system-call table may do."""
        self._settle([POINTERS, TABLE])
        return self._through[TABLE].summary

    def is_gate(self, insn: Insn) -> bool:
        """Whether an indirect call leads to handlers that no other does."""
        return bool(self.graph.handlers) and is_gate(self.index.program, self.contract, insn)

    def transfer(self, returns: dict[str, tuple[int, ...]] | None = None, memory: Memory | None = None) -> Transfer:
        """Steps over instructions with these summaries."""
        return Transfer(self, self.contract.stack_size, returns, memory=memory, readonly=self.readonly)

    def _settle(self, names: list[str]) -> None:
        todo = self.graph.reachable(names, self._settled)
        callers: dict[str, list[str]] = {}
        pointers = set[str]()
        for name in todo:
            self._known[name] = NOTHING
            for callee in self.graph.below(name):
                callers.setdefault(callee, []).append(name)
                pointers |= {callee} & self._through.keys()
        pending = dict.fromkeys(todo)
        visits = dict.fromkeys(todo, 0)
        view = _View(self)
        while pending:
            name = next(iter(pending))
            del pending[name]
            visits[name] += 1
            self.poll()
            old = self._known[name]
            new = old.join(self._local(name, view))
            if visits[name] > _PATIENCE and new != old:
                new = anything(f"{name} is recursive without bound")
            if new != old:
                self._known[name] = new
                pending.update(dict.fromkeys(callers.get(name, ())))
                for through, known in self._through.items():
                    if known.grew(name, old, new):
                        pending.update(dict.fromkeys(callers.get(through, ())))
        self._settled.update(todo, pointers, self._through.keys() & set(names))

    def _promised(self, name: str, view: _View, why: str) -> Summary | None:
        function = self.index.functions.get(name)
        return self.promised.of(function, view, why) if self.promised is not None and function is not None else None

    def _kept(self, name: str, view: _View, found: Summary) -> Summary:
        """What is found, without the registers that the function promises to keep."""
        kept = found.clobbers & ~CALLER_SAVED
        promised = self._promised(name, view, "") if kept else None
        return replace(found, clobbers=found.clobbers & ~kept) if promised is not None else found

    def _local(self, name: str, view: _View) -> Summary:
        if name in self.conventional:
            return self.conventional[name]
        entry = name if name in self.graph.entries else self.index.functions[name].blocks[0].label
        if name in self.intact:
            view = _View(self, steady=True)
        transfer = Transfer(view, self.contract.stack_size, steady=name in self.intact)
        values = Values(self.index, transfer, entry)
        self.unknown.pop(name, None)
        try:
            summary = self._kept(name, view, local_summary(values, name in self.intact))
        except Unknown as why:
            if name in self.intact:
                return intact(f"promised of {name}")
            self.unknown[name] = f"{name}: {why}"
            known = self._promised(name, view, self.unknown[name])
            if known is not None:
                return replace(known, twice=reads_return(values))
            summary = anything(f"{name}: {why}")  # but its own instructions tell what it reads before
        reads, writes = reads_and_writes(values, summary.clobbers)
        return replace(summary, reads=reads, writes=writes)


def reads_and_writes(values: Values, clobbers: int) -> tuple[int, int]:
    """Registers and flags of its caller that a function reads, and those that it overwrites on every way.

    Whatever it `clobbers` may be a result.  A result that depends on its own old value alone is no reason to read that:
    where any of it matters afterwards, all of it that is not in `writes` matters before (`Summary.before`)."""
    live = Liveness(values, 0)
    reads = live.before(values.entry)
    results = [each for each in (*map(register_mask, REGISTERS), FLAGS) if each & clobbers & ~ESP]
    every = sum(results)
    live.solve(every)  # what matters for all of them is what matters for any
    before = live.before(values.entry)
    reads |= before & ~every
    for result in results:
        if before & result:
            live.solve(every & ~result)
            reads |= live.before(values.entry) & result
    live.solve(_MASK)
    return reads & _MASK, _MASK & ~live.before(values.entry)


class _View:
    """The summaries as they are in the middle of the iteration.  `steady`: esp survives every call, by the contract's
    promise for the function that is being looked at."""

    def __init__(self, depths: Depths, steady: bool = False) -> None:
        self.depths = depths
        self.steady = steady

    def of(self, name: str) -> Summary:
        found = self.depths._known[name]
        return intact("promised") if self.steady and found.pops is None else found

    def of_call(self, insn: Insn) -> Summary:
        depths = self.depths
        if flow(insn.raw) is Flow.CALL_INDIRECT:
            return depths._through[TABLE if depths.is_gate(insn) else POINTERS].summary
        callee = depths.index.called(insn)
        return self.of(callee) if callee else anything("calls what is not a function")


class _Silent(_View):
    """No callee does anything that its caller would see, but for not coming back."""

    def of(self, name: str) -> Summary:
        return replace(conventional(0), returns=self.depths.of(name).returns)

    def of_call(self, insn: Insn) -> Summary:
        return replace(conventional(0), returns=self.depths.of_call(insn).returns)
