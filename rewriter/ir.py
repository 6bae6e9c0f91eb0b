"""Floor 0: a program as functions of blocks of instructions, every address a symbol (§2).

These types are all that the passes know.  A number is an address only where a `Ref` says so; everything else
names code and data by *label*.  Labels are unique strings: a function's name is the label of its first block,
`name.3` is another block, a section's name is the label of its data.  A code section's name and
`name$end` are its boundaries, for symbols such as `_stext` and `_etext`; `name$end` also follows data that grows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from rewriter.reasons import Reason

END = "$end"
ABSOLUTE = (
    "$absolute"  # address 0: what counts from it is a number, such as where a weak function that is missing would be
)


class RefKind(Enum):
    """How a four-byte (or one-byte) field names its target."""

    ABS32 = "abs32"  # field = target + addend
    PC32 = "pc32"  # field = target + addend - address behind the field
    GOTOFF = "gotoff"  # field = target + addend - `Program.got`: position-independent code, whose register holds that
    PC8 = "pc8"  # the same in one byte: short branches, loop, jecxz


@dataclass(frozen=True, slots=True)
class Ref:
    """The field at `offset` bytes into an instruction or datum names `target + addend`."""

    offset: int
    kind: RefKind
    target: str
    addend: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """Why an instruction was written that the input does not have: by which pass, and for which instructions of the
    input it stands beside its `origin` (their addresses)."""

    by: str
    why: Reason
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Insn:
    """One machine instruction; `raw` keeps the original bytes, with the fields under `refs` meaningless.

    `origin` is the address in the input image, of which a clone is a copy; of one that was `made`, of the instruction
    that it stands for, if it stands for one.  `faults_to` is the label of the fixup that the exception table names for
    this instruction; of a call, of the code that catches what is thrown by it, where that is an edge (`throws`).
    `unwind`: how to unwind from here, where that is not as at its origin: an address whose frame holds, and the row.
    """

    raw: bytes
    refs: tuple[Ref, ...] = ()
    origin: int | None = None
    faults_to: str | None = None
    made: Made | None = field(default=None, compare=False)  # None: as it is in the input
    unwind: tuple[int, Row] | None = field(default=None, compare=False)

    @property
    def origins(self) -> tuple[int, ...]:
        """All instructions of the input that it stands for."""
        others = self.made.others if self.made is not None else ()
        return others if self.origin is None else (self.origin, *others)


@dataclass(slots=True)
class Block:
    """Straight code under one label.  Control enters at the top and leaves at the bottom, to the targets of the
    last instruction, to its `faults_to`, and to `falls_to` (the return point, where the last one is a call)."""

    label: str
    insns: list[Insn]
    falls_to: str | None = None


DATA_IN_TEXT: Final = "data in the text"  # the pin of an object


@dataclass(slots=True)
class Function:
    """Blocks in layout order, the entry first.  `pins` are the reasons for which it stays verbatim in its place;
    `verbatim` ones could not be decoded and hold their bytes as one `Insn` that is no instruction.  `align`: of its
    first byte; None: as it was."""

    name: str
    blocks: list[Block]
    pins: tuple[str, ...] = ()
    verbatim: bool = False
    align: int | None = None

    def insns(self) -> Iterator[Insn]:
        for block in self.blocks:
            yield from block.insns

    @property
    def is_data(self) -> bool:
        """Whether its symbol says that it is none: an object that lies between functions."""
        return DATA_IN_TEXT in self.pins


@dataclass(slots=True)
class Data:
    """`raw` followed by `zero_size` zero bytes.  `address` is the place in the input image, None for new data."""

    name: str
    address: int | None
    raw: bytes
    refs: dict[int, Ref] = field(default_factory=dict)  # by offset
    writable: bool = True
    zero_size: int = 0
    align: int = 4
    sorted_by: int = 0  # bytes of an entry: written in the order of the addresses that the entries begin with

    @property
    def size(self) -> int:
        return len(self.raw) + self.zero_size


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name of the input's symbol table: `target + offset`, in bytes."""

    name: str
    target: str
    offset: int = 0
    size: int = 0
    kind: str = "notype"  # notype, func, object
    local: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Where the input placed a section; read and written by `elf/` alone."""

    name: str
    address: int
    size: int
    align: int
    executable: bool
    writable: bool
    zero: bool  # occupies no bytes of the file
    thread_local: bool = False  # a template: where it is zero, it occupies no memory either


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the input that a loader maps: from the first to the last of `sections`; read and written by `elf/`."""

    kind: int  # PT_LOAD, PT_TLS, PT_GNU_STACK …
    flags: int
    align: int
    sections: tuple[str, ...]
    headers: bool  # begins with the file's own headers
    load_bias: int  # physical minus virtual address
    address: int = 0  # of the headers, where they are all it maps
    beyond: int = 0  # bytes of memory behind the last section that belong to it, too


# What restores the caller's registers at one place: DWARF instructions that set the frame's address, each register's
# rule (by number), and the bytes of pushed arguments.
Row = tuple[bytes, tuple[tuple[int, bytes], ...], bytes]


@dataclass(frozen=True, slots=True)
class FrameKind:
    """What unwinding entries have in common (a CIE)."""

    augmentation: str
    code_factor: int
    data_factor: int
    return_column: int
    rules: bytes  # DWARF instructions that are executed before those of each entry
    personality: Ref | None = None  # the function that looks for handlers
    personality_encoding: int = 0


@dataclass(frozen=True, slots=True)
class CallSite:
    """Where an exception that passes [start, end), addresses of the input image, is caught; `pad`: label and offset."""

    start: int
    end: int
    pad: tuple[str, int] | None
    action: int


@dataclass(frozen=True, slots=True)
class Handlers:
    """Who catches what passes a function (an LSDA); places without a call site let nothing pass.  `tail` is what
    follows the call sites, kept as it is: actions, types up to `types`, and lists of types."""

    sites: tuple[CallSite, ...]
    type_encoding: int
    types: int | None
    tail: bytes
    refs: tuple[Ref, ...]
    phase: int  # address of the tail modulo 4


@dataclass(frozen=True, slots=True)
class Frame:
    """How to unwind the code of [start, end) of the input image; `lead` bytes before it count as its own."""

    start: int
    end: int
    lead: int
    kind: FrameKind
    rows: tuple[tuple[int, Row], ...]  # each from an address on
    handlers: Handlers | None = None


@dataclass(slots=True)
class Unwinding:
    """All frames, by start; written anew as the data `frames` (`.eh_frame`), `handlers` (`.gcc_except_table`) and
    `index` (`.eh_frame_hdr`), which have their places of the input as long as these are large enough."""

    all: tuple[Frame, ...]
    frames: str
    handlers: str | None = None
    index: str | None = None
    _sites: dict[int, CallSite | None] = field(default_factory=dict, repr=False)

    def at(self, address: int) -> Frame | None:
        """The frame of an instruction, by its address in the input image."""
        position = bisect_right(self.all, address, key=lambda frame: frame.start) - 1
        return self.all[position] if position >= 0 and address < self.all[position].end else None

    def site(self, address: int) -> CallSite | None:
        """Where what is thrown by the call at this address of the input image is caught."""
        if address not in self._sites:
            frame = self.at(address)
            sites = frame.handlers.sites if frame is not None and frame.handlers is not None else ()
            self._sites[address] = next((s for s in sites if s.start <= address < s.end), None)
        return self._sites[address]

    def row(self, address: int) -> Row | None:
        """What restores the caller's registers before this instruction of the input image."""
        frame = self.at(address)
        if frame is None:
            return None
        position = bisect_right(frame.rows, address, key=lambda row: row[0])
        return frame.rows[max(position - 1, 0)][1]

    def pads(self) -> Iterator[str]:
        """Labels of the code that catches something."""
        for frame in self.all:
            for site in frame.handlers.sites if frame.handlers is not None else ():
                if site.pad is not None:
                    yield site.pad[0]


@dataclass(slots=True)
class Program:
    """A whole image: `functions` in layout order, `data`, and the label where it starts."""

    functions: list[Function]
    data: list[Data]
    entry: str
    entry_bias: int = 0  # the entry address is this much above its label (code before paging)
    symbols: list[Symbol] = field(default_factory=list)
    sections: tuple[Section, ...] = ()
    segments: tuple[Segment, ...] = ()
    got: str | None = None  # the data from which GOTOFF references count
    exception_table: str | None = None  # the data that is written anew from every `faults_to`
    exception_format: str = "absolute-pairs"
    fault_words: Mapping[int, Ref | int] = field(default_factory=dict)  # third words of its entries, by `origin`
    unwinding: Unwinding | None = None
    made_for: int = 0  # tag of the kernel that a program was retargeted for; 0: any.  Kept in the ELF header's flags

    def copy(self) -> Program:
        """A program that may be edited without changing this one; instructions are immutable and shared."""
        functions = [
            replace(f, blocks=[Block(b.label, list(b.insns), b.falls_to) for b in f.blocks]) for f in self.functions
        ]
        data = [replace(d, refs=dict(d.refs)) for d in self.data]
        return replace(self, functions=functions, data=data, symbols=list(self.symbols))

    @property
    def code(self) -> list[Function]:
        """Its functions without the data that lies between them."""
        return [function for function in self.functions if not function.is_data]

    def addresses_taken(self) -> dict[str, None]:
        """Every label that data, or an instruction other than a direct branch, names: in order, as a set."""
        found: dict[str, None] = {}
        for data in self.data:
            found |= dict.fromkeys(ref.target for ref in data.refs.values())
        for function in self.functions:
            for insn in function.insns():
                found |= dict.fromkeys(ref.target for ref in insn.refs if ref.kind in (RefKind.ABS32, RefKind.GOTOFF))
        return found

    def function(self, name: str) -> Function:
        """The function of that name; KeyError if there is none."""
        for function in self.functions:
            if function.name == name:
                return function
        raise KeyError(name)

    def symbol(self, name: str) -> Symbol:
        """The first symbol of that name; KeyError if there is none."""
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol
        raise KeyError(name)

    def datum(self, name: str) -> Data:
        """The data of that name; KeyError if there is none."""
        for data in self.data:
            if data.name == name:
                return data
        raise KeyError(name)
