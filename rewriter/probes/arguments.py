"""What hot functions are passed: the values of their stack arguments, as groups, in bounded tables (§4.2).

The system-call trace sees what programs ask; this sees what the kernel's functions pass each other.  At the entry
of a function the probe copies its first words of arguments and notes them in the function's table (§3.3); a
function that takes its arguments in registers has none on the stack.  All registers and flags are kept, interrupts
are off meanwhile, and `stack_use(words)` bytes below esp are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.ir import Program
from rewriter.probes.areas import add_zeroed, register
from rewriter.probes.assembly import function
from rewriter.probes.entry import probe_entry, select
from rewriter.probes.table import Shape, Totals, note_function, read_tables
from rewriter.profile import Arguments

VALUES, COPY, NOTE = "__hotpath_values", "__hotpath_copy_arguments", "__hotpath_note_values"
WORDS = 6  # the most arguments that are looked at

COPY_TEXT = """
    pushfd
    cli
    pushal
    lea ebp, [esp + 48]                 # 8 registers, flags, three pushes of the probe: the return address
    mov ecx, dword ptr [ebp - 8]        # how many words
    mov edx, $words
pad:
    cmp edx, ecx
    je copy
    push 0
    dec edx
    jmp pad
copy:
    test ecx, ecx
    je note
    push dword ptr [ebp + ecx*4]
    dec ecx
    jmp copy
note:
    mov esi, esp
    mov ebx, dword ptr [ebp - 4]
    call {__hotpath_note_values}
    add esp, $key
    popal
    popfd
    ret 8
"""


@dataclass(frozen=True, slots=True)
class ArgumentTables:
    """How to read what kprofile's type `values` writes out: one table for each function, in order."""

    functions: tuple[str, ...]
    words: Mapping[str, int]  # stack arguments of each that are looked at
    shape: Shape
    type: int | None  # kprofile's type number, None where the kernel has no kprofile
    refused: Mapping[str, int]  # functions without a probe, by reason

    def read(self, frame: bytes) -> dict[str, dict[Arguments, int]]:
        """How often each function was passed each group of arguments, commonest first.  Raises ProbeError."""
        found = {}
        for name, table in read_tables(self.shape, self.functions, frame).items():
            slots = sorted(table.occupied, key=lambda slot: (-slot.count, slot.key))
            found[name] = {slot.key[: self.words[name]]: slot.count for slot in slots}
        return found

    def totals(self, frame: bytes) -> dict[str, Totals]:
        """How many entries each function saw, and how many are in no table any more.  Raises ProbeError."""
        return {name: table.totals for name, table in read_tables(self.shape, self.functions, frame).items()}


def stack_use(words: int = WORDS) -> int:
    """Bytes that a probe needs below esp: three pushes, flags, registers, the arguments, a return address."""
    return 12 + 4 + 32 + 4 * words + 4


def insert_argument_tables(
    program: Program,
    contract: Contract,
    words: Mapping[str, int],
    *,
    table_size: int = 12,
    clean_every: int = 1000,
) -> ArgumentTables:
    """Insert the probe at the entries of the functions `words`, each with its number of stack arguments (more than
    WORDS are cut), in place.  Raises ProbeError; KeyError for unknown names."""
    chosen, refused = select(program, Index(program), words)
    shape = Shape(WORDS, table_size, clean_every)
    counts = {name: min(words[name], WORDS) for name in chosen}
    if not chosen:
        return ArgumentTables((), {}, shape, None, refused)
    index = Index(program)
    for i, name in enumerate(chosen):
        pushed = (f"{{{VALUES}+{shape.size * i}}}", str(counts[name]))
        probe_entry(index, index.functions[name], pushed, COPY)
    program.functions += [
        function(COPY, COPY_TEXT, words=WORDS, key=4 * WORDS),
        note_function(shape, NOTE),
    ]
    data = add_zeroed(program, VALUES, shape.size * len(chosen))
    number = register(program, contract, "values", data)
    return ArgumentTables(tuple(chosen), counts, shape, number, refused)
