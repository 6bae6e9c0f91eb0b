"""Where in the original program a place in inlined code is: there an exit may lead, if the return addresses are put
onto the stack that the calls would have pushed."""

from __future__ import annotations

from rewriter.passes.work import Piece, Work
from rewriter.x86.flow import Flow, flow

Place = tuple[str, int]  # a block, and the position of an instruction in it


class Home:
    """Of a function whose calls are inlined and that is otherwise as it was (`passes.plain`)."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.index = work.index()
        self._own = {block.label for block in work.function.blocks}

    def of(self, label: str, site: int) -> Place | None:
        """The place before whose instruction the same state is right; None if there is none."""
        if label not in self._own:
            return label, site
        if label in self.work.stands_for:
            return self.work.stands_for[label] if site == 0 else None
        original = self.index.blocks.get(self.work.clone_of.get(label, ""))
        if original is None:
            return None
        piece, last = self.work.pieces.get(label, Piece()), len(original.insns) - 1
        site += piece.start
        if piece.end is not None and site >= piece.end:
            return original.label, piece.end
        if site <= max(last, 0):
            return original.label, site
        calls = bool(original.insns) and flow(original.insns[last].raw) in (Flow.CALL, Flow.CALL_INDIRECT)
        guarded = calls and label not in self.work.holes
        return (original.label, last) if guarded else None

    def numbered(self, label: str) -> bool:
        """Whether the number of the call is read behind this block, which no inlined code does."""
        return label in self.work.numbered

    def returns_to(self, label: str, site: int) -> str | None:
        """The return address that the original program pushes here, where the inlined code leaves a hole."""
        hole = site == len(self.index.blocks[label].insns) - 1
        return self.work.holes.get(label) if hole else None
