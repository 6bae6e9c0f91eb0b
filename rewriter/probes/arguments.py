"""What hot functions are passed: the values of their stack arguments, as groups, in a bounded table a call (§4.2).

The system-call trace sees what programs ask; this sees what the kernel's functions pass each other, caller by caller: a
value that one caller always passes may be rare among all calls of a function.  In front of a direct call the probe
copies the first words of arguments and notes them in this call's table (§3.3); a function that takes its arguments in
registers has none on the stack.  All words that may be addresses are noted as `OTHER`: they say nothing about the next
run, and would fill the table with groups that differ in nothing else.

site:                                   site:
    push 0x1000                             push 0x1000
    call __copy_to_user        ⇒            push …                  the table, how many words
                                            call __hotpath_…        keeps registers and flags, takes it off again
                                        site.told:
                                            call __copy_to_user

All registers and flags are kept, interrupts are off meanwhile, and `stack_use(words)` bytes below esp are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.edit import Labels
from rewriter.ir import Block, Function, Program
from rewriter.probes.areas import ProbeError, add_zeroed, register
from rewriter.probes.assembly import function
from rewriter.probes.entry import select
from rewriter.probes.table import Shape, Totals, note_function, read_tables
from rewriter.profile import Arguments
from rewriter.x86.encode import assemble, call

VALUES, COPY, NOTE = "__hotpath_values", "__hotpath_copy_arguments", "__hotpath_note_values"
WORDS = 6  # the most arguments that are looked at
OTHER = 1 << 16  # numbers are those below it, and
ERRORS = 4096  # so many negative ones

COPY_TEXT = """
    pushfd
    cli
    pushal
    lea ebp, [esp + 44]                 # 8 registers, flags, three pushes of the probe: the last of them
    mov ecx, dword ptr [ebp - 4]        # how many words
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
    mov eax, dword ptr [ebp + ecx*4]
    lea edx, [eax + $errors]
    cmp edx, $numbers
    jb number
    mov eax, $other
number:
    push eax
    dec ecx
    jmp copy
note:
    mov esi, esp
    mov ebx, dword ptr [ebp]
    call {__hotpath_note_values}
    add esp, $key
    popal
    popfd
    ret 8
"""


@dataclass(frozen=True, slots=True)
class ArgumentTables:
    """How to read what kprofile's type `values` writes out: one table for each call, in order."""

    sites: tuple[str, ...]  # labels of the blocks that end with the calls
    words: Mapping[str, int]  # stack arguments of each that are looked at
    shape: Shape
    type: int | None  # kprofile's type number, None where the kernel has no kprofile
    refused: Mapping[str, int]  # calls without a probe, by reason
    told: Mapping[str, str] = field(
        default_factory=dict
    )  # blocks that end with the calls now, and how they were called

    def read(self, frame: bytes) -> dict[str, dict[Arguments, int]]:
        """How often each call passed each group of arguments, commonest first; the group () stands for those that are
        in the table no more.  Raises ProbeError."""
        found = {}
        for site, table in read_tables(self.shape, self.sites, frame).items():
            slots = sorted(table.occupied, key=lambda slot: (-slot.count, slot.key))
            found[site] = {slot.key[: self.words[site]]: slot.count for slot in slots}
            lost = table.discarded + table.evicted
            found[site] |= {(): found[site].get((), 0) + lost} if lost else {}
        return found

    def totals(self, frame: bytes) -> dict[str, Totals]:
        """How often each call was made, and how many of them are in no table any more.  Raises ProbeError."""
        return {site: table.totals for site, table in read_tables(self.shape, self.sites, frame).items()}


def is_number(word: int) -> bool:
    """Whether a word is noted as it is: it is no address."""
    return (word + ERRORS) % (1 << 32) < ERRORS + OTHER


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
    """Insert the probe in front of the direct calls at the ends of the blocks `words`, each with its number of stack
    arguments (more than WORDS are cut), in place.  Raises ProbeError; KeyError for unknown labels."""
    index = Index(program)
    owners = {site: index.owners[site] for site in words}
    names, _ = select(program, index, dict.fromkeys(owner.name for owner in owners.values()))
    chosen = [site for site, owner in owners.items() if owner.name in names]
    refused = {"its function has no probes": len(owners) - len(chosen)} if len(chosen) < len(owners) else {}
    shape = Shape(WORDS, table_size, clean_every)
    counts = {site: min(words[site], WORDS) for site in chosen}
    if not chosen:
        return ArgumentTables((), {}, shape, None, refused)
    told = {}
    for i, site in enumerate(chosen):
        if index.callee(index.blocks[site].insns[-1]) is None:
            raise ProbeError(f"{site} does not end with a direct call")
        told[_probe_call(index, owners[site], site, (f"{{{VALUES}+{shape.size * i}}}", str(counts[site])))] = site
    program.functions += [
        function(COPY, COPY_TEXT, words=WORDS, key=4 * WORDS, errors=ERRORS, numbers=ERRORS + OTHER, other=OTHER),
        note_function(shape, NOTE),
    ]
    data = add_zeroed(program, VALUES, shape.size * len(chosen))
    number = register(program, contract, "values", data)
    return ArgumentTables(tuple(chosen), counts, shape, number, refused, told)


def _probe_call(index: Index, owner: Function, site: str, pushed: tuple[str, ...]) -> str:
    """Tell the probe of the call at the end of a block; returns what the block is called now that ends with it."""
    block = index.blocks[site]
    behind = Block(Labels(f"{site}.told", index.blocks).fresh(), block.insns[-1:], block.falls_to)
    pushes = assemble([f"push {what}" for what in pushed])
    block.insns[-1:] = [*pushes, call(COPY)]
    block.falls_to = behind.label
    owner.blocks.insert(owner.blocks.index(block) + 1, behind)
    return behind.label
