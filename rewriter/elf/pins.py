"""Which functions must stay where they are, byte for byte, and why: what is not understood is never guessed (§2)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, pairwise

from rewriter.contract import Contract
from rewriter.elf.addresses import COMPUTED, ORDERED, UNKNOWN, CodeAddresses
from rewriter.elf.callers import callers_read
from rewriter.elf.extents import PADDING
from rewriter.elf.ordered import ordered_entries
from rewriter.elf.promises import promised
from rewriter.elf.sections import main_text
from rewriter.elf.stack import Stack
from rewriter.elf.stubs import COUNTED
from rewriter.elf.tables import JumpTables
from rewriter.ir import Block, Function, Insn, Program, Ref, RefKind
from rewriter.x86.flow import Flow, flow

NEAR = 16  # bytes


def pin(program: Program, contract: Contract) -> None:
    """Add to every function's `pins` the reasons for which it may not move or change."""
    _Pins(program, contract).find()


class _Pins:
    def __init__(self, program: Program, contract: Contract) -> None:
        self.program = program
        self.contract = contract
        self.blocks = {b.label: b for f in program.functions for b in f.blocks}
        self.owner = {b.label: f for f in program.functions for b in f.blocks}
        self.position = {f.name: i for i, f in enumerate(program.functions)}
        self.addresses = CodeAddresses(Stack(program))
        self.ordered: list[int] = []  # positions of functions whose addresses are compared by order

    def find(self) -> None:
        self._pin_promised()
        for function in self.program.functions:
            for block in function.blocks:
                self._check_block(function, block)
        for function, reason in callers_read(self.program, self.addresses):
            self._add(function, reason)
        for ref in ordered_entries(self.program, self.addresses):
            if ref.target in self.owner:
                self._pin_misused(self.owner[ref.target], ref, ORDERED)
        self._pin_between()
        self._pin_named_by_data()
        self._pin_unreached()
        self._pin_unnamed()
        self._spread()

    def _add(self, function: Function, reason: str) -> None:
        if reason not in function.pins:
            function.pins += (reason,)

    def _pin_promised(self) -> None:
        text = main_text(self.program.sections)
        copied = promised(self.program, self.contract.copied, "is copied")
        stays = promised(self.program, self.contract.stay, "stays")
        for function in self.program.functions:
            if function.name in copied:
                self._add(function, "the contract says that its bytes are copied")
            if function.name in stays:
                self._add(function, "the contract says so")
            for word in self._unknown_words(function):
                self._add(function, f"what {word} does to a fault in it is not known")
            origin = function.blocks[0].insns[0].origin or 0
            if not text.address <= origin < text.address + text.size:
                self._add(function, "its section stays in place")

    def _unknown_words(self, function: Function) -> Iterator[str]:
        """Third words of the exception table's entries that the contract does not call plain."""
        plain = self.contract.exception_table.plain if self.contract.exception_table else ()
        words = (self.program.fault_words.get(i.origin or 0) for i in function.insns() if i.faults_to is not None)
        for word in words:
            name = word.target if isinstance(word, Ref) else str(word)
            if word is not None and name not in plain:
                yield name

    def _check_block(self, function: Function, block: Block) -> None:
        for i, insn in enumerate(block.insns):
            for ref in insn.refs:
                target = self.owner.get(ref.target)
                if target is None:
                    continue
                if ref.kind not in (RefKind.ABS32, RefKind.GOTOFF):
                    self._check_call(function, insn, ref.target, target)
                elif function.verbatim:
                    self._add(target, UNKNOWN)
                elif (reason := self.addresses.misuse(block, i, ref)) is not None:
                    self._pin_misused(target, ref, reason)

    def _pin_misused(self, target: Function, ref: Ref, reason: str) -> None:
        """An address just behind a function may stand for a place in it: `f + 10` of a nested function's trampoline
        is computed from wherever the compiler found it convenient to start."""
        self._add(target, reason)
        position = self.position[target.name]
        if reason == ORDERED:
            self.ordered.append(position)
        inside = ref.target != target.name or ref.addend
        if reason == COMPUTED and position and inside and self._offset(target, ref) < NEAR:
            self._add(self.program.functions[position - 1], reason)

    def _offset(self, target: Function, ref: Ref) -> int:
        """Bytes from the function's start to the place that is named."""
        insns = self.blocks[ref.target].insns
        return (insns[0].origin if insns and insns[0].origin else 0) + ref.addend - _origin(target)

    def _pin_between(self) -> None:
        """What lies between two addresses that are compared by order has to stay there."""
        if self.ordered:
            for function in self.program.functions[min(self.ordered) : max(self.ordered)]:
                self._add(function, "it lies between addresses that are compared by order")

    def _check_call(self, function: Function, insn: Insn, label: str, target: Function) -> None:
        if flow(insn.raw) is Flow.CALL and target is function and label != function.name:
            self._add(function, "calls into itself, perhaps for its own address")

    def _pin_named_by_data(self) -> None:
        """A label inside a function that data names must be the entry of a jump table: else it is computed with."""
        tables = JumpTables(self.addresses, self.program).entries()
        for data in self.program.data:
            for offset, ref in data.refs.items():
                target = self.owner.get(ref.target)
                if target is not None and ref.target != target.name and (data.name, offset) not in tables:
                    self._add(target, "data that is no jump table names a place in it")

    def _pin_unnamed(self) -> None:
        """Functions that nothing names, at equal distances behind one whose address is taken, are perhaps stubs that
        are reached by counting from it."""
        taken = self.addresses.stack.named
        named = {ref for label, ref in self._refs() if self.owner.get(label) is not self.owner.get(ref)}
        named |= {self.program.entry, *self._unwound()}
        functions = self.program.functions
        for start, source in enumerate(functions):
            if source.name not in taken or start + 1 == len(functions):
                continue
            stride = _origin(functions[start + 1]) - _origin(source)
            for stub, after in pairwise(chain(islice(functions, start + 1, None), (None,))):
                assert stub is not None
                size = _origin(after) - _origin(stub) if after is not None else stride
                last = sum(len(i.raw) for i in stub.insns()) <= stride and stub is not functions[start + 1]
                if stub.verbatim or (size != stride and not last) or any(block.label in named for block in stub.blocks):
                    break
                self._add(source, f"{stub.name} is perhaps reached by counting from it")
                self._add(stub, f"nothing names it, perhaps it is reached by counting from {source.name}")

    def _unwound(self) -> Iterator[str]:
        """Functions with unwinding entries of their own, as compilers write them."""
        starts = {frame.start for frame in self.program.unwinding.all} if self.program.unwinding else set()
        return (f.name for f in self.program.functions if _origin(f) in starts)

    def _pin_unreached(self) -> None:
        """Bytes that nothing leads to are perhaps data, read by a number that no relocation explains."""
        named = {symbol.target for symbol in self.program.symbols}
        if self.program.unwinding is not None:
            named |= set(self.program.unwinding.pads())
        for label, ref in self._refs():
            if label != ref:
                named.add(ref)
        counted = [f for f in self.program.functions if any(pin.startswith(COUNTED) for pin in f.pins)]
        for function in (f for f in self.program.functions if f not in counted):
            for block in function.blocks[1:]:
                if block.label not in named and not PADDING.fullmatch(b"".join(i.raw for i in block.insns)):
                    self._add(function, "holds bytes that no path reaches")
                    break

    def _refs(self) -> Iterator[tuple[str, str]]:
        """(from, to): labels that something in the program leads to."""
        for data in self.program.data:
            yield from (("", ref.target) for ref in data.refs.values())
        for function in self.program.functions:
            for block in function.blocks:
                if block.falls_to:
                    yield block.label, block.falls_to
                for insn in block.insns:
                    yield from ((block.label, ref.target) for ref in insn.refs)
                    if insn.faults_to:
                        yield block.label, insn.faults_to

    def _spread(self) -> None:
        """A pinned function keeps its neighbor where it falls into it or reaches it by a short branch."""
        work = [f for f in self.program.functions if f.pins]
        while work:
            function = work.pop()
            for label, reason in self._held(function):
                neighbor = self.owner.get(label)
                if neighbor is not None and neighbor is not function and not neighbor.pins:
                    self._add(neighbor, reason)
                    work.append(neighbor)

    def _held(self, function: Function) -> Iterator[tuple[str, str]]:
        falls_to = function.blocks[-1].falls_to
        if falls_to:
            yield falls_to, f"{function.name}, which stays, falls into it"
        for insn in function.insns():
            for ref in insn.refs:
                if ref.kind is RefKind.PC8:
                    yield ref.target, f"{function.name}, which stays, reaches it by a short branch"


def _origin(function: Function) -> int:
    """Where the function was."""
    return next((insn.origin for insn in function.insns() if insn.origin is not None), 0)
