"""Call traces: at the entry of a hot function, walk the stack and note the active calls in T_f (§3.1–§3.3).

The walk looks at every word from esp up to the frame of the interrupted program (a stack on which no program was
interrupted, such as the boot's, is its own up to the top), keeps those that are return addresses (a binary search
in the sorted table of all of them), innermost first, and notes the list in T_f.  A list holds numbers of call
sites, not addresses: only writing the image knows those.

All registers and flags are kept.  Interrupts are off, so that a probe inside of a probe tears no table.  The
walk uses `stack_use(depth)` bytes below esp.  Its accesses go through ss, since ds may still be the program's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.ir import Data, Function, Program, Ref, RefKind
from rewriter.probes.areas import ProbeError, add_zeroed, register
from rewriter.probes.assembly import function
from rewriter.probes.entry import probe_entry, select
from rewriter.probes.table import Shape, note_function
from rewriter.probes.traces import Stacks
from rewriter.probes.user_frame import user_frame
from rewriter.x86.flow import CALLS, Flow, flow

STACKS, RETURNS, WALK = "__hotpath_stacks", "__hotpath_returns", "__hotpath_walk"
NOTE = "__hotpath_note_stacks"
DEPTH = 16  # sites of a trace; what lies further out is not noted
PAIR = 8  # bytes of an entry of the return table: address, number of the site

WALK_TEXT = """
    pushfd
    cli
    pushal
    lea ebp, [esp + 44]                 # 8 registers, flags, two pushes of the probe: the caller's return address
    mov ebx, ebp
    or ebx, $top                        # the stack's last byte
    mov eax, dword ptr ss:[ebx - 15]    # the saved cs, if this stack came from a program: then its ring is 3
    and eax, 3
    cmp eax, 3
    jne own
    sub ebx, $frame                     # stop where the program's frame begins
own:
    inc ebx
    mov ecx, $depth
scan:
    cmp ebp, ebx
    jae fill
    mov eax, dword ptr [ebp]
    add ebp, 4
    xor esi, esi                        # entries esi … edi - 1 may still hold eax
    cmp eax, dword ptr ss:[{__hotpath_returns}]
    jb scan
    mov edi, $sites
search:
    cmp esi, edi
    jae scan
    lea edx, [esi + edi]
    shr edx, 1
    cmp eax, dword ptr ss:[edx*8 + {__hotpath_returns}]
    je found
    jb lower
    lea esi, [edx + 1]
    jmp search
lower:
    mov edi, edx
    jmp search
found:
    push dword ptr ss:[edx*8 + {__hotpath_returns+4}]
    dec ecx
    jne scan
fill:
    test ecx, ecx
    je note
    push 0
    dec ecx
    jmp fill
note:
    mov esi, esp
    mov ebx, dword ptr [esp + $table]
    call {__hotpath_note_stacks}
    add esp, $key
    popal
    popfd
    ret 4
"""


def stack_use(depth: int = DEPTH) -> int:
    """Bytes that a probe needs below esp: its two pushes, flags, registers, the trace, a return address."""
    return 4 + 4 + 4 + 32 + 4 * depth + 4


def insert_stack_walk(
    program: Program,
    contract: Contract,
    functions: Sequence[str],
    *,
    depth: int = DEPTH,
    table_size: int = 12,
    clean_every: int = 1000,
    told: Mapping[str, str] | None = None,
) -> Stacks:
    """Insert the probe at the entries of `functions`, in place.  `told`: the original labels of blocks with calls that
    other probes stand before (`arguments`).  Raises ProbeError; KeyError for unknown names."""
    index = Index(program)
    chosen, refused = select(program, index, functions)
    shape = Shape(depth, table_size, clean_every)
    if not chosen:
        return Stacks((), (), shape, None, refused)
    frame = user_frame(program, contract, index)
    entered = {}
    for i, name in enumerate(chosen):
        entered[probe_entry(index, index.functions[name], (f"{{{STACKS}+{shape.size * i}}}",), WALK)] = name
    sites = _sites(program, entered, told or {})
    if not sites:
        raise ProbeError("the program has no calls that could be traced")
    program.data.append(_return_table([ref for _, ref in sites]))
    program.functions += [_walk(contract, frame, depth, len(sites)), note_function(shape, NOTE)]
    data = add_zeroed(program, STACKS, shape.size * len(chosen))
    number = register(program, contract, "stacks", data)
    return Stacks(tuple(chosen), tuple(site for site, _ in sites), shape, number, refused)


def _sites(program: Program, entered: dict[str, str], told: Mapping[str, str]) -> list[tuple[str, Ref]]:
    """Every call but the probes', with the label of its block, and where it returns to.  That is not the next block,
    which may lie elsewhere.  `entered`, `told`: the original labels of blocks that are called otherwise now."""
    first = {original: label for label, original in entered.items()}
    probes = {*entered.values(), *(first.get(site, site) for site in told.values())}
    found = []
    for function_ in program.functions:
        for block in function_.blocks:
            ends = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
            if ends in CALLS and block.label not in probes:
                behind = sum(len(insn.raw) for insn in block.insns)
                ref = Ref(0, RefKind.ABS32, block.label, behind)
                found.append((told.get(block.label) or entered.get(block.label, block.label), ref))
    return found


def _return_table(refs: list[Ref]) -> Data:
    """Pairs (return address, number of the site), which writing the image sorts by address."""
    raw = b"".join(bytes(4) + (i + 1).to_bytes(4, "little") for i in range(len(refs)))
    placed = {PAIR * i: replace(ref, offset=PAIR * i) for i, ref in enumerate(refs)}
    return Data(RETURNS, None, raw, placed, writable=False, sorted_by=PAIR)


def _walk(contract: Contract, frame: int, depth: int, sites: int) -> Function:
    return function(
        WALK,
        WALK_TEXT,
        top=contract.stack_size - 1,
        frame=frame,
        depth=depth,
        sites=sites,
        table=4 * depth + 32 + 4 + 4,
        key=4 * depth,
    )
