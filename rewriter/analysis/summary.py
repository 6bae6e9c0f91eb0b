"""What the caller of a function sees of it: use depth, kill depth, registers, whether it comes back (§4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rewriter.analysis.state import EVERYTHING, State
from rewriter.analysis.value import REGISTERS, WORD
from rewriter.x86.effects import FLAGS, register_mask

UNBOUNDED = EVERYTHING[1]
ALL_REGISTERS = 0
for _name in REGISTERS:
    ALL_REGISTERS |= register_mask(_name)
_GROUPS = tuple(register_mask(name) for name in REGISTERS)
NOT_ESP = ALL_REGISTERS & ~register_mask("esp")
CALLER_SAVED = register_mask("eax") | register_mask("ecx") | register_mask("edx") | FLAGS


# The depth of callees that are known by their convention only, see `depth_reach`.
FRAME = 1 << 24
_MOST_ARGUMENTS = 32 * WORD  # more than a frame holds below its return address: a depth of its own, not FRAME


@dataclass(frozen=True, slots=True)
class Summary:
    """The effects of one call, callees included; masks of registers and flags are those of `x86.effects`.

    `use_depth`, `kill_depth`: bytes from the return address upwards in which the function may read or write; 4 is
    the return address alone, 8 one argument; FRAME is everything up to the next return address; None is unbounded.
    `pops`: what `ret n` adds to esp beyond the return address; None if esp is not known afterwards.
    """

    use_depth: int | None
    kill_depth: int | None
    reads: int  # before they are overwritten, for what it does or for its results; saving is no reading
    clobbers: int  # may be different afterwards
    writes: int  # overwritten on every way to a return
    pops: int | None
    returns: bool  # whether it comes back
    reason: str = ""  # why something is unbounded or unknown: a chain of functions
    leaks: bool = False  # addresses of that part of the stack may stay in other hands
    twice: bool = False  # it reads its return address, perhaps to come back there once more (setjmp)

    def join(self, other: Summary) -> Summary:
        """The effects of either."""
        if not self.returns or not other.returns:
            pops = other.pops if other.returns else self.pops
        else:
            pops = self.pops if self.pops == other.pops else None
        return Summary(
            _deeper(self.use_depth, other.use_depth),
            _deeper(self.kill_depth, other.kill_depth),
            self.reads | other.reads,
            self.clobbers | other.clobbers,
            self.writes & other.writes,
            pops,
            self.returns or other.returns,
            self.reason or other.reason,
            self.leaks or other.leaks,
            self.twice or other.twice,
        )

    def before(self, after: int) -> int:
        """Registers and flags that matter before the call, given those that matter after it."""
        passed = 0
        for group in (*_GROUPS, FLAGS):
            passed |= group if group & after else 0
        return passed & ~self.writes | self.reads

    @property
    def unbounded(self) -> bool:
        return self.use_depth is None or self.kill_depth is None


def _deeper(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return None
    deep, shallow = max(first, second), min(first, second)
    return None if deep >= FRAME and _MOST_ARGUMENTS < shallow < FRAME else deep


def depth_reach(depth: int | None, state: State, returns: Iterable[int]) -> int:
    """Where the stack bytes end that a callee of this depth touches, given the state before the call and the return
    addresses on the stack: an offset from the caller's entry esp.

    An argument list lies in one frame.  It ends at the latest where a saved register begins (a slot with what ebx,
    esi, edi or ebp held at the caller's entry), or at the next return address: FRAME is that.
    """
    esp = state.esp
    if depth is None or esp is None:
        return UNBOUNDED
    if depth < FRAME:
        return esp - WORD + depth
    return min((place for place in (*returns, *state.saved()) if place >= esp), default=UNBOUNDED)


# Where the iteration begins: a function that does nothing and never comes back.
NOTHING = Summary(WORD, WORD, 0, 0, ALL_REGISTERS | FLAGS, 0, False)


def anything(reason: str) -> Summary:
    """A function of which nothing is known."""
    return Summary(None, None, ALL_REGISTERS | FLAGS, NOT_ESP | FLAGS, 0, None, True, reason, leaks=True)


def intact(reason: str) -> Summary:
    """A function that the contract promises to return with the caller's frame and its registers intact, whatever
    it does to the stack in between ("schedule() returns with the caller's frame intact")."""
    return Summary(WORD, WORD, 0, CALLER_SAVED, 0, 0, True, reason)


def conventional(arguments: int) -> Summary:
    """A function that the contract promises to keep the C convention ("checksum keeps the C convention, with 3
    arguments"): it may change these and the registers that its caller saves, whose old values are no use to it."""
    depth = WORD + WORD * arguments
    return Summary(depth, depth, 0, CALLER_SAVED, CALLER_SAVED, 0, True)
