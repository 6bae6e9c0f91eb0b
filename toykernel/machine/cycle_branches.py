"""Branch prediction of the P6 family.

Source: Agner Fog, "How to optimize for the Pentium family of microprocessors", chapter 22: a branch target buffer of
512 entries in 32 sets of 16, allocated by taken branches; in each entry four bits of the branch's own history choose
one of sixteen two-bit counters; unknown branches are predicted taken if they go backwards; a stack of 16 return
addresses; a misprediction costs 10 to 20 cycles (10 here: the lower end).  Replacement is least recently used.
"""

from __future__ import annotations

from enum import Enum

MISPREDICTED = 10  # cycles
_SETS, _WAYS, _RETURNS = 32, 16, 16


class Kind(Enum):
    """How a block ends."""

    NEXT = "next"  # no transfer of control, or one that nobody predicts (`iret`)
    BRANCH = "jcc"
    JUMP = "jmp"
    CALL = "call"
    JUMP_INDIRECT = "jmp r/m"
    CALL_INDIRECT = "call r/m"
    RETURN = "ret"


class _Entry:
    """What is known of one branch."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.history = 0
        self.counters = [2] * 16  # weakly taken: whoever is here was taken


class Predictor:
    """Learns from every branch, and tells what the wrong guesses cost."""

    def __init__(self) -> None:
        self._sets: list[dict[int, _Entry]] = [{} for _ in range(_SETS)]
        self._returns: list[int] = []

    def branch(self, kind: Kind, address: int, behind: int, target: int, backward: bool) -> int:
        """The instruction at `address`, followed by `behind`, went to `target`.  Cycles lost."""
        if kind in (Kind.CALL, Kind.CALL_INDIRECT):
            self._returns = [*self._returns[1 - _RETURNS :], behind]
        if kind is Kind.BRANCH:
            right = self._conditional(address, target, target != behind, backward)
        elif kind in (Kind.JUMP_INDIRECT, Kind.CALL_INDIRECT):
            right = self._indirect(address, target)
        elif kind is Kind.RETURN:
            right = bool(self._returns) and self._returns.pop() == target
        else:
            right = True
        return 0 if right else MISPREDICTED

    def _conditional(self, address: int, target: int, taken: bool, backward: bool) -> bool:
        entry = self._find(address)
        if entry is None:
            if taken:
                self._learn(address, target)
            return taken == backward
        count = entry.counters[entry.history]
        entry.counters[entry.history] = min(count + 1, 3) if taken else max(count - 1, 0)
        entry.history = (entry.history << 1 | taken) & 15
        return taken == (count >= 2)

    def _indirect(self, address: int, target: int) -> bool:
        """The last target is expected again."""
        entry = self._find(address)
        if entry is None:
            self._learn(address, target)
            return False
        right = entry.target == target
        entry.target = target
        return right

    def _find(self, address: int) -> _Entry | None:
        """The branch's entry, which becomes the most recent of its set."""
        entries = self._sets[address >> 4 & (_SETS - 1)]
        entry = entries.pop(address, None)
        if entry is not None:
            entries[address] = entry
        return entry

    def _learn(self, address: int, target: int) -> None:
        entries = self._sets[address >> 4 & (_SETS - 1)]
        if len(entries) == _WAYS:
            del entries[next(iter(entries))]
        entries[address] = _Entry(target)
