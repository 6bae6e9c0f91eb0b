"""A peephole rule as a theorem: wherever its conditions hold, `after` does what `before` does.

Equal is what can be seen: registers and flags that are not dead, each access to memory in its order, whether the branch
is taken.  Letters may mean the same register in every way that `apart` leaves; the address of memory is any function of
the registers that it may be made with.  A flag that `before` leaves undefined may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import z3

from rewriter.passes.pattern import Memory, Number, Part, Place, Register, Target, Template, templates
from rewriter.passes.peephole_rules import Rule
from tests.proofs import semantics
from tests.proofs.semantics import FLAGS, Machine, word

BITS = z3.BitVecSort(32)


def counterexample(rule: Rule) -> str | None:
    """Registers, and a state, for which the rule is wrong; None if it is proved."""
    letters = sorted({part for template in templates(rule.before) for part in _letters(template) if part in "abcd"})
    for names in ways(letters, rule):
        solver = z3.Solver()
        seen = differences(rule, names)
        if seen is not None:
            solver.add(seen)
            if solver.check() != z3.unsat:
                return f"{names}: {solver.model()}"
    return None


def _letters(template: Template) -> Iterator[str]:
    for part in template.parts:
        if isinstance(part, Register):
            yield part.letter
        elif isinstance(part, Place):
            yield from part.registers


def ways(letters: Sequence[str], rule: Rule) -> Iterator[dict[str, str]]:
    """Which letters are the same register: each gets the name of the first that is."""

    def go(names: dict[str, str], rest: Sequence[str]) -> Iterator[dict[str, str]]:
        if not rest:
            yield names
            return
        for name in [*dict.fromkeys(names.values()), rest[0]]:
            yield from go({**names, rest[0]: name}, rest[1:])

    for names in go({}, letters):
        if all(names[a] != names.get(b) for a, b in rule.pairs):
            yield names


def differences(rule: Rule, names: dict[str, str]) -> Any | None:
    """What must not be satisfiable; None where it is plainly false."""
    start = Machine(
        {name: z3.BitVec(name, 32) for name in (*names.values(), "esp")},
        {flag: z3.Bool(flag) for flag in FLAGS},
        z3.Array("memory", BITS, z3.BitVecSort(8)),
    )
    before, after = start.copy(), start.copy()
    for machine, text in ((before, rule.before), (after, rule.after)):
        for template in templates(text):
            operands = tuple(_operand(part, machine, names, rule) for part in template.parts)
            machine.run(template.mnemonic, tuple(o for o in operands if o is not None))
    seen = z3.simplify(z3.Or(*_unequal(rule, names, before, after)))
    given = []
    if rule.between is not None:
        letter, least, greatest = rule.between
        number = z3.BitVec(letter, 32)
        given = [z3.UGE(number, least), z3.ULE(number, greatest)]
    return None if z3.is_false(seen) else z3.And(*given, seen)


def _unequal(rule: Rule, names: dict[str, str], before: Machine, after: Machine) -> Iterator[Any]:
    dead = {names.get(word, word) for word in rule.dead.split()}
    for name in before.registers:
        if name not in dead:
            yield before.registers[name] != after.registers[name]
    for flag in FLAGS:
        if flag not in dead and "flags" not in dead:
            wrong = z3.Or(after.undefined[flag], before.flags[flag] != after.flags[flag])
            yield z3.And(z3.Not(before.undefined[flag]), wrong)
    seen = [_seen(machine, rule) for machine in (before, after)]
    kinds = [[(kind, value.size()) for kind, _, value in accesses] for accesses in seen]
    yield z3.BoolVal(kinds[0] != kinds[1] or (before.taken is None) != (after.taken is None))
    if kinds[0] == kinds[1]:
        for (_, where, value), (_, other, made) in zip(*seen, strict=True):
            yield z3.Or(where != other, value != made)
    if before.taken is not None and after.taken is not None:
        yield before.taken != after.taken


def _seen(machine: Machine, rule: Rule) -> list[tuple[str, Any, Any]]:
    """The accesses, but for loads from slots of the function's own."""
    return [a for a in machine.accesses if not (a[0] == "load" and a[1].decl().name() in rule.own.split())]


def _operand(part: Part, machine: Machine, names: dict[str, str], rule: Rule) -> semantics.Operand | None:
    if isinstance(part, Target):
        return None
    if isinstance(part, Register):
        return semantics.Register(names.get(part.letter, part.letter), part.size)
    if isinstance(part, Number):
        return semantics.Number(_total(part))
    if isinstance(part, Memory):
        return semantics.Memory(_address(part, machine, names, rule), part.size)
    registers = [machine.registers[names.get(letter, letter)] for letter in part.registers]
    return semantics.Memory(sum(registers, _total(part.distance)), part.size)


def _total(number: Number) -> Any:
    return word(0) + number.value({letter: z3.BitVec(letter, 32) for letter in "kl"})


def _address(part: Memory, machine: Machine, names: dict[str, str], rule: Rule) -> Any:
    """Any function of the registers that may be in it."""
    without = {names[register] for register, memory in rule.pairs if memory == part.letter}
    inside = [name for name in dict.fromkeys(names.values()) if name not in without]
    values = {name: machine.registers[name] for name in inside}
    if part.swap is not None and names[part.swap[0]] in values:
        values[names[part.swap[0]]] = machine.registers[names[part.swap[1]]]
    function = z3.Function(part.letter, *[BITS] * (len(inside) + 1))
    return function(*[values[name] for name in inside])
