"""Short sequences with a shorter equal (§2, §4.2): the rules of `peephole_rules`, applied until none applies.

    lea esp, [esp - 4]; lea esp, [esp + 8]    ⇒    lea esp, [esp + 4]
    mov ecx, [eax + 8]; or edx, ecx           ⇒    or edx, [eax + 8]            ; ecx is not needed afterwards
    mov ecx, [eax + 8]; test ecx, ecx         ⇒    cmp dword ptr [eax + 8], 0   ; the same flags
    setb dl; movzx edx, dl; test edx, edx; jne .a   ⇒   jb .a                   ; nor edx, nor the flags

Other instructions may stand between those of a pattern where all that come before them can move down over them, or all
that come behind them up to the first: nothing moves over what it depends on, a load over no other access to memory, and
what may fault on user memory takes no part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final

from rewriter.analysis.liveness import STACK_SHIFT, Touch
from rewriter.analysis.value import WORD
from rewriter.edit import written
from rewriter.ir import Block, Insn
from rewriter.passes.pattern import Found, Template, made, matched, templates
from rewriter.passes.peephole_rules import RULES, Rule
from rewriter.passes.work import Work
from rewriter.reasons import Reason
from rewriter.x86.decode import Mem, decode
from rewriter.x86.effects import FLAGS, effects, names, register_mask
from rewriter.x86.flow import Flow, flow
from rewriter.x86.state import AF, CF, OF, PF, SF, ZF

NAME = "peephole"
REACH = 16  # instructions from the first to the last of a pattern
_ESP = register_mask("esp")
_FLAG = {**{names(flag)[0]: flag for flag in (CF, PF, AF, ZF, SF, OF)}, "flags": FLAGS}


@dataclass(frozen=True, slots=True)
class _Node:
    """The patterns that begin alike, by the mnemonic of what comes next; and the rules whose pattern ends here."""

    after: dict[str, list[tuple[Template, _Node]]] = field(default_factory=dict)
    rules: list[tuple[int, Rule]] = field(default_factory=list)

    def next(self, template: Template) -> _Node:
        ways = self.after.setdefault(template.mnemonic, [])
        for known, node in ways:
            if known == template:
                return node
        ways.append((template, _Node()))
        return ways[-1][1]


@dataclass(frozen=True, slots=True)
class _Way:
    """The beginning of a pattern: which instructions it is, and those `between` them.  `down`: the former can move
    down over these; `up`: those that come later can move up to the first."""

    node: _Node
    places: list[int] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    between: tuple[int, ...] = ()
    down: bool = True
    up: bool = True


def _all_rules() -> _Node:
    """Rules in their order, but those that save instructions before those that save bytes."""
    start = _Node()
    rules = [each for rule in RULES for each in rule.rules()]
    for number, rule in enumerate(sorted(rules, key=lambda rule: rule.fewer == 0)):
        node = start
        for template in templates(rule.before):
            node = node.next(template)
        node.rules.append((number, rule))
    return start


_START: Final = _all_rules()


def peephole(work: Work) -> None:
    """Apply the rules until none applies."""
    while _round(work):
        pass


def _round(work: Work) -> bool:
    """Change every block, each of its instructions once.  What was known before still holds behind a change: it moves
    down what is read, never past its own last instruction."""
    values = work.values()
    live = work.liveness(values)
    changed = False
    for block in work.function.blocks:
        if block.label not in values.states:
            continue
        window = _Window(block, live.touches(block.label), live.after(block.label))
        block.insns = window.run()
        for rule in window.applied:
            work.did(NAME, block.label, Reason.SHORTER, detail=str(rule))
        changed = changed or bool(window.applied)
    return changed


class _Window:
    """One block, from top to bottom."""

    def __init__(self, block: Block, touches: list[Touch], after: list[int]) -> None:
        self.insns = block.insns
        self.touches = touches
        self.after = after
        self.applied: list[Rule] = []

    def run(self) -> list[Insn]:
        """The instructions that it has then."""
        kept: list[Insn | None] = list(self.insns)
        behind: dict[int, list[Insn]] = {}
        position = 0
        while position < len(kept):
            change = self._change(position)
            if change is not None:
                rule, places, insns, where = change
                pattern = [self.insns[place] for place in places]
                insns = [each for insn in insns for each in written([insn], NAME, Reason.SHORTER, [insn, *pattern])]
                for place in places:
                    kept[place] = None
                behind[where] = insns
                self.applied.append(rule)
                position = places[-1]
            position += 1
        return [insn for n, old in enumerate(kept) for insn in ([old] if old else behind.get(n, []))]

    def _change(self, position: int) -> tuple[Rule, list[int], list[Insn], int] | None:
        """The first rule that applies here, where its pattern is, what takes its place, and behind which of them."""
        for _, rule, way in sorted(self._matches(position), key=itemgetter(0)):
            insns = self._made(rule, way)
            if insns is not None:
                return rule, way.places, insns, way.places[-1 if way.down else 0]
        return None

    def _matches(self, start: int) -> Iterator[tuple[int, Rule, _Way]]:
        """The rules whose pattern begins at `start`, with their numbers, and where it is."""
        ways = [_Way(_START)]
        for position in range(start, min(start + REACH, len(self.insns))):
            more = [found for way in ways for found in self._longer(way, position)]
            for way in more:
                yield from ((number, rule, way) for number, rule in way.node.rules)
            kept = [passed for way in ways if way.places and (passed := self._past(way, position)) is not None]
            ways = [way for way in (*kept, *more) if way.node.after]
            if not ways:
                return

    def _longer(self, way: _Way, position: int) -> Iterator[_Way]:
        """With this instruction as the next of the pattern."""
        insn = self.insns[position]
        for template, node in way.node.after.get(decode(insn.raw).mnemonic, ()):
            found = matched(template, insn, way.found)
            if found is not None:
                up = way.up and all(self._passes(upper, position) for upper in way.between)
                if up or way.down:
                    yield _Way(node, [*way.places, position], found, way.between, way.down, up)

    def _past(self, way: _Way, position: int) -> _Way | None:
        """With this instruction between those of the pattern."""
        if not self._free(position):
            return None
        down = way.down and all(self._passes(place, position) for place in way.places)
        return replace(way, between=(*way.between, position), down=down) if down or way.up else None

    def _free(self, place: int) -> bool:
        """Whether others may change places with the instruction at all."""
        insn = self.insns[place]
        return not effects(insn).fixed and insn.faults_to is None and flow(insn.raw) is Flow.NEXT

    def _passes(self, upper: int, lower: int) -> bool:
        """Whether these two can change places."""
        if not self._free(upper) or not self._free(lower):
            return False
        reads, writes = zip(*(self._touched(place) for place in (upper, lower)), strict=True)
        if reads[0] & writes[1] or writes[0] & (reads[1] | writes[1]):
            return False
        access = effects(self.insns[lower])
        return not (self.touches[upper].elsewhere and (access.loads or access.stores))

    def _touched(self, place: int) -> tuple[int, int]:
        """What an instruction reads and may write: registers, esp, flags, the function's own slots."""
        touch, own = self.touches[place], effects(self.insns[place])
        return touch.reads | own.reads & _ESP, touch.results | touch.kills | own.may_write & _ESP

    def _made(self, rule: Rule, way: _Way) -> list[Insn] | None:
        """What takes the pattern's place, if the rule's conditions hold."""
        found, places = way.found, way.places
        if any(_together(a, b, found) for a, b in rule.pairs) or not _between(rule, found):
            return None
        if rule.own and not self._stores_own(places[0]):
            return None
        needed = self.after[places[-1]]
        for place in way.between if not way.down else ():
            needed |= self._touched(place)[0]
        if needed & dead(rule, found):
            return None
        old = [self.insns[place] for place in places]
        new = made(templates(rule.after), found, old)
        if new is None or (not rule.fewer and sum(len(i.raw) for i in new) >= sum(len(i.raw) for i in old)):
            return None
        return new

    def _stores_own(self, place: int) -> bool:
        """Whether it writes a word of the function's own whose address nobody else holds."""
        touch = self.touches[place]
        return not touch.elsewhere and (touch.kills >> STACK_SHIFT).bit_count() == WORD


def dead(rule: Rule, found: Found) -> int:
    """The registers and flags that must not matter behind the pattern."""
    mask = 0
    for word in rule.dead.split():
        mask |= _FLAG[word] if word in _FLAG else register_mask(found.registers[word])
    return mask


def _together(letter: str, other: str, found: Found) -> bool:
    """Whether a register is the same as another, or takes part in the address of memory."""
    register = found.registers[letter]
    if other in found.registers:
        return found.registers[other] == register
    mem: Mem = found.memory[other][0]
    return register in (mem.base, mem.index)


def _between(rule: Rule, found: Found) -> bool:
    if rule.between is None:
        return True
    letter, least, greatest = rule.between
    number = found.numbers[letter]
    return isinstance(number, int) and least <= number <= greatest
