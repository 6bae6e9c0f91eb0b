"""Who calls whom: direct calls, jumps between functions, and what an indirect call may reach (§3, §4.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rewriter.analysis.graph import Index, Way, branch_target, jump_table
from rewriter.ir import Block, Function, Ref
from rewriter.x86.flow import CALLS, DIRECT, Flow, flow

POINTERS, TABLE = "*", "**"  # stand for all functions that an indirect call may lead to


class CallGraph:
    """All functions by name, in the program's order.

    calls:    direct callees, by caller
    tails:    functions to which a function jumps, or into which it falls
    indirect: functions with an indirect call, or a jump through a pointer
    taken:    functions whose address is used other than by a call or jump
    returning: functions that may come back by a `ret`
    targets:  functions to which an indirect call may lead and come back
    handlers: likewise, but only through the system-call table: an indirect call in one of `gates`

    entries:  second entries, by label, with their functions: blocks within, which somebody calls; they are functions
              to `below` and `reachable`, and to nobody else

    `only_handlers`, `gates`: names, where something is known of them.
    """

    def __init__(self, index: Index, only_handlers: Collection[str] = (), gates: Collection[str] = ()) -> None:
        self.index = index
        self.gates = gates
        self.calls: dict[str, tuple[str, ...]] = {}
        self.tails: dict[str, tuple[str, ...]] = {}
        self.indirect: set[str] = set()
        self.entries: dict[str, str] = {}
        self._inner_calls: dict[str, tuple[str, ...]] = {}  # of second entries, by caller
        for function in index.program.functions:
            self.study(function)
        self.taken = _address_taken(index)
        self.returning = self._find_returning()
        coming_back = [name for name in self.taken if name in self.returning]
        self.targets = tuple(name for name in coming_back if name not in only_handlers)
        self.handlers = tuple(name for name in coming_back if name in only_handlers)

    def study(self, function: Function) -> None:
        """Find the calls of one more function."""
        calls: dict[str, None] = {}
        inner: dict[str, None] = {}
        tails: dict[str, None] = {}
        for block in function.blocks:
            last = block.insns[-1] if block.insns else None
            kind = flow(last.raw) if last else Flow.NEXT
            if last and kind is Flow.CALL:
                owner = self.index.owners.get(branch_target(last) or "")
                if owner is not None:
                    calls.setdefault(owner.name)
                    target = branch_target(last) or ""
                    if not self.index.is_entry(target):
                        inner.setdefault(target)
                        self.entries[target] = owner.name
            if kind is Flow.CALL_INDIRECT or (kind is Flow.JUMP_INDIRECT and not self.index.table(block)):
                self.indirect.add(function.name)
            for edge in self.index.edges(block):
                owner = self.index.owners.get(edge.target)
                if owner is not None and owner is not function:
                    tails.setdefault(owner.name)
        self.calls[function.name], self.tails[function.name] = tuple(calls), tuple(tails)
        self._inner_calls[function.name] = tuple(inner)

    def knows(self, name: str) -> bool:
        """Whether it is a function, or a block of one that calls lead to; a new function may have more of these."""
        return name in self.calls or name in self.entries

    def direct(self, name: str) -> list[str]:
        """Those that it names."""
        function = self.entries.get(name, name)
        itself = () if function == name else (function,)
        return [*self.calls[function], *self._inner_calls[function], *self.tails[function], *itself]

    def below(self, name: str) -> list[str]:
        """What a function names, and POINTERS or TABLE for all that it may find through those; what these are."""
        if name in (POINTERS, TABLE):
            return list(self.targets if name == POINTERS else self.handlers)
        function = self.entries.get(name, name)
        found = [POINTERS] if function in self.indirect else []
        return list(dict.fromkeys([*self.direct(name), *found, *([TABLE] if function in self.gates else [])]))

    def reachable(self, names: Iterable[str], beside: Collection[str] = ()) -> list[str]:
        """These functions and all that may run below them, callees before callers where there is no cycle; none that
        is `beside`, nor what runs below those alone."""
        done: dict[str, None] = {}
        seen: set[str] = set()
        for name in names:
            self._visit(name, seen, done, beside)
        return [name for name in done if name not in (POINTERS, TABLE)]

    def _visit(self, start: str, seen: set[str], done: dict[str, None], beside: Collection[str]) -> None:
        if start in seen or start in beside:
            return
        seen.add(start)
        stack = [(start, iter(self.below(start)))]
        while stack:
            name, rest = stack[-1]
            for callee in rest:
                if callee not in seen and callee not in beside:
                    seen.add(callee)
                    stack.append((callee, iter(self.below(callee))))
                    break
            else:
                stack.pop()
                done.setdefault(name)

    def entered_by(self, block: Block) -> frozenset[str]:
        """The functions that may be active directly above a call that ends this block: its targets, and those to
        which they jump instead of returning."""
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last else Flow.NEXT
        if last is None or kind not in CALLS:
            return frozenset()
        if kind is Flow.CALL:
            owner = self.index.owners.get(branch_target(last) or "")
            pending = [owner.name] if owner else []
        else:
            pending = list(self.taken)
        entered: set[str] = set()
        while pending:
            name = pending.pop()
            if name not in entered:
                entered.add(name)
                pending += self.tails[name]
                if name in self.indirect:
                    pending += self.taken  # it may jump through a pointer
        return frozenset(entered)

    def _find_returning(self) -> set[str]:
        """Functions in which control can get from the entry to a `ret`.  An interrupt entry ends with `iret`, and
        nobody calls it; whoever ends with a call of such a function, or of one that stops, does not return either."""
        callers: dict[str, list[str]] = {}
        for name in self.calls:
            for callee in (*self.calls[name], *self.tails[name]):
                callers.setdefault(callee, []).append(name)
        found: set[str] = set()
        pending = dict.fromkeys(self.calls)
        while pending:
            name = next(iter(pending))
            del pending[name]
            if name not in found and self._reaches_return(self.index.functions[name], found):
                found.add(name)
                pending.update(dict.fromkeys(callers.get(name, ())))
        return found

    def _reaches_return(self, function: Function, returning: set[str]) -> bool:
        """Whether the function returns if exactly those in `returning` do."""
        seen, pending = set[str](), [function.blocks[0].label]
        while pending:
            block = self.index.blocks[pending.pop()]
            last = block.insns[-1] if block.insns else None
            kind = flow(last.raw) if last else Flow.NEXT
            if kind is Flow.RETURN or (kind is Flow.JUMP_INDIRECT and not self.index.table(block)):
                return True
            for edge in self.index.edges(block):
                owner = self.index.owners.get(edge.target)
                if edge.way is Way.RETURN and last is not None:
                    callee = self.index.owners.get(branch_target(last) or "") if kind is Flow.CALL else None
                    if callee is not None and callee.name not in returning:
                        continue
                if owner is None or (owner is not function and owner.name in returning):
                    return True
                if owner is function and edge.target not in seen:
                    seen.add(edge.target)
                    pending.append(edge.target)
        return False


def _address_taken(index: Index) -> tuple[str, ...]:
    """Functions of which some block's address is a number somewhere, jump tables apart."""
    taken: set[str] = set()
    tables = {slot for f in index.program.functions for b in f.blocks for slot in _table_slots(index, b)}
    for data in index.program.data:
        for offset, ref in data.refs.items():
            owner = index.owners.get(ref.target)
            if owner is not None and (data.name, offset) not in tables:
                taken.add(owner.name)
    frames = index.program.unwinding.all if index.program.unwinding is not None else ()
    called = {frame.kind.personality.target for frame in frames if frame.kind.personality is not None}
    taken |= {index.owners[label].name for label in called & index.owners.keys()}
    words = index.program.fault_words.values()
    taken |= {index.owners[word.target].name for word in words if isinstance(word, Ref) and word.target in index.owners}
    for function in index.program.functions:
        for block in function.blocks:
            for insn in block.insns:
                if flow(insn.raw) in DIRECT:
                    continue
                taken.update(index.owners[ref.target].name for ref in insn.refs if ref.target in index.owners)
    return tuple(f.name for f in index.program.functions if f.name in taken)


def _table_slots(index: Index, block: Block) -> list[tuple[str, int]]:
    found = jump_table(block.insns[-1]) if block.insns else None
    return [] if found is None else [(found.target, found.addend + 4 * i) for i in range(len(index.table(block)))]
