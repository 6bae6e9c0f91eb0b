"""Unwinding tables: read with the program, written anew for wherever its code goes, so that exceptions are caught and
backtraces told as before (`.eh_frame`, `.eh_frame_hdr`, `.gcc_except_table`)."""

from __future__ import annotations

from rewriter.elf.unwind.read import Entry, ExceptTable, pads, read_entries
from rewriter.elf.unwind.write import Piece, Tables, unwinding_tables

__all__ = ["Entry", "ExceptTable", "Piece", "Tables", "pads", "read_entries", "unwinding_tables"]
