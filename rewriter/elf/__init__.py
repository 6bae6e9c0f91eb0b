"""Floor 2: ELF → IR and IR → ELF (§2)."""

from rewriter.elf.emit import emit
from rewriter.elf.image import ElfError, data_at
from rewriter.elf.load import load

__all__ = ["ElfError", "data_at", "emit", "load"]
