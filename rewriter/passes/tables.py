"""A pointer that nearly always leads to one table of operations is tested where it is loaded (§4.2).

    mov ecx, dword ptr [eax + 4]      ⇒      cmp dword ptr [eax + 4], ext_regular_file
    mov ecx, dword ptr [ecx + 8]             jne cold
    test ecx, ecx                            mov ecx, ext_regular_file
    je none                                  mov ecx, dword ptr [ecx + 8]     ; constants makes it ext_file_write
    …                                        test ecx, ecx                    ; and knows the rest
    cmp ecx, ext_file_write                  …
    jne other                         cold:  mov ecx, dword ptr [eax + 4]
    <body of ext_file_write>                 …

One test says what the tests of its words say, and where memory is compared, the load goes, too.  Where the test fails,
the word is loaded again: any table is right there.  What is known is this word, wherever it goes; of the place that it
was loaded from nothing is said, since that may hold another when it is loaded again.

Believed is the profile (what the words were) for the share only; that a table never changes is taken from the image
(`analysis.readonly`).  The model of what it saves counts loads of the table's words, and the tests and branches that
these words decide, as often as their blocks run; the test costs two instructions, and the load goes (Muth et al. 2000).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.liveness import Liveness
from rewriter.analysis.memory import address_of, ref_at
from rewriter.analysis.operations import loaded
from rewriter.analysis.state import Compared, State
from rewriter.analysis.value import Opaque, Value
from rewriter.analysis.values import Values
from rewriter.edit import written
from rewriter.ir import Block, Insn, Ref, RefKind
from rewriter.passes.chains import TEST
from rewriter.passes.heat import COLD_BELOW
from rewriter.passes.rewrite import symbol
from rewriter.passes.work import Piece, Work
from rewriter.profile import Place, Profile
from rewriter.reasons import Reason, Why
from rewriter.x86.decode import Decoded, Mem, Reg, decode
from rewriter.x86.effects import FLAGS
from rewriter.x86.encode import assemble, branch
from rewriter.x86.flow import Flow, flow

NAME: Final = "tables"


class Guard(NamedTuple):
    """The load at a place of the original program, in the copy of its block that is number `copy`, finds a table; with
    the `share` of the times that it does."""

    load: Place
    copy: int
    table: Value
    share: float


def guard_tables(work: Work, profile: Profile) -> tuple[Guard, ...]:
    """Test the pointers for which it pays, in a function whose calls have just been inlined; the tests, for who wants
    to make them elsewhere (`repeat`).  Each pointer in hot code that the profile knows has a remark."""
    chosen = []
    if profile.pointers:
        values = work.values()
        live = work.liveness(values)
        for guard, block in _candidates(work, profile):
            insn = block.insns[guard.load[1]]
            why, saved = _Worth(work, values, live, guard, block).decide()
            detail, count = _name(work, guard.table), work.heat.block(block.label)
            if why is not None:
                detail = f"{detail}: {why.detail}" if why.detail else detail
                work.outcome.refuse(
                    NAME, work.name, block.label, why.reason, detail, address=insn.origin, executed=count
                )
                continue
            work.outcome.did(
                NAME, work.name, block.label, Reason.TABLE, detail, address=insn.origin, executed=count, saved=saved
            )
            chosen.append(guard)
    repeat(work, chosen)
    return tuple(chosen)


def _name(work: Work, table: Value) -> str:
    """What the program calls a table."""
    named = (s.name for s in work.depths.index.program.symbols if (s.target, s.offset) == table and s.kind == "object")
    return next(named, f"{table.label}+{table.offset:#x}")


def repeat(work: Work, guards: Iterable[Guard]) -> None:
    """Make these tests, in a function whose calls have just been inlined along the same paths."""
    copies = _copies(work)
    for guard in sorted(guards, key=lambda guard: guard.load, reverse=True):  # the last of a block first
        found = copies.get(guard.load[0], [])
        if guard.copy < len(found):
            _insert(work, found[guard.copy], guard)


def _copies(work: Work) -> dict[str, list[Block]]:
    """The copies of each block of the original program, in their order."""
    found: dict[str, list[Block]] = {}
    for block in work.function.blocks:
        if block.label in work.clone_of:
            found.setdefault(work.clone_of[block.label], []).append(block)
    return found


def _candidates(work: Work, profile: Profile) -> Iterator[tuple[Guard, Block]]:
    """The hot copies of loads in the profile, and what they find most often."""
    copies = _copies(work)
    for (label, position), words in sorted(profile.pointers.items()):
        original = work.depths.index.blocks.get(label)
        if original is None or position >= len(original.insns) or not words:
            continue
        (name, offset), count = max(words.items(), key=lambda item: (item[1], item[0]))
        share = count / max(profile.blocks.get(label, 0), sum(words.values()), 1)
        for number, block in enumerate(copies.get(label, ())):
            same = block.insns[: position + 1] == original.insns[: position + 1]
            if same and work.hot(block.label) and loaded(block.insns[position]) is not None:
                yield Guard((label, position), number, Value(name, offset), share), block


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a test saves, in the code as it is."""

    work: Work
    values: Values
    live: Liveness
    guard: Guard
    block: Block

    def decide(self) -> tuple[Why | None, float]:
        """Why the test is not made; and how many instructions are executed less with it, over all its executions."""
        position, share = self.guard.load[1], self.guard.share
        if share < 1 - COLD_BELOW:
            return Why(Reason.VARIES, f"{share:.0%}"), 0.0
        if not self.work.depths.readonly.holds(self.guard.table):
            return Why(Reason.WRITABLE), 0.0
        if self.block.label not in self.values.states or self.live.after(self.block.label)[position] & FLAGS:
            return Why(Reason.FLAGS_LIVE), 0.0
        known = self._known()
        if known is None:
            return Why(Reason.OTHER_TARGET), 0.0
        count = self.work.heat.block(self.block.label)
        saved, costs = share * (count + known), TEST * count
        detail = f"{costs:.1f} instructions, and saves {saved:.1f}"
        return (None if saved > costs else Why(Reason.GUARD_COSTS, detail)), saved - costs

    def _known(self) -> float | None:
        """Instructions whose results the table decides, as often as they are executed; None where the code follows
        another target than the table has.  A word that nobody follows is no pointer: it might be a device's."""
        found = _Decided(self.work, self.guard, self.block)
        for block in self.values.blocks:
            if self.work.hot(block.label):
                found.look(block, self.values)
        return None if found.misses else found.total * found.followed


class _Decided:
    """Collects what the table decides.  `words`: those that are loaded from it, and its own address."""

    def __init__(self, work: Work, guard: Guard, block: Block) -> None:
        self.work = work
        self.table = guard.table
        register = loaded(block.insns[guard.load[1]])
        self.pointer = Opaque(block.label, guard.load[1], register or "")
        self.words: dict[Opaque, Value] = {self.pointer: self.table}
        self.total = 0.0
        self.misses = False
        self.followed = False

    def look(self, block: Block, values: Values) -> None:
        """One block; those that come before it on most ways come first."""
        times, of_memory = self.work.heat.block(block.label), False
        for site, insn, state in values.walk(block.label):
            decoded = decode(insn.raw)
            read = self._read(insn, decoded, state)
            compares = decoded.mnemonic in ("cmp", "test")
            held = self._held(decoded, state) if compares else None
            branches = bool(condition_of(decoded.mnemonic)) and (of_memory or self._decides(state))
            if branches or held is not None or (read is not None and (compares or decoded.mnemonic == "mov")):
                self.total += times
            if read is not None and decoded.mnemonic == "mov" and isinstance(decoded.operands[0], Reg):
                self.words[Opaque(block.label, site, decoded.operands[0].name)] = read
            self.followed |= read is not None
            if compares:
                of_memory = read is not None
                self.misses |= self._misses(block, insn, decoded, read or held)

    def _read(self, insn: Insn, decoded: Decoded, state: State) -> Value | None:
        """The word of the table that an instruction reads in memory."""
        if flow(insn.raw) is not Flow.NEXT or insn.faults_to is not None:
            return None
        for operand in decoded.operands:
            if isinstance(operand, Mem) and operand.segment is None:
                address = address_of(insn, decoded, operand, state)
                if address.base == self.pointer:
                    return self.work.depths.readonly.word(self.table.plus(address.offset), operand.size)
        return None

    def _held(self, decoded: Decoded, state: State) -> Value | None:
        """The word of the table that is compared, in a register."""
        target = decoded.operands[0]
        value = state.places.get(target.name) if isinstance(target, Reg) else None
        return self.words.get(value.base) if value and isinstance(value.base, Opaque) and not value.offset else None

    def _decides(self, state: State) -> bool:
        """Whether the flags are those of a comparison with one of the words."""
        return isinstance(state.flags, Compared) and any(side.base in self.words for side in state.flags)

    def _misses(self, block: Block, insn: Insn, decoded: Decoded, word: Value | None) -> bool:
        """Whether this is the guard of an indirect call, for a function that the table does not have there."""
        expected, last = ref_at(insn, decoded.imm_offset), block.insns[-1]
        guards = flow(last.raw) is Flow.BRANCH and last.refs[0].target in self.work.failing
        return word is not None and expected is not None and guards and word.label != expected.target


# The test


def _insert(work: Work, block: Block, guard: Guard) -> None:
    """Cut the block before the load: the rest begins with the table's address, and a copy with the load."""
    site = guard.load[1]
    load, start = block.insns[site], work.pieces.get(block.label, Piece())
    rest = work.cut(block, site)
    cold = Block(work.labels().fresh(), list(rest.insns), rest.falls_to)
    work.function.blocks.append(cold)
    name = symbol(guard.table.label or "", guard.table.offset)
    test = [compared(load, guard.table), branch("ne", cold.label)]
    block.insns += written(test, NAME, Reason.TABLE, [load])
    rest.insns[:1] = written(assemble([f"mov {loaded(load)}, {name}"]), NAME, Reason.TABLE, [load])
    _know(work, block, rest, cold)
    work.pieces[block.label] = start._replace(end=site)
    work.pieces[rest.label] = work.pieces[cold.label] = start._replace(start=site)
    _warm(work, block, rest, cold, guard.share)


def _know(work: Work, block: Block, rest: Block, cold: Block) -> None:
    """What is known of the block is so of its parts."""
    work.failing.add(cold.label)
    work.returns[cold.label] = work.returns.get(block.label, (0,))
    if rest.label in work.holes:
        work.holes[cold.label] = work.holes[rest.label]
    for part in (rest, cold):
        work.clone_of[part.label] = work.clone_of[block.label]


def _warm(work: Work, block: Block, rest: Block, cold: Block, share: float) -> None:
    heat = work.heat
    count = heat.block(block.label)
    for (source, target), n in list(heat.edges.items()):
        if source == rest.label:
            heat.flow(rest.label, target, n * share)
            heat.flow(cold.label, target, n * (1 - share))
    for part, times in ((rest, count * share), (cold, count * (1 - share))):
        heat.blocks[part.label] = times
        heat.flow(block.label, part.label, times)


def compared(load: Insn, table: Value) -> Insn:
    """`mov r, x` (8B /r) → `cmp x, table` (81 /7)."""
    raw = bytes((0x81, load.raw[1] & ~0x38 | 0x38)) + load.raw[2:]
    return Insn(raw + bytes(4), (*load.refs, Ref(len(raw), RefKind.ABS32, table.label or "", table.offset)))
