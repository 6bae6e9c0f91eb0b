"""Images that are read or written wrongly in one way."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def unsorted_exception_table() -> None:
    exceptions = import_module("rewriter.elf.exceptions")
    write = exceptions.Format.write

    def reversed_table(self: Any, fixups: Any, address: int) -> bytes:
        rows = sorted(fixups, key=lambda f: -f.insn)
        return b"".join(write(self, [row], address + self.size * i) for i, row in enumerate(rows))

    exceptions.Format.write = reversed_table  # type: ignore[attr-defined]


def entries_count_from_the_table() -> None:
    exceptions = import_module("rewriter.elf.exceptions")
    write = exceptions.Format.write

    def careless(self: Any, fixups: Any, address: int) -> bytes:
        return b"".join(write(self, [row], address) for row in sorted(fixups, key=lambda f: f.insn))

    exceptions.Format.write = careless  # type: ignore[attr-defined]


def short_branches_stay_short() -> None:
    from rewriter.elf import place

    place.widen = lambda units, addresses: False  # type: ignore[assignment]


def nothing_is_pinned() -> None:
    import_module("rewriter.elf.load").pin = lambda program, contract: None  # type: ignore[attr-defined]


def promises_are_forgotten() -> None:
    import_module("rewriter.elf.load").Stubs.note = lambda self, promise: None  # type: ignore[attr-defined]
