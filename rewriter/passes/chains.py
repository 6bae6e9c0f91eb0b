"""Guards of an indirect call, one behind the other: which of its targets are worth one (§4.1, §4.2).

    cmp dword ptr [eax + 8], pipe_write
    jne 2f
    <body of pipe_write>
 2: cmp dword ptr [eax + 8], ext_file_write
    jne cold
    <body of ext_file_write>

The paper inlines one target at most.  A test costs every call that comes to it two instructions, and saves those that
it is true of what a call costs: itself and its return, and what the callee saves and restores (Muth et al. 2000).
What the body saves when it is specialized comes on top of that, and is not counted on.  And its code must not be much
larger for what it is used than that of the target before it is: the text grows only so much.
"""

from __future__ import annotations

from typing import Final

from rewriter.analysis.body import Body
from rewriter.analysis.graph import Index
from rewriter.ir import Insn, Ref, RefKind
from rewriter.passes.paths import Path
from rewriter.reasons import Reason, Why
from rewriter.x86.decode import decode

TEST: Final = 2  # instructions: compare and branch
SPARSE: Final = 1 / 4  # of the uses for each instruction that the target before it has


def unpaid(body: Body, comes: float, enters: float) -> Why | None:
    """Why one more test is not worth it that `comes` calls make, of which it is true for `enters`."""
    saved, costs = enters * call_costs(body), comes * TEST
    return None if saved > costs else Why(Reason.GUARD_COSTS, f"{costs:.1f} instructions, and saves {saved:.1f}")


def sparse(first: Path, other: Path, index: Index) -> Why | None:
    """Why the code below another target is too large for how often it runs, compared with the one before it."""
    sizes = [_size(path, index) for path in (first, other)]
    uses = [path.made / max(size, 1) for path, size in zip((first, other), sizes, strict=True)]
    detail = f"{sizes[1]} instructions for {other.made} calls, {first.callee} has {sizes[0]} for {first.made}"
    return None if uses[1] >= uses[0] * SPARSE else Why(Reason.SPARSE, detail)


def _size(path: Path, index: Index) -> int:
    """Instructions of all functions on the way, each as often as it is called."""
    function = index.functions.get(path.callee)
    mine = sum(1 for _ in function.insns()) if function is not None else 0
    return mine + sum(_size(each, index) for each in path.inner)


def call_costs(body: Body) -> int:
    """Instructions that only a call needs: itself, its return, and registers that are pushed first and popped last."""
    saves = 0
    for insn in next(block for block in body.blocks if block.label == body.entry).insns:
        if decode(insn.raw).mnemonic != "push":
            break
        saves += 1
    return TEST + 2 * saves


def compared(indirect: Insn, label: str) -> Insn:
    """`call x` (FF /2) → `cmp x, label` (81 /7)."""
    at = indirect.raw.index(0xFF)
    modrm = indirect.raw[at + 1] | 0x38
    raw = indirect.raw[:at] + bytes([0x81, modrm]) + indirect.raw[at + 2 :]
    return Insn(raw + bytes(4), (*indirect.refs, Ref(len(raw), RefKind.ABS32, label)))
