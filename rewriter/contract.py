"""What a kernel promises that its bytes do not say: the system-call table, the exception table, code that stays.

A contract is a TOML file that names symbols.  The toy kernel's is `toykernel/image/kernel.contract.toml`;
programs need none.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from typing import Any

from rewriter.facts import FORMS, unknown

SMALLEST_STACK, LARGEST_STACK = 512, 1 << 20  # bytes
MOST_SLOTS = 65536  # of a system-call table
MOST_ARGUMENTS = 6  # of a system call: ebx, ecx, edx, esi, edi, ebp


EXCEPTION_FORMATS = ("absolute-pairs", "relative-pairs", "relative-handlers", "relative-numbers")


class ContractError(ValueError):
    """The contract is not of the known form; the message says which key and why, in one line."""


@dataclass(frozen=True, slots=True)
class SystemCalls:
    table: str  # symbol of the array of handlers
    unused: str  # the handler in every free slot
    entry: str  # where the gate leads
    slots: int  # entries of the table
    arguments: int = 6  # handlers find them at [esp+4], [esp+8], …: the saved ebx, ecx, edx, esi, edi, ebp
    prefix: str = "sys_"  # of the handlers' names; the call's name is the rest


@dataclass(frozen=True, slots=True)
class ExceptionTable:
    start: str  # symbol of the first entry
    end: str  # symbol behind the last
    format: str = EXCEPTION_FORMATS[0]  # see `elf/exceptions.py`; entries are sorted by the faulting instruction
    plain: tuple[str, ...] = ()  # handlers, or numbers, of entries whose fault changes no register and no memory


@dataclass(frozen=True, slots=True)
class Kprofile:
    """Where inserted probes register what they write, so that the kernel's kprofile call can write it out (§5)."""

    areas: str  # symbol of an array of {start, size}, one a type, zero until something is inserted
    types: tuple[str, ...] = ("blocks", "edges", "stacks", "values", "cycles")


@dataclass(frozen=True, slots=True)
class EqualStubs:
    """Code that is reached by counting: entry i is at `symbol + size * i`, and only the first may be named."""

    symbol: str
    size: int  # bytes from one to the next
    count: int


@dataclass(frozen=True, slots=True)
class Contract:
    """All promises of one kernel; the empty contract promises nothing and suits any program."""

    system_calls: SystemCalls | None = None
    exception_table: ExceptionTable | None = None
    kprofile: Kprofile | None = None
    stack_size: int = 8192  # bytes of a kernel stack, a power of two, its size aligned
    stay: tuple[str, ...] = ()  # functions that may not move
    copied: tuple[str, ...] = ()  # functions whose bytes are copied, and run elsewhere
    equal_stubs: tuple[EqualStubs, ...] = ()
    tag: str = ""  # symbol of the word with which the loader compares the ELF flags of programs that are not 0
    facts: tuple[str, ...] = field(default=())  # sentences, see `facts.py`

    @staticmethod
    def parse(text: str) -> Contract:
        """Read TOML.  Raises ContractError."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ContractError(f"not TOML: {error}") from None
        except RecursionError:
            raise ContractError("not TOML: nested too deeply") from None
        parts = {"system_calls": SystemCalls, "exception_table": ExceptionTable, "kprofile": Kprofile}
        known: dict[str, Any] = {}
        for key, value in table.items():
            if key == "schema":
                if value != "hotpath.contract/1":
                    raise ContractError(f"schema {value!r}, expected 'hotpath.contract/1'")
            elif key in parts:
                known[key] = _fill(parts[key], value, key)
            elif key == "equal_stubs":
                known[key] = _stubs(value)
            else:
                known[key] = value
        contract = _fill(Contract, known, "contract")
        assert isinstance(contract, Contract)
        _check_values(contract)
        return contract


def _check_values(contract: Contract) -> None:
    size, calls = contract.stack_size, contract.system_calls
    if size & (size - 1) or not SMALLEST_STACK <= size <= LARGEST_STACK:
        raise ContractError(f"stack_size is {size}, not a power of two from {SMALLEST_STACK} to {LARGEST_STACK}")
    if strange := unknown(contract.facts):
        raise ContractError(f"facts: {strange[0][:50]!r} is unknown; there are: {'; '.join(FORMS)}")
    table = contract.exception_table
    if table is not None and table.format not in EXCEPTION_FORMATS:
        known = ", ".join(EXCEPTION_FORMATS)
        raise ContractError(f"exception_table.format is {table.format!r}, not one of {known}")
    if calls is not None and not 0 < calls.slots <= MOST_SLOTS:
        raise ContractError(f"system_calls.slots is {calls.slots}, not a number from 1 to {MOST_SLOTS}")
    if calls is not None and calls.arguments > MOST_ARGUMENTS:
        raise ContractError(f"system_calls.arguments is {calls.arguments}, but there are {MOST_ARGUMENTS} registers")


def _stubs(value: Any) -> tuple[EqualStubs, ...]:
    if not isinstance(value, list):
        raise ContractError("equal_stubs is not an array of tables")
    found: list[EqualStubs] = [_fill(EqualStubs, item, "equal_stubs") for item in value]
    for stubs in found:
        if not stubs.size or not stubs.count:
            raise ContractError(f"equal_stubs: {stubs.symbol} has no size or no count")
    return tuple(found)


def _fill(kind: Any, value: Any, where: str) -> Any:
    """Build the dataclass `kind` from a TOML table, checking names and types of its fields."""
    if not isinstance(value, dict):
        raise ContractError(f"[{where}] is not a table")
    types = {f.name: f for f in fields(kind)}
    for key in value:
        if key not in types:
            raise ContractError(f"[{where}] has no key {key!r}")
    arguments = {}
    for key, item in value.items():
        arguments[key] = _checked(item, str(types[key].type), f"{where}.{key}")
    try:
        return kind(**arguments)
    except TypeError as error:
        raise ContractError(f"[{where}] {str(error).split(')', 1)[-1].strip()}") from None


def _checked(item: Any, declared: str, where: str) -> Any:
    if declared == "str" and not isinstance(item, str):
        raise ContractError(f"{where} is not a string")
    if declared == "int" and (not isinstance(item, int) or isinstance(item, bool) or item < 0):
        raise ContractError(f"{where} is not a number ≥ 0")
    if declared.startswith("tuple[str"):
        if not isinstance(item, list) or not all(isinstance(x, str) for x in item):
            raise ContractError(f"{where} is not a list of strings")
        return tuple(item)
    return item
