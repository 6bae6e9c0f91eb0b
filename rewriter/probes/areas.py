"""Where probes register what they write, so that the kernel's `kprofile` call can zero it and write it out (§5)."""

from __future__ import annotations

import struct
from dataclasses import replace

from rewriter.contract import Contract
from rewriter.ir import Data, Program, Ref, RefKind, Symbol

ENTRY = 8  # bytes: start, size


class ProbeError(ValueError):
    """Probes cannot be inserted into this program under this contract; one line says why."""


def add_zeroed(program: Program, name: str, size: int) -> Data:
    """New zero-filled data with a symbol of its own.  Raises ProbeError where the name is taken."""
    if any(data.name == name for data in program.data) or any(s.name == name for s in program.symbols):
        raise ProbeError(f"the program has {name} already: its probes were inserted before")
    data = Data(name, None, b"", zero_size=size)
    program.data.append(data)
    program.symbols.append(Symbol(name, name, size=size, kind="object"))
    return data


def area_numbers(contract: Contract) -> dict[str, int]:
    """kprofile's types by name; empty where the kernel has no such call."""
    return {name: i for i, name in enumerate(contract.kprofile.types)} if contract.kprofile else {}


def extend(program: Program, contract: Contract, kind: str, size: int) -> tuple[str, int]:
    """Zero bytes behind what kprofile's type `kind` means already: their data, and where they begin in it, in bytes.

    Raises ProbeError where nothing was registered for the type.
    """
    areas, at = _entry(program, contract, kind)
    ref = areas.refs.get(at)
    if ref is None:
        raise ProbeError(f"kprofile's type {kind!r} has nothing yet")
    data, symbol = program.datum(ref.target), program.symbol(ref.target)
    before = data.size
    data.zero_size += size
    program.symbols[program.symbols.index(symbol)] = replace(symbol, size=data.size)
    areas.raw = areas.raw[: at + 4] + struct.pack("<I", data.size) + areas.raw[at + 8 :]
    return data.name, before


def register(program: Program, contract: Contract, kind: str, data: Data) -> int | None:
    """Let kprofile's type `kind` mean `data`; returns its number, None where the kernel has no kprofile.

    Raises ProbeError where the contract's array is missing or too small for the type.
    """
    promise = contract.kprofile
    if promise is None:
        return None
    areas, at = _entry(program, contract, kind)
    areas.refs[at] = Ref(at, RefKind.ABS32, data.name)
    areas.raw = areas.raw[: at + 4] + struct.pack("<I", data.size) + areas.raw[at + 8 :]
    return promise.types.index(kind)


def _entry(program: Program, contract: Contract, kind: str) -> tuple[Data, int]:
    """Where the contract's array tells of a type: its data, and the offset."""
    promise = contract.kprofile
    if promise is None or kind not in promise.types:
        raise ProbeError(f"the contract's kprofile has no type {kind!r}")
    try:
        symbol = program.symbol(promise.areas)
        areas = program.datum(symbol.target)
    except KeyError:
        raise ProbeError(f"no data is called {promise.areas}, which the contract names") from None
    at = symbol.offset + ENTRY * promise.types.index(kind)
    if at + ENTRY > len(areas.raw):
        raise ProbeError(f"{promise.areas} has no bytes for type {kind!r}")
    return areas, at
