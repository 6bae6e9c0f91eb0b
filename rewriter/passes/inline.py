"""Inlining along hot call traces, a clone per path (§4.1, Fig 3).

    call fget              ⇒     lea esp, [esp - 4]       ; where the return address was, a hole
    …                            <body of fget, its ret ⇒ lea esp, [esp + 4]>
                                 …

    call [eax + 8]         ⇒     cmp dword ptr [eax + 8], generic_file_llseek
    …                            jne cold
                                 lea esp, [esp - 4]
                                 <body of generic_file_llseek>
                                 …
                           cold: call [eax + 8]

The hole keeps every stack offset of the callee valid; `flatten` removes it.  A callee's tail call `jmp g` becomes
`lea esp, [esp + 4]; call g`, whose return address falls into the hole.  When a guard fails, the target is read again:
any target is right there, so it does not matter if it has changed in between.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rewriter.analysis.body import Body
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Way, jump_table
from rewriter.analysis.value import WORD
from rewriter.edit import Labels, clone, written
from rewriter.ir import Block, Data, Function, Insn
from rewriter.passes.chains import compared, sparse, unpaid
from rewriter.passes.copies import table_copied
from rewriter.passes.expected import Expected, Tests
from rewriter.passes.heat import COLD_BELOW, Counted, Heat
from rewriter.passes.outcome import Outcome
from rewriter.passes.paths import Path
from rewriter.passes.stays import Calls
from rewriter.profile import Profile
from rewriter.reasons import Reason, Why
from rewriter.x86.decode import Mem, decode
from rewriter.x86.effects import FLAGS
from rewriter.x86.encode import assemble, branch, call, with_displacement
from rewriter.x86.flow import CALLS, Flow, flow

NAME, ARGUMENTS = "inline", "arguments"
BUDGET = 4000  # instructions of one specialized system call
_DOWN, _UP = "lea esp, [esp - 4]", "lea esp, [esp + 4]"


@dataclass(slots=True)
class Inlined:
    """A new function, and what is known of its blocks: `clone_of` maps their labels to the originals' (new blocks are
    missing), `returns` to the stack offsets of the return addresses and holes above them."""

    function: Function
    data: list[Data] = field(default_factory=list)
    clone_of: dict[str, str] = field(default_factory=dict)
    returns: dict[str, tuple[int, ...]] = field(default_factory=dict)
    heat: Heat = field(default_factory=Heat)
    stands_for: dict[str, tuple[str, int]] = field(default_factory=dict)  # new blocks: (label, position) there
    holes: dict[str, str] = field(default_factory=dict)  # blocks that end with one: the return address of the call
    failing: set[str] = field(default_factory=set)  # where control goes if a guard fails
    tests: dict[str, tuple[str, ...]] = field(default_factory=dict)  # blocks that end with a test of an argument, and
    # where that is: the functions around the call, and its site


@dataclass(frozen=True, slots=True)
class _Instance:
    """One copy of one function: labels from original to copy, and where its return address (or hole) lies."""

    body: Body
    labels: dict[str, str]
    returns: tuple[int, ...]
    chain: tuple[str, ...]  # functions around it, itself last
    share: float  # of the body's executions


class Inliner:
    """Copies `handler` under a new name and inlines into the copy.  Each call that runs has a remark: why it was
    inlined, or why not; `left_out`: since nobody wants it."""

    def __init__(
        self,
        depths: Depths,
        profile: Profile,
        *,
        as_published: bool = False,
        budget: int = BUDGET,
        left_out: bool = False,
        tests: Tests | None = None,
    ) -> None:
        """`tests`: what is tested where a direct call is inlined (`inside`)."""
        self.depths = depths
        self.tests = tests
        self.profile = profile
        self.as_published = as_published
        self.budget = budget
        self.left_out = left_out
        self.calls = Calls(profile)
        self.counted = Counted(profile.edges)
        self.lost = _lost(profile)
        self.outcome = Outcome()

    def run(self, handler: str, name: str, paths: tuple[Path, ...], share: float = 1.0) -> Inlined:
        """`share`: the part of the handler's executions that the copy will take over."""
        follow = [self.depths.index.owners[path.site].name for path in paths if path.site in self.depths.index.owners]
        body = Body(self.depths, handler, follow)
        self.labels = Labels(name, (f.name for f in self.depths.index.program.functions))
        self.result = Inlined(Function(name, []))
        self.blocks: list[Block] = self.result.function.blocks
        instance = self._copy(body, (0,), (handler,), share, name)
        self._inline(instance, paths)
        return self.result

    # Copies

    def _copy(
        self,
        body: Body,
        returns: tuple[int, ...],
        chain: tuple[str, ...],
        share: float,
        entry: str | None = None,
        known: Mapping[str, float] | None = None,
    ) -> _Instance:
        """Append a copy of the body to the function."""
        blocks = sorted(body.blocks, key=lambda block: block.label != body.entry)
        labels = {block.label: self.labels.fresh() for block in blocks}
        if entry is not None:
            labels[body.entry] = entry
        copies = clone(blocks, labels)
        for block, copy in zip(blocks, copies, strict=True):
            self.result.clone_of[copy.label] = block.label
            self.result.returns[copy.label] = returns
            table = table_copied(self.depths.index, block, copy, labels)
            self.result.data += [table] if table else []
            if copy.insns and flow(copy.insns[-1].raw) is Flow.CALL:
                caught = copy.insns[-1].faults_to
                copy.insns[-1] = replace(block.insns[-1], faults_to=caught)  # who calls itself calls the original
        self.blocks += copies
        self.result.heat.take(labels, self.profile.blocks, self.counted, share, known)
        return _Instance(body, labels, returns, chain, share)

    def _known(self, body: Body, path: Path, entries: float) -> dict[str, float]:
        """How often the calls of a copy are made that is entered so often.  What no trace shows has not happened only
        where the callee's table has lost too little for that."""
        if self.as_published or not path.made:
            return {}
        seen, factor = dict(path.below), entries / path.made
        found = {}
        for block in body.blocks:
            callee = self.depths.index.callee(block.insns[-1]) if block.insns else None
            lost = self.lost.get(callee or "", math.inf)
            if block.label in seen or lost < path.made * COLD_BELOW:
                found[block.label] = seen.get(block.label, 0) * factor
        return found

    def _block(self, like: Block, insns: list[Insn], falls_to: str | None, count: float) -> Block:
        """A new block behind `like`, in the same frame."""
        block = Block(self.labels.fresh(), insns, falls_to)
        self.result.returns[block.label] = self.result.returns[like.label]
        self.result.heat.blocks[block.label] = count
        self.blocks.insert(self.blocks.index(like) + 1, block)
        return block

    # Calls

    def _inline(self, instance: _Instance, paths: tuple[Path, ...]) -> None:
        self._stay(instance, {path.site for path in paths if path.site in instance.labels})
        for path in paths:
            label = instance.labels.get(path.site)
            block = next((b for b in self.blocks if b.label == label), None)
            why = Why(Reason.ELSEWHERE) if block is None else self._attempt(instance, block, path)
            if why is not None:
                count = self.result.heat.block(label) if label is not None else self.profile.blocks.get(path.site)
                detail = f"{path.callee}: {why.detail}" if why.detail else path.callee
                self._refuse(label or path.site, self._address(path.site), count, Why(why.reason, detail))

    def _stay(self, instance: _Instance, tried: set[str]) -> None:
        """Say of all other calls of a copy why they stay."""
        for stays in self.calls.stay(instance.body, instance.labels, self.result.heat, instance.share):
            if stays.site not in tried:
                why = Why(Reason.LEFT_OUT, stays.why.detail) if self.left_out else stays.why
                self._refuse(instance.labels[stays.site], stays.address, stays.executed, why)

    def _refuse(self, label: str, address: int | None, executed: float | None, why: Why) -> None:
        self.outcome.refuse(NAME, self.result.function.name, label, *why, address=address, executed=executed)

    def _address(self, site: str) -> int | None:
        """Of the call that ends a block of the original program."""
        block = self.depths.index.blocks.get(site)
        return block.insns[-1].origin if block is not None and block.insns else None

    def _attempt(self, instance: _Instance, block: Block, path: Path) -> Why | None:
        """Inline one call; a reason if that is refused."""
        self.depths.poll()
        last = block.insns[-1] if block.insns else None
        direct = last is not None and flow(last.raw) is Flow.CALL
        callee = self.depths.index.callee(last) if last is not None and direct else path.callee
        if last is None or callee is None or callee not in self.depths.index.functions:
            return Why(Reason.NO_FUNCTION)
        if flow(last.raw) not in CALLS:
            return Why(Reason.ELSEWHERE)
        owners = [self.depths.index.owners[p.site].name for p in path.inner if p.site in self.depths.index.owners]
        body = Body(self.depths, callee, [*owners, path.callee])
        why = self._obstacle(instance, block, body, direct, path)
        if why is not None:
            return why
        esp = instance.body.values.before_last(path.site).esp
        assert esp is not None
        returns = (*instance.returns, instance.returns[-1] + esp - WORD)
        count, entered = self._comes(block, path)
        entered = count if direct else entered
        test = self._test(instance, block, path) if direct else None
        if test is not None:
            entered = count * test.share
        entries = self.profile.blocks.get(body.entry, 0)
        share = min(1.0, entered / entries) if entries else 0.0
        known = self._known(body, path, entries * share)
        copy = self._copy(body, returns, (*instance.chain, callee), share, known=known)
        self._return(copy, block.falls_to)
        behind = self.depths.index.blocks[path.site].falls_to
        assert behind is not None
        if test is not None:
            self.result.tests[block.label] = (*instance.chain, path.site)
            self._tested(block, last, test, callee, copy.labels[body.entry], behind)
        elif direct:
            self.result.holes[block.label] = behind
            block.insns[-1:] = written(assemble([_DOWN]), NAME, Reason.HOLE, [last])
            block.falls_to = copy.labels[body.entry]
            self.result.heat.flow(block.label, block.falls_to, count)
        else:
            guard = written([compared(last, path.callee)], NAME, Reason.GUARD, [last])
            counts = count, count * path.others[0]
            cold = self._guard(block, last, guard, copy.labels[body.entry], counts, behind)
        name, chain = self.result.function.name, " > ".join(copy.chain)
        self.outcome.did(NAME, name, block.label, Reason.INLINED, chain, address=last.origin, executed=count)
        self._inline(copy, path.inner)
        if not direct:
            self._others(instance, cold, path)
        return None

    def _others(self, instance: _Instance, cold: Block, path: Path) -> None:
        """What becomes of the other targets of a call whose guard fails: the next may have a guard of its own."""
        first, origin, left = path, cold.insns[-1].origin, self.result.heat.block(cold.label)
        calls = path.made * path.others[0] / max(1 - path.others[0], 1e-9)
        while path.next is not None:
            path = replace(path.next, others=(1 - path.next.made / max(calls, path.next.made, 1), path.next.others[1]))
            why = sparse(first, path, self.depths.index) or self._attempt(instance, cold, path)
            if why is None:
                return
            detail = f"{path.callee}: {why.detail}" if why.detail else path.callee
            entered = self._comes(cold, path)[1]
            self._refuse(cold.label, origin, entered, Why(why.reason, detail))
            left -= entered
        if path.others[1]:
            self._refuse(cold.label, origin, left, Why(Reason.OTHER_TARGET, path.others[1]))

    def _comes(self, block: Block, path: Path) -> tuple[float, float]:
        """How often the call at the end of a block is made, and how often it enters the path's function."""
        count = self.result.heat.block(block.label)
        return count, count * (1 - path.others[0])

    def _obstacle(self, instance: _Instance, block: Block, body: Body, direct: bool, path: Path) -> Why | None:
        if body.name in instance.chain:
            return Why(Reason.RECURSION)
        if path.site not in instance.body.values.states or instance.body.values.before_last(path.site).esp is None:
            return Why(Reason.STACK, "esp is not known at the call")
        if block.falls_to is None:
            return Why(Reason.NEVER_RETURNS)
        if body.size() + sum(len(b.insns) for b in self.blocks) > self.budget:
            return Why(Reason.BUDGET, f"{self.budget}")
        if self.as_published and body.exception_table():
            return Why(Reason.EXCEPTION_TABLE)
        if block.label in self.result.failing and (why := unpaid(body, *self._comes(block, path))):
            return why
        if not direct and (self.depths.indirect.reads | self.depths.of(body.name).reads) & FLAGS:
            return Why(Reason.FLAGS_LIVE)
        return body.obstacle()

    def _test(self, instance: _Instance, block: Block, path: Path) -> Expected | None:
        """What is tested before a direct call."""
        found = self.tests(instance.chain, path) if self.tests is not None else None
        if found is None or isinstance(found, Expected):
            return found
        name, count, address = self.result.function.name, self.result.heat.block(block.label), self._address(path.site)
        self.outcome.refuse(ARGUMENTS, name, block.label, *found[1], address=address, executed=count)
        return None

    def _tested(self, block: Block, last: Insn, test: Expected, callee: str, entry: str, behind: str) -> None:
        """§4.2: inlined for one value of an argument, called for all others."""
        count, why = self.result.heat.block(block.label), Reason.TESTED_INSIDE
        compare, others = written(assemble([test.compared()]), NAME, why, [last]), count * (1 - test.share)
        cold = self._guard(block, last, compare, entry, (count, others), behind)
        name, detail = self.result.function.name, f"{test} of {callee}"
        self.outcome.did(ARGUMENTS, name, block.label, why, detail, address=last.origin, executed=count)
        if others:
            self._refuse(cold.label, last.origin, others, Why(Reason.OTHER_VALUE, callee))

    def _guard(
        self, block: Block, last: Insn, compare: list[Insn], entry: str, counts: tuple[float, float], behind: str
    ) -> Block:
        """Fig 3: the call is inlined if the comparison finds equality.  The block with the call for all others, which
        are the second of the `counts`."""
        count, others = counts
        hot = self._block(block, written(assemble([_DOWN]), NAME, Reason.HOLE, [last]), entry, count - others)
        cold = self._block(hot, [last], block.falls_to, others)
        known = self.result.stands_for
        site = known.get(block.label) or (self.result.clone_of[block.label], len(block.insns) - 1)
        self.result.stands_for |= {hot.label: site, cold.label: site}
        self.result.holes[hot.label] = behind
        self.result.failing.add(cold.label)
        why = compare[0].made.why if compare[0].made is not None else Reason.GUARD
        block.insns[-1:] = [*compare, *written([branch("ne", cold.label)], NAME, why, [last])]
        block.falls_to = hot.label
        heat = self.result.heat
        for source, target, times in (
            (block.label, hot.label, count - others),
            (hot.label, entry, count - others),
            (block.label, cold.label, others),
            (cold.label, block.falls_to, others),
        ):
            heat.flow(source, target, times)
        return cold

    # Returns

    def _return(self, copy: _Instance, target: str | None) -> None:
        """Every way out of the copy leads to the return point."""
        mine = set(copy.labels.values())
        for block in [b for b in self.blocks if b.label in mine]:
            last = block.insns[-1] if block.insns else None
            kind = flow(last.raw) if last else Flow.NEXT
            count = self.result.heat.block(block.label)
            if last is not None and kind is Flow.RETURN:
                distance = WORD + _pops(last)
                block.insns[-1:] = written(assemble([f"lea esp, [esp + {distance:#x}]"]), NAME, Reason.RETURN, [last])
                block.falls_to = target
                if target:
                    self.result.heat.flow(block.label, target, count)
            elif last is not None and kind is Flow.JUMP_INDIRECT and jump_table(last) is None:
                self._tail(block, target, Insn(_as_call(last.raw), last.refs, last.origin))
            else:
                self._tails(copy, block, target)

    def _tails(self, copy: _Instance, block: Block, target: str | None) -> None:
        """Direct tail calls, also conditional ones, falling into the next function, and to a fixup that is one."""
        original = self.depths.index.blocks[self.result.clone_of[block.label]]
        for edge in self.depths.index.edges(original):
            if edge.target in copy.labels or not copy.body.leaves(edge):
                continue
            back = written([*assemble([_UP]), call(edge.target)], NAME, Reason.TAIL, block.insns[-1:])
            made = self._block(block, back, target, 0.0)
            self.result.stands_for[made.label] = edge.target, 0
            if edge.way is Way.FAULT:
                block.insns[-1] = replace(block.insns[-1], faults_to=made.label)
            elif block.falls_to == edge.target:
                block.falls_to = made.label
            elif flow(block.insns[-1].raw) is Flow.JUMP:
                block.insns.pop()
                block.falls_to = made.label
            else:
                last = block.insns[-1]
                block.insns[-1] = replace(last, refs=tuple(replace(r, target=made.label) for r in last.refs))

    def _tail(self, block: Block, target: str | None, made: Insn) -> None:
        """`jmp [eax + 4]` ⇒ `lea esp, [esp + 4]; call [eax + 4]`."""
        operand = decode(made.raw).operands[0]
        if isinstance(operand, Mem) and "esp" in (operand.base, operand.index):
            made = with_displacement(made, operand.disp - WORD)
        block.insns[-1:] = written([*assemble([_UP]), made], NAME, Reason.TAIL, block.insns[-1:])
        block.falls_to = target


def _lost(profile: Profile) -> dict[str, int]:
    """By function with traces: entries that are in none of them, since its table was full (§3.3)."""
    kept = Counter[str]()
    for trace in profile.traces:
        kept[trace.function] += trace.count
    return {name: max(profile.blocks.get(name, 0) - count, 0) for name, count in kept.items()}


def _pops(ret: Insn) -> int:
    operands = decode(ret.raw).operands
    return operands[0].value if operands else 0  # type: ignore[union-attr]


def _as_call(raw: bytes) -> bytes:
    """`jmp x` (FF /4) → `call x` (FF /2)."""
    at = raw.index(0xFF) + 1
    return raw[:at] + bytes([raw[at] & ~0x38 | 0x10]) + raw[at + 1 :]
