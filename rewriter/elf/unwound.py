"""The unwinding tables of an image, as the loader sees them: first which places in the code they name, later, when
these have labels, the frames themselves."""

from __future__ import annotations

from collections.abc import Callable

from rewriter.elf.extents import Extents
from rewriter.elf.image import Image, RawSection
from rewriter.elf.relocations import Named, Relocations
from rewriter.elf.unwind import Entry, ExceptTable, pads, read_entries
from rewriter.ir import Ref, Unwinding

FRAMES, HANDLERS, INDEX = ".eh_frame", ".gcc_except_table", ".eh_frame_hdr"
SIGNALS = "its unwinding entry begins before it"


class Unwound:
    """The tables of `image`; their relocations are taken out of `relocations`, as they are written anew."""

    def __init__(self, image: Image, relocations: Relocations) -> None:
        by_name = {s.name: s for s in image.allocated() if s.raw}
        self.sections = {name: by_name[name] for name in (FRAMES, HANDLERS, INDEX) if name in by_name}
        if FRAMES not in self.sections:
            self.sections = {}
        self._named: dict[str, list[Named]] = {}
        for name, section in self.sections.items():
            self._named[name], relocations.named[section.index] = relocations.named[section.index], []

    def holds(self, section: RawSection) -> bool:
        return self.sections.get(section.name) is section

    def lead(self, extents: Extents) -> None:
        """Let every place that the tables name begin a block.  Raises ElfError."""
        if not self.sections:
            return
        nothing = {named.field: Ref(0, named.kind, "") for named in self._named[FRAMES]}
        entries = read_entries(self.sections[FRAMES], nothing)
        table = self._table(entries, {})
        for address in [e.start for e in entries] + (pads(entries, table) if table else []):
            extent = extents.at(address)
            if extent is not None and extent.holds_instruction(address):
                extent.leaders.add(address)
            elif extent is not None and not extent.verbatim:
                extent.give_up(f"unwinding tables name the middle of an instruction at {extent.name}")
        for entry in entries:
            extent = extents.at(entry.start) if entry.lead else None
            if extent is not None:
                extent.pin(SIGNALS)

    def unwinding(self, ref: Callable[[Named, int], Ref], place: Callable[[int], tuple[str, int]]) -> Unwinding | None:
        """The frames.  `ref`: what a field names; `place`: label and offset of an address."""
        if not self.sections:
            return None
        refs = {name: {n.field: ref(n, 0) for n in named} for name, named in self._named.items()}
        entries = read_entries(self.sections[FRAMES], refs[FRAMES])
        table = self._table(entries, refs.get(HANDLERS, {}))
        frames = tuple(entry.frame(table, place) for entry in entries)
        handlers, index = (name if name in self.sections else None for name in (HANDLERS, INDEX))
        return Unwinding(frames, FRAMES, handlers, index)

    def _table(self, entries: list[Entry], refs: dict[int, Ref]) -> ExceptTable | None:
        section = self.sections.get(HANDLERS)
        return ExceptTable(section, refs, [e.handlers for e in entries if e.handlers]) if section else None
