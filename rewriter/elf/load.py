"""ELF → IR (§2): every address becomes a label, every branch and relocation a `Ref`.

`load` first finds the functions, then everything that names an address in them, and only then cuts them into
blocks: beyond that point no block gets a new label.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.contract import Contract
from rewriter.elf.exceptions import Fixup, read_exception_table
from rewriter.elf.extents import Extent, Extents, labels_of
from rewriter.elf.image import R_32, SHN_ABS, ElfError, Image, RawSection, RawSymbol, read
from rewriter.elf.pins import pin
from rewriter.ir import END, Block, Data, Function, Insn, Program, Ref, RefKind, Section, Segment, Symbol
from rewriter.x86.flow import Flow, branch_field, flow

PAGE = 4096


def load(raw: bytes, contract: Contract | None = None) -> Program:
    """Read a statically linked i386 ELF with symbols and relocations.  Raises ElfError, one line."""
    image = read(raw)
    return _Loader(image, contract or Contract()).program()


@dataclass(frozen=True, slots=True)
class _Named:
    """What a relocated field names: `section.address + offset + addend`."""

    field: int  # offset into the section that holds the field
    kind: RefKind
    section: RawSection
    offset: int
    addend: int
    symbol: RawSymbol


class _Loader:
    def __init__(self, image: Image, contract: Contract) -> None:
        self.image = image
        self.contract = contract
        self.names = _unique_names(image)
        self.named: dict[int, list[_Named]] = {s.index: [] for s in image.sections}
        self._read_relocations()
        addresses = {r.section.address + r.offset for refs in self.named.values() for r in refs}
        self.extents = Extents(image, addresses)
        self.labels: dict[int, str] = {}  # of blocks, by address
        self.fixups: dict[int, Fixup] = {}  # by the address of the instruction that may fault
        self.table: RawSection | None = None  # the exception table's section

    def program(self) -> Program:
        self._read_exception_table()
        self._find_leaders()
        self._spread_verbatim()
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
            exception_table=self.names[self.table.index] if self.table else None,
            made_for=self.image.flags,
        )
        pin(program, self.contract)
        return program

    # What names what

    def _read_relocations(self) -> None:
        for r in self.image.relocations:
            patched = self.image.sections[r.section]
            if not patched.raw:
                raise ElfError(f"a relocation in {patched.name}, which has no bytes")
            value = int.from_bytes(patched.raw[r.offset : r.offset + 4], "little")
            kind, behind = RefKind.ABS32, 0
            if r.kind != R_32:
                # A branch counts from its end; `.eh_frame` counts from the field itself.
                kind, behind = RefKind.PC32, 0 if patched.executable else 4
                value += patched.address + r.offset + 4 - behind
            place = self._place(r.symbol, value & 0xFFFFFFFF)
            if place is not None:
                section, offset, addend = place
                self.named[r.section].append(_Named(r.offset, kind, section, offset, addend + behind, r.symbol))
        for refs in self.named.values():
            refs.sort(key=lambda ref: ref.field)

    def _place(self, symbol: RawSymbol, value: int) -> tuple[RawSection, int, int] | None:
        """(section, offset, addend) of a value, by the section that owns the *symbol*: an index below the start of
        an array names another section's bytes, but still means the array.  None: not an address of this image."""
        section = self._owner(symbol)
        if section is None:
            return None
        offset = value - section.address
        if 0 <= offset <= section.size:
            return section, offset, 0
        for bias in {self._bias(section), -self._bias(section)} - {0}:
            physical = (offset - bias + (1 << 31)) % (1 << 32) - (1 << 31)
            if 0 <= physical <= section.size:
                return section, physical, bias
        if not section.executable:
            return section, 0, offset
        return section, symbol.value - section.address, value - symbol.value

    def _owner(self, symbol: RawSymbol) -> RawSection | None:
        if 0 < symbol.section < len(self.image.sections):
            section = self.image.sections[symbol.section]
            return section if section.allocated and section.size else None
        if symbol.section == SHN_ABS:  # `_end = .` of a linker script may count as absolute
            for section in self.image.allocated():
                if section.address <= symbol.value <= section.end:
                    return section
        return None

    def _bias(self, section: RawSection) -> int:
        for segment in self.image.segments:
            if segment.kind == "PT_LOAD" and segment.address <= section.address < segment.address + segment.size:
                return segment.physical - segment.address
        return 0

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
            if source.holds_instruction(fixup.insn):
                self.fixups[fixup.insn] = fixup
            else:
                raise ElfError(f"the exception table names {fixup.insn:#x}, which is not an instruction")

    # Where blocks begin

    def _find_leaders(self) -> None:
        for refs in self.named.values():
            for ref in refs:
                if ref.section.executable and ref.offset < ref.section.size:
                    self._lead(ref.section.address + ref.offset)
        for symbol in self.image.symbols:
            if symbol.name and symbol.kind in ("func", "notype") and 0 < symbol.section < len(self.image.sections):
                section = self.image.sections[symbol.section]
                if section.executable and section.raw and section.address <= symbol.value < section.end:
                    self._lead(symbol.value)
        for extent in list(self.extents):
            self._lead_branches(extent)

    def _lead(self, address: int) -> None:
        extent = self.extents.at(address)
        if extent is None:
            raise ElfError(f"a relocation names {address:#x}, where the code section has no bytes")
        if extent.holds_instruction(address):
            extent.leaders.add(address)
        elif not extent.verbatim:
            extent.give_up(f"named in the middle of an instruction at {extent.name}+{address - extent.start:#x}")

    def _lead_branches(self, extent: Extent) -> None:
        """Targets of direct branches, and whatever follows a branch, begin blocks."""
        ends = [*extent.starts[1:], extent.end]
        for address, end in zip(extent.starts, ends, strict=False):
            raw = extent.raw(address, end)
            if flow(raw) is Flow.NEXT and address not in self.fixups:
                continue
            if end < extent.end:
                extent.leaders.add(end)
            target = _branch_target(raw, end)
            if target is None:
                continue
            if self.extents.at(target) is None:
                extent.pin(f"branches out of the image at {extent.name}+{address - extent.start:#x}")
            else:
                self._lead(target)

    def _spread_verbatim(self) -> None:
        """Code that is not understood has no blocks inside, and may branch wherever its bytes seem to say."""
        for section in self.image.allocated():
            if section.executable:
                self._check_fields(section)
        for extent in [e for e in self.extents if e.verbatim]:
            extent.leaders.clear()
            if any(extent.start <= address < extent.end for address in self.fixups):
                raise ElfError(f"{extent.name} has exception-table entries but cannot be decoded")
            for target in _seeming_targets(extent):
                self._pin_target(extent, target)

    def _pin_target(self, extent: Extent, target: int) -> None:
        reached = self.extents.at(target)
        if reached is not None and reached is not extent and reached.holds_instruction(target):
            reached.pin(f"{extent.name}, which is not understood, may branch to it")

    def _check_fields(self, section: RawSection) -> None:
        """A relocated field must lie within one instruction, else what was decoded there is not code."""
        for ref in self.named[section.index]:
            address = section.address + ref.field
            extent = self.extents.at(address)
            if extent is None or extent.verbatim:
                continue
            if _instruction_behind(extent, address) < address + 4 or extent.holds_instruction(address):
                extent.give_up(
                    f"a relocated field is not part of an instruction at {extent.name}+{address - extent.start:#x}"
                )

    # Building

    def _label(self, section: RawSection, offset: int) -> tuple[str, int]:
        """The label and addend that mean `section + offset`."""
        name = self.names[section.index]
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

    def _ref(self, named: _Named, base: int) -> Ref:
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
            return Function(extent.name, [Block(extent.name, [insn])], tuple(extent.pins))
        blocks: list[Block] = []
        ends = [*extent.starts[1:], extent.end]
        for address, end in zip(extent.starts, ends, strict=True):
            if address in self.labels:
                blocks.append(Block(self.labels[address], []))
            insn = self._insn(extent, address, end)
            blocks[-1].insns.append(insn)
            if flow(insn.raw) in (Flow.NEXT, Flow.BRANCH, Flow.CALL, Flow.CALL_INDIRECT):
                blocks[-1].falls_to = (
                    self._next_label(extent, insn, end) if end in self.labels or end == extent.end else None
                )
        return Function(extent.name, blocks, tuple(extent.pins))

    def _next_label(self, extent: Extent, insn: Insn, end: int) -> str | None:
        if end < extent.end:
            return self.labels[end]
        after = self.extents.behind(extent)
        padded = after is not None and after.start > end
        if after is None or (padded and extent.sized and flow(insn.raw) in (Flow.CALL, Flow.CALL_INDIRECT)):
            return None  # a compiler ends a function with a call only where it never returns
        return after.name

    def _insn(self, extent: Extent, address: int, end: int) -> Insn:
        raw = extent.raw(address, end)
        fixup = self.fixups.get(address)
        faults_to = self.labels[fixup.target] if fixup else None
        target = _branch_target(raw, end)
        if target is not None and self.extents.at(target) is not None:
            field = branch_field(raw)
            assert field is not None
            section = self.extents.at(target).section  # type: ignore[union-attr]
            label, addend = self._label(section, target - section.address)
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
        if section is self.table:
            return Data(name, section.address, b"", writable=section.writable, align=section.align)
        refs = {named.field: self._ref(named, 0) for named in self.named[section.index]}
        zero = 0 if section.raw else section.size
        return Data(name, section.address, section.raw, refs, section.writable, zero, section.align)

    def _entry(self) -> tuple[str, int]:
        entry = self.image.entry
        for section in self.image.allocated():
            for bias in {0, self._bias(section)}:
                offset = entry - bias - section.address
                if section.executable and 0 <= offset < section.size and section.address + offset in self.labels:
                    return self.labels[section.address + offset], bias
        raise ElfError(f"the entry {entry:#x} is not a known instruction")

    def _symbols(self) -> list[Symbol]:
        found = []
        for s in self.image.symbols:
            section = self._owner(s) if s.kind in ("func", "notype", "object") and s.name else None
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
        return Section(self.names[s.index], s.address, s.size, s.align, s.executable, s.writable, not s.raw)

    def _segments(self) -> list[Segment]:
        kinds = {"PT_LOAD": 1, "PT_NOTE": 4, "PT_TLS": 7}
        found = []
        for s in self.image.segments:
            end = s.address + s.size
            inside = [x for x in self.image.allocated() if s.address <= x.address and x.end <= end]
            if s.kind in kinds and inside:
                names = tuple(self.names[x.index] for x in inside)
                headers = s.offset == 0 and s.address < inside[0].address
                found.append(Segment(kinds[s.kind], s.flags, s.align, names, headers, s.physical - s.address))
        return found


def _unique_names(image: Image) -> dict[int, str]:
    """Labels of sections by index: their names, numbered where two are equal."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for section in image.sections:
        label, n = section.name, 1
        while label in taken:
            n += 1
            label = f"{section.name}~{n}"
        taken.add(label)
        names[section.index] = label
    return names


def _branch_target(raw: bytes, end: int) -> int | None:
    """Where a direct branch of these bytes, ending at `end`, leads."""
    if flow(raw) not in (Flow.JUMP, Flow.BRANCH, Flow.CALL):
        return None
    field = branch_field(raw)
    if field is None:
        return None
    offset, kind = field
    size = 1 if kind is RefKind.PC8 else 4
    return (end + int.from_bytes(raw[offset : offset + size], "little", signed=True)) & 0xFFFFFFFF


def _seeming_targets(extent: Extent) -> Iterator[int]:
    """Where direct branches would lead if one began at any byte of the extent."""
    raw = extent.raw(extent.start, extent.end)
    for i, byte in enumerate(raw):
        if byte in (0xE8, 0xE9) or (0x80 <= byte < 0x90 and i and raw[i - 1] == 0x0F):
            size = 4
        elif byte == 0xEB or 0x70 <= byte < 0x80 or 0xE0 <= byte < 0xE4:
            size = 1
        else:
            continue
        end = i + 1 + size
        if end <= len(raw):
            distance = int.from_bytes(raw[i + 1 : end], "little", signed=True)
            yield (extent.start + end + distance) & 0xFFFFFFFF


def _instruction_behind(extent: Extent, address: int) -> int:
    """The end of the instruction that holds `address`."""
    position = bisect_left(extent.starts, address + 1)
    return extent.starts[position] if position < len(extent.starts) else extent.end
