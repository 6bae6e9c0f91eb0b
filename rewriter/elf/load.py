"""ELF → IR (§2): every address becomes a label, every branch and relocation a `Ref`.

`load` first finds the functions, then everything that names an address in them, and only then cuts them into
blocks: beyond that point no block gets a new label.
"""

from __future__ import annotations

from bisect import bisect_left

from rewriter.contract import EXCEPTION_FORMATS, Contract
from rewriter.elf.exceptions import FORMATS, Fixup, Format, read_exception_table
from rewriter.elf.extents import Extent, Extents, labels_of
from rewriter.elf.getpc import constant_pc
from rewriter.elf.image import ElfError, Image, RawSection, RawSegment, RawSymbol, read, unique_names
from rewriter.elf.leaders import Leaders, branch_target
from rewriter.elf.pins import pin
from rewriter.elf.promises import check_promises
from rewriter.elf.relocations import Named, Relocations
from rewriter.elf.returns import end_calls
from rewriter.elf.segments import check_segments
from rewriter.elf.stubs import Stubs
from rewriter.elf.unwound import Unwound
from rewriter.ir import ABSOLUTE, END, Block, Data, Function, Insn, Program, Ref, RefKind, Section, Segment, Symbol
from rewriter.x86.flow import CALLS, Flow, branch_field, flow

FORMAT = EXCEPTION_FORMATS[0]
# Segments of these kinds are kept: what is loaded, told, copied for each thread, or how memory is protected.
KINDS = {
    "PT_LOAD": 1,
    "PT_NOTE": 4,
    "PT_TLS": 7,
    "PT_GNU_EH_FRAME": 0x6474E550,
    "PT_GNU_STACK": 0x6474E551,
    "PT_GNU_RELRO": 0x6474E552,
    "PT_GNU_PROPERTY": 0x6474E553,
}


def load(raw: bytes, contract: Contract | None = None) -> Program:
    """Read a statically linked i386 ELF with symbols and relocations.  Raises ElfError, one line."""
    image = read(raw)
    check_segments(image, raw)
    return _Loader(constant_pc(image), contract or Contract()).program()


class _Loader:
    def __init__(self, image: Image, contract: Contract) -> None:
        self.image = image
        self.contract = contract
        self.names = unique_names(image)
        self.relocations = Relocations(image)
        self.named = self.relocations.named
        self.extents = Extents(image, self.relocations.addresses())
        self.unwound = Unwound(image, self.relocations)
        self.labels: dict[int, str] = {}  # of blocks, by address
        self.fixups: dict[int, Fixup] = {}  # by the address of the instruction that may fault
        self.table: RawSection | None = None  # the exception table's section

    def program(self) -> Program:
        self._read_exception_table()
        for promise in self.contract.equal_stubs:
            Stubs(self.image, self.extents).note(promise)
        self.unwound.lead(self.extents)
        Leaders(self.image, self.relocations, self.extents, self.fixups).find()
        self._pin_boundaries()
        for extent in self.extents:
            leaders = extent.leaders | {extent.start}
            self.labels |= labels_of(leaders, extent)
        functions = [self._function(extent) for extent in self.extents]
        program = Program(
            functions,
            [self._data(s) for s in self.image.allocated() if not s.executable],
            *self._entry(),
            symbols=self._symbols(),
            sections=tuple(self._section(s) for s in self.image.allocated()),
            segments=tuple(self._segments()),
            got=self._got(),
            unwinding=self.unwound.unwinding(self._ref, self._place),
            exception_table=self.names[self.table.index] if self.table else None,
            exception_format=self.contract.exception_table.format if self.contract.exception_table else FORMAT,
            fault_words=self._fault_words(),
            made_for=self.image.flags,
        )
        end_calls(program)
        check_promises(program, self.contract)
        pin(program, self.contract)
        return program

    def _read_exception_table(self) -> None:
        if self.contract.exception_table is None:
            return
        self.table, entries = read_exception_table(self.image, self.contract.exception_table)
        self.named[self.table.index] = []  # its own references are the entries
        for fixup in entries:
            source, target = self.extents.at(fixup.insn), self.extents.at(fixup.target)
            if source is None or target is None or not target.holds_instruction(fixup.target):
                raise ElfError(f"the exception table names {fixup.insn:#x} → {fixup.target:#x}, which is not code")
            target.leaders.add(fixup.target)
            self._lead_handler(fixup)
            if source.holds_instruction(fixup.insn):
                self.fixups[fixup.insn] = fixup
            else:
                raise ElfError(f"the exception table names {fixup.insn:#x}, which is not an instruction")

    def _lead_handler(self, fixup: Fixup) -> None:
        if self._form.addresses > 2:
            handler = self.extents.at(fixup.word)
            if handler is None or not handler.holds_instruction(fixup.word):
                raise ElfError(f"the exception table names the handler {fixup.word:#x}, which is not code")
            handler.leaders.add(fixup.word)

    @property
    def _form(self) -> Format:
        promise = self.contract.exception_table
        return FORMATS[promise.format if promise is not None else FORMAT]

    def _fault_words(self) -> dict[int, Ref | int]:
        """Third words of the exception table's entries, by the address of the instruction."""
        if not self._form.third:
            return {}
        if self._form.addresses == 2:
            return {at: fixup.word for at, fixup in self.fixups.items()}
        return {at: Ref(0, RefKind.ABS32, self.labels[fixup.word]) for at, fixup in self.fixups.items()}

    def _pin_boundaries(self) -> None:
        """Where a symbol may mean the function or the section that begins there, both stay together."""
        for fields in self.named.values():
            for named in fields:
                if named.section.executable and named.offset == 0 and self._is_boundary(named.symbol):
                    extent = self.extents.at(named.section.address)
                    if extent is not None:
                        extent.pin(f"{named.symbol.name} may mean it, or where {named.section.name} begins")

    # Building

    def _place(self, address: int) -> tuple[str, int]:
        """Label and offset of a place in the code."""
        extent = self.extents.at(address)
        if extent is None:
            raise ElfError(f"the unwinding tables name {address:#x}, which is not code")
        return self._label(extent.section, address - extent.section.address)

    def _label(self, section: RawSection, offset: int) -> tuple[str, int]:
        """The label and addend that mean `section + offset`."""
        name = self.names[section.index]
        if self.unwound.holds(section):
            return name, 0  # whoever names a part of it means all that follows, and the order is another
        if not section.executable:
            if section is self.table and offset == section.size:
                return name + END, 0
            return name, offset
        if offset >= section.size:
            return name + END, offset - section.size
        address = section.address + offset
        if address in self.labels:
            return self.labels[address], 0
        extent = self.extents.at(address)
        assert extent is not None, f"{address:#x} has no label"
        return extent.name, address - extent.start

    def _ref(self, named: Named, base: int) -> Ref:
        boundary = named.section.executable and named.offset == 0 and self._is_boundary(named.symbol)
        label, offset = (self.names[named.section.index], 0) if boundary else self._label(named.section, named.offset)
        return Ref(named.field - base, named.kind, label, offset + named.addend)

    def _is_boundary(self, symbol: RawSymbol) -> bool:
        """`_stext` is where the text begins, and only by accident the first function."""
        extent = self.extents.at(symbol.value)
        return symbol.kind == "notype" and (extent is None or symbol.name != extent.name)

    def _function(self, extent: Extent) -> Function:
        if extent.verbatim:
            insn = Insn(
                extent.raw(extent.start, extent.end), self._fields(extent, extent.start, extent.end), extent.start
            )
            return Function(extent.name, [Block(extent.name, [insn])], tuple(extent.pins), verbatim=True)
        blocks: list[Block] = []
        ends = [*extent.starts[1:], extent.end]
        for address, end in zip(extent.starts, ends, strict=True):
            if address in self.labels:
                blocks.append(Block(self.labels[address], []))
            insn = self._insn(extent, address, end)
            blocks[-1].insns.append(insn)
            if flow(insn.raw) in (Flow.NEXT, Flow.BRANCH, *CALLS):
                blocks[-1].falls_to = self._next_label(extent, end) if end in self.labels or end == extent.end else None
        return Function(extent.name, blocks, tuple(extent.pins))

    def _next_label(self, extent: Extent, end: int) -> str | None:
        if end < extent.end:
            return self.labels[end]
        after = self.extents.behind(extent)
        return after.name if after is not None else None

    def _insn(self, extent: Extent, address: int, end: int) -> Insn:
        raw = extent.raw(address, end)
        fixup = self.fixups.get(address)
        faults_to = self.labels[fixup.target] if fixup else None
        target = branch_target(raw, end)
        field = branch_field(raw)
        if target is not None and field is not None:
            reached = self.extents.at(target)
            label, addend = ABSOLUTE, target
            if reached is not None:
                section = reached.section
                label, addend = self._label(section, reached.branched_to(target) - section.address)
            if reached is not None or flow(raw) is Flow.CALL:
                return Insn(raw, (Ref(field[0], field[1], label, addend),), address, faults_to)
        return Insn(raw, self._fields(extent, address, end), address, faults_to)

    def _fields(self, extent: Extent, start: int, end: int) -> tuple[Ref, ...]:
        refs = self.named[extent.section.index]
        base = start - extent.section.address
        position = bisect_left(refs, base, key=lambda ref: ref.field)
        found: list[Ref] = []
        while position < len(refs) and refs[position].field < end - extent.section.address:
            found.append(self._ref(refs[position], base))
            position += 1
        return tuple(found)

    def _data(self, section: RawSection) -> Data:
        name = self.names[section.index]
        if section is self.table or self.unwound.holds(section):
            return Data(name, section.address, b"", writable=section.writable, align=section.align)
        refs = {named.field: self._ref(named, 0) for named in self.named[section.index]}
        zero = 0 if section.raw else section.size
        return Data(name, section.address, section.raw, refs, section.writable, zero, section.align)

    def _got(self) -> str | None:
        owner = self.relocations.got.owner()
        if owner is None and any(n.kind is RefKind.GOTOFF for fields in self.named.values() for n in fields):
            raise ElfError("the global offset table is not where a section begins")
        return self.names[owner.index] if owner else None

    def _entry(self) -> tuple[str, int]:
        entry = self.image.entry
        for section in self.image.allocated():
            for bias in {0, self.relocations.bias(section)}:
                offset = entry - bias - section.address
                if section.executable and 0 <= offset < section.size and section.address + offset in self.labels:
                    return self.labels[section.address + offset], bias
        raise ElfError(f"the entry {entry:#x} is not a known instruction")

    def _symbols(self) -> list[Symbol]:
        found = []
        for s in self.image.symbols:
            section = self.relocations.owner(s) if s.kind in ("func", "notype", "object") and s.name else None
            if section is None or not section.address <= s.value <= section.end:
                continue
            boundary = section.executable and s.value == section.address and self._is_boundary(s)
            label, offset = (
                (self.names[section.index], 0) if boundary else self._label(section, s.value - section.address)
            )
            found.append(Symbol(s.name, label, offset, s.size, s.kind, s.local))
        unnamed = (e for e in self.extents if e.unnamed and not e.verbatim)
        return found + [Symbol(e.name, e.name, kind="func", local=True) for e in unnamed]

    def _section(self, s: RawSection) -> Section:
        name = self.names[s.index]
        return Section(name, s.address, s.size, s.align, s.executable, s.writable, not s.raw, s.thread_local)

    def _segments(self) -> list[Segment]:
        found = []
        for s in self.image.segments:
            inside = self._inside(s)
            if s.kind == "PT_LOAD" and s.offset == 0 and s.file_size and not inside:
                found.append(Segment(KINDS[s.kind], s.flags, s.align, (), True, s.physical - s.address, s.address))
            if s.kind == "PT_GNU_STACK":
                found.append(Segment(KINDS[s.kind], s.flags, s.align, (), False, 0, beyond=s.size))
            if s.kind in KINDS and inside:
                names = tuple(self.names[x.index] for x in inside)
                headers = s.offset == 0 and s.address < inside[0].address
                beyond = s.address + s.size - inside[-1].end if s.kind == "PT_GNU_RELRO" else 0
                bias = s.physical - s.address
                found.append(Segment(KINDS[s.kind], s.flags, s.align, names, headers, bias, beyond=beyond))
        return found

    def _inside(self, segment: RawSegment) -> list[RawSection]:
        """The sections of a segment; those of zeros for each thread lie in no other than their own."""
        end = segment.address + segment.size
        sections = [x for x in self.image.allocated() if segment.address <= x.address and x.end <= end]
        if segment.kind == "PT_TLS":
            return [x for x in sections if x.thread_local]
        return [x for x in sections if x.raw or not x.thread_local]
