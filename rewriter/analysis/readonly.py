"""Words of the image that nobody changes: what is loaded from there is known beforehand (§4.2).

    ext_regular_file:   .long generic_file_llseek        mov eax, {.rodata + 0x140}
                        .long generic_file_read          call dword ptr [eax + 4]      ⇒    call generic_file_read

The linker's word is taken for it: a section without the flag that it may be written.  Left out are words that are
written when an image is (the system-call table, what kprofile finds its areas by, the kernel's tag, the exception
table, unwinding), jump tables, whose targets passes move, and sections that some instruction of the image writes to by
name, whatever their flags say.
"""

from __future__ import annotations

from rewriter.analysis.graph import Index
from rewriter.analysis.memory import ref_at
from rewriter.analysis.value import WORD, Value, constant
from rewriter.contract import Contract
from rewriter.ir import Data, Insn, Program, RefKind
from rewriter.x86.decode import DecodeError, decode
from rewriter.x86.effects import effects

AREA = 8  # bytes of an entry of kprofile's array


class ReadOnly:
    """Of the program that `index` was made of.  Data that were added since, such as copies of jump tables, do not
    count."""

    def __init__(self, index: Index, contract: Contract) -> None:
        self.index = index
        self._data: dict[str, Data] | None = None  # found when somebody asks
        self._changing = _changing(index.program, contract)

    def word(self, address: Value, size: int = WORD) -> Value | None:
        """What `size` bytes at an address hold, extended by zeros; None where that is not known."""
        data, at = self._find(address, size)
        if data is None or any(start < at + size and at < end for start, end in self._changing.get(data.name, ())):
            return None
        ref = data.refs.get(at)
        if ref is None:
            if any(at + n in data.refs for n in range(1 - WORD, size)):
                return None
            return constant(int.from_bytes(data.raw[at : at + size], "little"))
        named = ref.target in self.index.data or self.index.is_entry(ref.target)
        if size != WORD or ref.kind is not RefKind.ABS32 or not named:
            return None
        return (
            None
            if any(at + n in data.refs for n in (-3, -2, -1, 1, 2, 3))
            else Value(ref.target, ref.addend % (1 << 32))
        )

    def holds(self, address: Value) -> bool:
        """Whether a word lies there: then the address is not 0."""
        return self._find(address, WORD)[0] is not None

    def _find(self, address: Value, size: int) -> tuple[Data | None, int]:
        if address.label is None:
            return None, 0
        if self._data is None:
            self._data = _unwritten(self.index.program)
        data = self._data.get(address.label)
        return (data, address.offset) if data is not None and address.offset + size <= data.size else (None, 0)


def _unwritten(program: Program) -> dict[str, Data]:
    """The data that may not be written, and are not."""
    found = {data.name: data for data in program.data if not data.writable and not data.sorted_by}
    unwinding = program.unwinding
    made = [program.exception_table, *((unwinding.frames, unwinding.handlers, unwinding.index) if unwinding else ())]
    for name in made:
        found.pop(name or "", None)
    for function in program.functions:
        for insn in function.insns() if not function.verbatim else ():
            for ref in insn.refs:
                if ref.target in found and _stores(insn):
                    del found[ref.target]
    return found


def _stores(insn: Insn) -> bool:
    """Whether it writes to what it names by address."""
    try:
        decoded = decode(insn.raw)
    except DecodeError:
        return True
    stored = [mem for mem, _ in effects(insn).stores]
    return ref_at(insn, decoded.disp_offset) is not None and any(mem in decoded.operands for mem in stored)


def _changing(program: Program, contract: Contract) -> dict[str, list[tuple[int, int]]]:
    """Bytes that are different in another image of the same program, by data."""
    calls, areas = contract.system_calls, contract.kprofile
    promised = {contract.tag: WORD}
    if calls is not None:
        promised[calls.table] = WORD * calls.slots
    if areas is not None:
        promised[areas.areas] = AREA * len(areas.types)
    found: dict[str, list[tuple[int, int]]] = {}
    for symbol in program.symbols:
        if symbol.name in promised:
            found.setdefault(symbol.target, []).append((symbol.offset, symbol.offset + promised[symbol.name]))
    return found
