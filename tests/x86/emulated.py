"""Unicorn as a processor which executes single instructions."""

from __future__ import annotations

import unicorn as u
from unicorn import x86_const as x

from rewriter.x86.flow import Flow, branch_field, flow
from rewriter.x86.state import REGISTERS
from tests.x86.processor import CODE, CODE_SIZE, DATA, DATA_SIZE, MASK, PAGE, Outcome, State, contents

SLOT = 0x200
NOWHERE = 0x30000000  # what calls and jumps lead to
REGISTER_IDS = tuple(getattr(x, f"UC_X86_REG_{name.upper()}") for name in (*REGISTERS, "eflags"))


class Unicorn:
    """A processor without paging."""

    watches = True

    def __init__(self) -> None:
        self.uc = u.Uc(u.UC_ARCH_X86, u.UC_MODE_32)
        self.uc.mem_map(CODE, CODE_SIZE)
        self.uc.mem_write(CODE, b"\xf4" * CODE_SIZE)  # hlt
        self.pages: dict[int, bytes] = {}
        for page in range(DATA, DATA + DATA_SIZE, PAGE):
            self.map(page)
        self.reads: set[int] = set()
        self.writes: set[int] = set()
        self.trapped = False
        self.uc.hook_add(u.UC_HOOK_MEM_READ | u.UC_HOOK_MEM_WRITE, self._access)
        self.uc.hook_add(u.UC_HOOK_INTR, self._interrupt)
        self.uc.hook_add(u.UC_HOOK_INSN_INVALID, self._invalid)
        self.fresh = self.uc.context_save()
        self.at = CODE + SLOT
        self.raw = b""

    def map(self, page: int) -> None:
        if page not in self.pages:
            self.pages[page] = contents(page)
            self.uc.mem_map(page, PAGE, u.UC_PROT_READ | u.UC_PROT_WRITE)
            self.uc.mem_write(page, self.pages[page])

    def _access(self, uc: u.Uc, kind: int, address: int, size: int, value: int, data: object) -> None:
        into = self.writes if kind == u.UC_MEM_WRITE else self.reads
        into.update((address + n) & MASK for n in range(size))

    def _interrupt(self, uc: u.Uc, number: int, data: object) -> None:
        self.trapped = True
        uc.emu_stop()

    def _invalid(self, uc: u.Uc, data: object) -> bool:
        self.trapped = True
        return False

    def run(self, state: State) -> Outcome:
        self.reads.clear()
        self.writes.clear()
        self.trapped = False
        self.uc.context_restore(self.fresh)
        self.uc.reg_write_batch(list(zip(REGISTER_IDS, (*state.registers, state.flags | 2), strict=True)))
        fault = None
        try:
            self.uc.emu_start(self.at, self.at + len(self.raw))
        except u.UcError as error:
            fault = "trap" if error.errno in (u.UC_ERR_INSN_INVALID, u.UC_ERR_EXCEPTION) else "memory"
            if error.errno in (u.UC_ERR_FETCH_UNMAPPED, u.UC_ERR_FETCH_PROT) and flow(self.raw) is not Flow.NEXT:
                fault = None  # it jumped, and there is no code (behind a short jump there is a hlt)
        fault = "trap" if self.trapped else fault
        values = self.uc.reg_read_batch(REGISTER_IDS)
        after = State(list(values[:8]), values[8])
        written = {address: self.uc.mem_read(address, 1)[0] for address in self.writes if address & -PAGE in self.pages}
        for address in written:
            self.uc.mem_write(address, self.pages[address & -PAGE][address % PAGE : address % PAGE + 1])
        return Outcome(after, fault, set(self.reads), written)

    def place(self, raw: bytes) -> None:
        """Put the instruction where it runs, with hlt around: every one in a slot of its own, because what stood
        there before has been translated."""
        self.uc.mem_write(self.at, b"\xf4" * len(self.raw))
        self.at += SLOT
        if self.at + SLOT > CODE + CODE_SIZE:
            self.at = CODE + SLOT
            self.uc.ctl_remove_cache(CODE, CODE + CODE_SIZE)
        field = branch_field(raw)
        if field is not None:
            size = len(raw) - field[0]
            raw = raw[: field[0]] + (NOWHERE - CODE if size == 4 else 0x40).to_bytes(size, "little")
        self.uc.mem_write(self.at, raw)
        self.raw = raw
