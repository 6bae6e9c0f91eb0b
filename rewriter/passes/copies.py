"""Jump tables of code that is copied (§4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rewriter.analysis.graph import Index, jump_table
from rewriter.analysis.value import WORD
from rewriter.ir import Block, Data, Ref, RefKind


def table_copied(index: Index, block: Block, copy: Block, labels: Mapping[str, str]) -> Data | None:
    """Let the copy of a block that ends with a jump table lead on by one of its own, which leads to these labels
    instead; None where there is no table."""
    targets = index.table(block)
    found = jump_table(block.insns[-1]) if targets else None
    if found is None:
        return None
    name = f"{copy.label}$table"
    refs = {WORD * n: Ref(WORD * n, RefKind.ABS32, labels[target]) for n, target in enumerate(targets)}
    last = copy.insns[-1]
    moved = tuple(replace(r, target=name, addend=0) if r.offset == found.offset else r for r in last.refs)
    copy.insns[-1] = replace(last, refs=moved)
    return Data(name, None, bytes(WORD * len(targets)), refs, writable=False)
