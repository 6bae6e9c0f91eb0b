"""Whether an image holds what its contract names: whoever relies on a promise later may take it as kept."""

from __future__ import annotations

from collections.abc import Iterable

from rewriter.contract import Contract, SystemCalls
from rewriter.elf.image import ElfError
from rewriter.facts import conventional, intact
from rewriter.ir import Data, Program, RefKind, Symbol

WORD = 4


def promised(program: Program, names: Iterable[str], what: str) -> dict[str, str]:
    """The functions that these symbols name or lie in, each with the symbol.  Raises ElfError."""
    owner = {block.label: f.name for f in program.functions for block in f.blocks}
    targets: dict[str, list[str]] = {}
    for symbol in program.symbols:
        targets.setdefault(symbol.name, []).append(symbol.target)
    found: dict[str, str] = {}
    for name in names:
        functions = [owner[label] for label in (name, *targets.get(name, ())) if label in owner]
        if not functions:
            raise ElfError(f"has no function {name}, which the contract says {what}")
        found |= dict.fromkeys(functions, name)
    return found


def check_promises(program: Program, contract: Contract) -> None:
    """Raises ElfError where a table or word that the contract names is not there."""
    if contract.system_calls is not None:
        _check_system_calls(program, contract.system_calls)
    if contract.kprofile is not None:
        _words(program, contract.kprofile.areas, 2 * len(contract.kprofile.types), "the areas of kprofile")
    if contract.tag:
        _words(program, contract.tag, 1, "its tag")
    names = {function.name for function in program.code}
    for name in (*intact(contract.facts), *conventional(contract.facts)):
        if name not in names:
            raise ElfError(f"has no function {name}, of which the contract states a fact")


def _check_system_calls(program: Program, promise: SystemCalls) -> None:
    names = {function.name for function in program.code}
    for name, what in ((promise.unused, "the handler of free slots"), (promise.entry, "the entry of system calls")):
        if name not in names:
            raise ElfError(f"has no function {name}, which the contract names as {what}")
    symbol, data = _words(program, promise.table, promise.slots, "the system-call table")
    if symbol.size and symbol.size < WORD * promise.slots:
        raise ElfError(f"{promise.table} has {symbol.size // WORD} slots, not the contract's {promise.slots}")
    for slot in range(promise.slots):
        ref = data.refs.get(symbol.offset + WORD * slot)
        if ref is not None and (ref.kind is not RefKind.ABS32 or ref.addend or ref.target not in names):
            raise ElfError(f"slot {slot} of {promise.table}, the contract's system-call table, names no function")


def _words(program: Program, name: str, count: int, what: str) -> tuple[Symbol, Data]:
    """The symbol of so many words in data, and that data."""
    symbol = next((s for s in program.symbols if s.name == name), None)
    data = next((d for d in program.data if symbol is not None and d.name == symbol.target), None)
    if symbol is None or data is None or data.name == program.exception_table:
        raise ElfError(f"has no data {name}, which the contract names as {what}")
    if symbol.offset < 0 or symbol.offset + WORD * count > len(data.raw):
        raise ElfError(f"{name}, which the contract names as {what}, has no {WORD * count} bytes in {data.name}")
    return symbol, data
