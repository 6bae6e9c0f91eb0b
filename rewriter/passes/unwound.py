"""What is caught, and told by backtraces, behind the passes: unwinding rows for code that they have changed.

A function may be changed if its rows say of its code what the analysis does, and whatever a pass leaves behind must
have rows again; else that pass is taken back for this function.  Frames stay as many as they were: only what can
neither throw nor fault is inlined.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.rows import Unwindable, check, row
from rewriter.analysis.values import Values
from rewriter.ir import Frame, Insn, Row, Unwinding
from rewriter.passes.work import Work
from rewriter.x86.decode import Mem, decode
from rewriter.x86.effects import effects
from rewriter.x86.flow import CALLS, Flow, flow

_STACK = ("esp", "ebp")
_FAULTS = ("div", "idiv")
_PLAIN = (Flow.NEXT, Flow.JUMP, Flow.BRANCH, Flow.RETURN)


class Unwound:
    """The unwinding rows of a program of which functions are changed, and its exceptions as edges."""

    def __init__(self, depths: Depths, unwinding: Unwinding, odd: dict[str, str]) -> None:
        self.depths = depths
        self.unwinding = unwinding
        self.frames: dict[str, Frame | None] = {}
        self._odd = odd

    def obstacle(self, name: str) -> str | None:
        """Why a function must stay as it is."""
        values = Values(self.depths.index, self.depths.transfer(), name)
        owners = {self.depths.index.owners[block.label].name for block in values.blocks}
        if odd := owners & self._odd.keys():
            return self._odd[min(odd)]
        try:
            self.frames[name] = check(values, self.unwinding)
        except Unwindable as why:
            return str(why)
        return None

    def trouble(self, name: str, work: Work) -> str | None:
        """Why it could not be unwound what became of a function."""
        frame = self.frames[name]
        try:
            if frame is not None:
                for _ in self._rows(work, frame):
                    pass
        except Unwindable as why:
            return str(why)
        return None

    def note(self, name: str, work: Work) -> None:
        """Let each instruction of what became of a function tell how to unwind."""
        frame = self.frames[name]
        if frame is not None:
            rows = list(self._rows(work, frame))
            for block in work.function.blocks:
                block.insns[:] = [replace(insn, unwind=None) for insn in block.insns]
            blocks = {block.label: block for block in work.function.blocks}
            for label, site, unwind in rows:
                insns = blocks[label].insns
                insns[site] = replace(insns[site], unwind=unwind)

    def _rows(self, work: Work, main: Frame) -> Iterator[tuple[str, int, tuple[int, Row]]]:
        """Of each instruction: its block, its position there, an address whose frame holds, the row.  Raises
        Unwindable."""
        values, mine = work.values(), {block.label for block in work.function.blocks}
        for block in values.blocks:
            if block.label not in mine:
                raise Unwindable("control leaves for another function's code behind a pass")
            home, behind = main, values.behind(block.label)
            for site, insn, state in values.walk(block.label):
                own = self.unwinding.at(insn.origin) if insn.origin is not None else None
                calls = flow(insn.raw) in CALLS
                if own is not None and (calls or own.kind == main.kind):
                    home = own
                if calls:
                    self._check_call(insn, own)
                known = self.unwinding.row(insn.origin) if calls and insn.origin is not None else None
                args = known[2] if known is not None else b""
                yield block.label, site, (home.start, row(insn, state, behind, home, args))

    def _check_call(self, insn: Insn, own: Frame | None) -> None:
        """Whoever catches what it throws finds it by its origin."""
        site = self.unwinding.site(insn.origin) if insn.origin is not None else None
        if own is None or (site is not None and site.pad is not None) != (insn.faults_to is not None):
            raise Unwindable("who catches what a call throws is not known behind a pass")


def unseen(index: Index, name: str) -> bool:
    """Whether nobody can see a frame of this function: it calls nobody, and nothing in it can fault."""
    blocks = index.functions[name].blocks
    own = {block.label for block in blocks}
    for block in blocks:
        if any(edge.target not in own for edge in index.edges(block)):
            return False
        for insn in block.insns:
            found = effects(insn)
            if flow(insn.raw) not in _PLAIN or found.fixed or decode(insn.raw).mnemonic in _FAULTS:
                return False
            if not all(_is_there(insn, mem) for mem, _ in (*found.loads, *found.stores)):
                return False
    return True


def _is_there(insn: Insn, mem: Mem) -> bool:
    """Whether it is certain that memory is there: the stack, or an object of the image."""
    if mem.index is not None or mem.segment:
        return False
    return mem.base in _STACK if mem.base is not None else bool(insn.refs)
