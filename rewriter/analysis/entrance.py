"""The way from a system call's gate to its handler and back to the program, as it is most often taken.

system_call: push eax … cmp eax, 256; jae bad      the head: straight code up to the test of the number
.1:          test byte ptr [ebx + 16], 2; jne …
.2:          call [eax*4 + sys_call_table]         the door
.3:          … cli; cmp …; jne …; iret             the way back
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewriter.analysis.arithmetic import condition_of
from rewriter.analysis.depths import Depths
from rewriter.analysis.gates import gates, number_limit
from rewriter.analysis.liveness import Liveness
from rewriter.analysis.values import Values
from rewriter.contract import Contract
from rewriter.ir import Block, Insn, Program
from rewriter.x86.decode import Imm, Reg, decode
from rewriter.x86.effects import FLAGS, effects, register_mask
from rewriter.x86.flow import Flow, flow

_EAX = register_mask("eax")
_PLAIN = (Flow.NEXT, Flow.JUMP, Flow.BRANCH)


class NoEntrance(Exception):
    """The entry is not followed.  The message says why."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Labels of blocks: `there` leads from the gate to the door, which is its last, `back` from there to the `iret`.
    `test`: the position in the first of them of the compare of the number, behind which only its branch is left.
    `limit`: the first number behind all that the kernel itself uses."""

    function: str
    there: tuple[str, ...]
    back: tuple[str, ...]
    test: int
    limit: int


def entrance(program: Program, contract: Contract, depths: Depths, edges: Mapping[tuple[str, str], int]) -> Entrance:
    """Raises NoEntrance."""
    promise = contract.system_calls
    limit = number_limit(program, contract)
    if promise is None or limit is None or promise.entry not in depths.index.functions:
        raise NoEntrance("the contract names no entry of system calls")
    function = depths.index.functions[promise.entry]
    if function.pins:
        raise NoEntrance(f"pinned: {function.pins[0]}")
    doors = {block.label for block in gates(program, contract)}
    there = _way(depths, function.blocks[0].label, edges, doors)
    door = depths.index.blocks[there[-1]]
    if door.label not in doors or door.falls_to is None:
        raise NoEntrance("no call through the table of system calls on the way from the gate")
    back = _way(depths, door.falls_to, edges, doors)
    last = depths.index.blocks[back[-1]].insns
    if not last or flow(last[-1].raw) is not Flow.IRET:
        raise NoEntrance("no iret on the way back from the handler")
    test = _test(function.blocks[0], promise.slots)
    _check_flags(depths, function.blocks[0])
    return Entrance(function.name, there, back, test, limit)


def _way(depths: Depths, label: str, edges: Mapping[tuple[str, str], int], doors: set[str]) -> tuple[str, ...]:
    """The blocks from there on, each followed by the one that was counted most often behind it; where none was, by the
    next one."""
    found = [label]
    while label not in doors:
        block = depths.index.blocks[label]
        kind = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
        if kind not in _PLAIN:
            break
        targets = [edge.target for edge in depths.index.edges(block)]
        if block.falls_to is not None:
            targets.sort(key=lambda target: target != block.falls_to)
        label = max(targets, key=lambda target: edges.get((block.label, target), 0))
        if label in found or label not in depths.index.blocks:
            raise NoEntrance("a loop in the entry")
        found.append(label)
    return tuple(found)


def _test(head: Block, slots: int) -> int:
    """Where the head compares the number.  Moved to its top, the compare must find the same number, and nobody may see
    its flags sooner."""
    site = len(head.insns) - 2
    if site < 0 or not _asks(head.insns[site], head.insns[site + 1], slots):
        raise NoEntrance("the entry does not begin with straight code up to an unsigned test of eax")
    for insn in head.insns[:site]:
        found = effects(insn)
        if found.may_write & _EAX or found.reads & FLAGS or flow(insn.raw) is not Flow.NEXT or insn.faults_to:
            raise NoEntrance(f"the test of the number cannot be moved before {decode(insn.raw).mnemonic}")
    return site


def _asks(compare: Insn, branch: Insn, slots: int) -> bool:
    """Whether these leave for where numbers go that have no slot."""
    if flow(branch.raw) is not Flow.BRANCH or compare.refs:
        return False
    decoded, code = decode(compare.raw), condition_of(decode(branch.raw).mnemonic)
    if decoded.mnemonic != "cmp" or not isinstance(decoded.operands[1], Imm):
        return False
    first = decoded.operands[1].value + (code == "a")
    return decoded.operands[0] == Reg("eax", 4) and code in ("ae", "a") and first >= slots


def _check_flags(depths: Depths, head: Block) -> None:
    """Behind the head its flags are not those of the compare any more."""
    values = Values(depths.index, depths.transfer(), head.label)
    if head.falls_to is None or Liveness(values, 0).before(head.falls_to) & FLAGS:
        raise NoEntrance("the flags of the test of the number are read again")
