"""The pass: the function anew, as a tree of hot paths, with the original program behind its exits.

sys_lseek:                  ⇒    sys_lseek$202:
push ebx                             mov eax, [esp + 4]
sub esp, 8                           cmp eax, 31
push dword ptr [esp + 16]            ja exit
call fget                            mov ecx, [ebx + eax*4 + 56]
…                                    …
fget:                                ret
mov eax, [esp + 4]               exit:
cmp eax, 31                          push ebx
ja fget.2                            lea esp, [esp - 8]
…                                    push eax
                                     push sys_lseek.1        ; where fget will return to
                                     jmp fget.2

Where the code was changed before it was lifted (nothing may be in its original place then), it stays in the function,
behind the exits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rewriter.analysis.frames import deepest
from rewriter.edit import Labels, pieces, renamed
from rewriter.ir import Block
from rewriter.passes.constants import constants
from rewriter.passes.deadcode import deadcode, unreachable
from rewriter.passes.outcome import Outcome
from rewriter.passes.straighten import straighten
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.region.cost import outside, remaining
from rewriter.region.exits import CostsMore, Refused
from rewriter.region.lift import Lifter, Limits
from rewriter.region.lower import Lowered
from rewriter.region.tree import Node, exits
from rewriter.region.value import Pool
from rewriter.region.ways import lowest

NAME = "region"
LIMITS = Limits()
EVEN = 1.02  # of what is expected without it: less says nothing, and a way from the gate is made for regions alone
_FEW = 0.1  # of the calls: so many may leave where a path is unlikely, or goes too far
_UNFOLLOWED = (Reason.COLD_EDGE, Reason.LOOP, Reason.BUDGET)
_JOINED = 4  # times the budget where paths that meet go on as one: nothing is lifted twice for each of them


@dataclass(frozen=True, slots=True)
class Region:
    """What was made, for remarks and tests."""

    root: Node
    lowered: Lowered
    cost: float  # instructions that a call is expected to execute
    lost: float  # of the calls, the part that leaves where a path is unlikely, or goes too far
    behind: float  # those of them that are executed behind the exits


def region(work: Work, *, always: bool = False, limits: Limits = LIMITS) -> None:
    """Make the function anew as a region, if it can be and pays (or `always`, where it can be); a remark says why not,
    or what its exits are."""
    base = _base(work)
    before = remaining(work)[work.name]
    try:
        made = add_region(base, limits)
        if made.cost >= EVEN * before and not always:
            raise CostsMore(f"{made.cost:.1f} instructions, without it {before:.1f}")
    except Refused as why:
        reason = Reason.COSTS_MORE if isinstance(why, CostsMore) else Reason.NO_TREE
        work.outcome.refuse(NAME, work.name, work.name, reason, str(why))
        return
    if not base.at_home:
        unreachable(base)
    work.function.blocks[:] = base.function.blocks
    work.data, work.clone_of, work.returns, work.heat = base.data, base.clone_of, base.returns, base.heat
    work.at_home, work.entries, work.outside = base.at_home, base.entries, base.outside
    work.wrapper, work.behind = base.wrapper, base.behind
    calls = work.heat.block(work.name)
    what = f"{made.cost:.1f} instructions expected, {before:.1f} without it"
    saved = (before - made.cost) * calls
    work.outcome.did(NAME, work.name, work.name, Reason.ONE_TREE, what, executed=calls, saved=saved)
    tell(work.outcome, NAME, work.name, base, made)


def tell(outcome: Outcome, pass_name: str, function: str, lifted: Work, made: Region) -> None:
    """What else was decided while a region was made, and why control leaves it where it does: one remark an exit, with
    the place in the original program where it leads."""
    for remark in lifted.outcome.remarks if lifted.outcome is not outcome else ():
        if remark.kind == "missed":
            outcome.refuse(pass_name, function, function, remark.reason, remark.detail, executed=remark.executed)
    for exit in exits(made.root):
        label, site = exit.home or (exit.label, exit.site)
        place = place_name(label, site)
        outcome.refuse(pass_name, function, place, *exit.why, address=exit.address, executed=exit.weight)


def place_name(label: str, site: int) -> str:
    """How a place in the original program is called, perhaps in the middle of a block."""
    return f"{label}.at{site}" if site else label


def _base(work: Work) -> Work:
    """What is lifted: the same call before anything was folded, else before anything was moved."""
    if work.plain is not None:
        return work.plain.copy()
    return tidied(work.early) if work.early is not None else work


def tidied(early: Work) -> Work:
    """Without what the known arguments have made superfluous."""
    base = early.copy()
    for tidy in (constants, deadcode, unreachable, straighten):
        tidy(base)
    return base


def add_region(work: Work, limits: Limits = LIMITS) -> Region:
    """Put a region before the function's code.  Raises Refused."""
    made = _made(work, limits)
    _cool(work, made.root)
    if work.at_home:
        work.behind = made.behind
        _replace(work, made.lowered)
    else:
        _enter(work, made.lowered)
    return made


def _cool(work: Work, root: Node) -> None:
    """The code behind the exits runs as often as they are taken."""
    entries = max(work.heat.block(work.name), 1e-9)
    factor = min(1.0, sum(exit.weight for exit in exits(root)) / entries)
    work.heat.blocks = {label: count * factor for label, count in work.heat.blocks.items()}
    work.heat.edges = {edge: count * factor for edge, count in work.heat.edges.items()}


def _made(work: Work, limits: Limits) -> Region:
    """With calls inside of it, if there is room for what must survive them; else it ends before each.  Each path on its
    own, or joined where they meet: a tree that loses many of them, each too unlikely to be followed, is not believed,
    since which way a branch goes may depend on the one before."""
    depth = deepest(work.values())
    if depth is None:
        raise Refused("esp is not known everywhere")
    behind = remaining(work)
    found = [_if_any(work, depth, behind, limits)]
    if found[0] is None or found[0].lost > _FEW:
        found.append(_if_any(work, depth, behind, replace(limits, joins=True, budget=_JOINED * limits.budget)))
    if made := [each for each in found if each is not None]:
        return made[-1]
    alone = _tried(work, depth, behind, replace(limits, calls=False))
    detail = "paths end there: too few places for what must survive it"
    work.outcome.refuse(NAME, work.name, work.name, Reason.CALL, detail)
    return alone


def _if_any(work: Work, depth: int, behind: dict[str, float], limits: Limits) -> Region | None:
    try:
        return _tried(work, depth, behind, limits)
    except Refused:
        return None


def _tried(work: Work, depth: int, behind: dict[str, float], limits: Limits) -> Region:
    pool = Pool()
    known = {register: pool.make("current") for register in sorted(work.current)}
    if work.number is not None:
        known["eax"] = pool.const(work.number)
    root = Lifter(work, known, pool, limits).run()
    lowered, cost = lowest(root, pool, work, known, depth, behind)
    return Region(root, lowered, cost, _lost(root), outside(root, behind))


def _lost(root: Node) -> float:
    return sum(exit.weight for exit in exits(root) if exit.why.reason in _UNFOLLOWED) / max(root.weight, 1e-9)


def _enter(work: Work, lowered: Lowered) -> None:
    """The region's blocks come first; the old ones stay behind its exits, cut where these lead into their middle."""
    taken = {block.label for block in (*work.function.blocks, *lowered.blocks)}
    old = {work.name: Labels(work.name, {*taken, *lowered.exits}).fresh()}
    _rename_entry(work, old[work.name])
    targets = _cut(work, lowered, old)
    blocks = [_led(block, targets) for block in lowered.blocks]
    for block in blocks:
        work.heat.blocks[block.label] = lowered.weights.get(block.label, 0.0)
        work.returns[block.label] = (0,)
    work.function.blocks[:] = [*blocks, *work.function.blocks]
    for block in blocks:
        _warm(work, block, lowered)


def _replace(work: Work, lowered: Lowered) -> None:
    """The region's blocks are all there is: exits lead to the original program, perhaps into the middle of blocks."""
    targets = {}
    for name, (label, site) in lowered.exits.items():
        targets[name] = place_name(label, site)
        if site:
            work.entries[targets[name]] = label, site
    blocks = [_led(block, targets) for block in lowered.blocks]
    work.function.blocks[:] = blocks
    work.outside = frozenset(targets.values())
    work.data.clear()
    work.clone_of.clear()
    work.returns = {block.label: (0,) for block in blocks}
    for block in blocks:
        work.heat.blocks[block.label] = lowered.weights.get(block.label, 0.0)
        _warm(work, block, lowered)


def _rename_entry(work: Work, label: str) -> None:
    """The old entry block makes place for the new one."""
    mapping = {work.name: label}
    for block in work.function.blocks:
        block.insns = [renamed(insn, mapping) for insn in block.insns]
        block.falls_to = mapping.get(block.falls_to or "", block.falls_to)
        block.label = mapping.get(block.label, block.label)
    for data in work.data:
        data.refs = {at: replace(ref, target=mapping.get(ref.target, ref.target)) for at, ref in data.refs.items()}
    work.clone_of[label] = work.clone_of.pop(work.name, work.name)
    work.returns[label] = work.returns.get(work.name, (0,))
    work.heat.blocks[label] = work.heat.blocks.pop(work.name, 0.0)
    work.heat.edges = {(mapping.get(a, a), mapping.get(b, b)): n for (a, b), n in work.heat.edges.items()}


def _cut(work: Work, lowered: Lowered, old: Mapping[str, str]) -> dict[str, str]:
    """Labels of the places where exits lead, by the region's names for them."""
    mine = {block.label for block in work.function.blocks}
    found = {name: label for name, (label, _) in lowered.exits.items() if old.get(label, label) not in mine}
    wanted: dict[str, dict[int, str]] = {}
    for name, (label, site) in lowered.exits.items():
        wanted.setdefault(old.get(label, label), {})[site] = name
    blocks: list[Block] = []
    for block in work.function.blocks:
        cuts = wanted.get(block.label, {})
        if 0 in cuts:
            found[cuts[0]] = block.label
        behind = {site: name for site, name in cuts.items() if site}
        blocks += pieces(block, behind)
        for name in behind.values():
            found[name] = name
            work.returns[name] = work.returns.get(block.label, (0,))
            work.heat.blocks[name] = work.heat.block(block.label)
    work.function.blocks[:] = blocks
    return found


def _led(block: Block, targets: Mapping[str, str]) -> Block:
    return Block(
        block.label,
        [renamed(insn, targets) for insn in block.insns],
        targets.get(block.falls_to or "", block.falls_to),
    )


def _warm(work: Work, block: Block, lowered: Lowered) -> None:
    """Counts of the edges between the new blocks."""
    named = {ref.target for insn in block.insns[-1:] for ref in insn.refs} | {block.falls_to or ""}
    for target in named:
        if target in lowered.weights:
            work.heat.flow(block.label, target, lowered.weights[target])
