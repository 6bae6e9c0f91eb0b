"""Every peephole rule is proved, for all registers, flags and memory; and what is wrong with a rule is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewriter.passes.peephole_rules import RULES, Rule
from tests.proofs.peephole import counterexample


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rule_is_proved(rule: Rule) -> None:
    assert {str(each): why for each in rule.rules() if (why := counterexample(each))} == {}


def weaker(rule: Rule) -> list[Rule]:
    """The rule without one of its conditions."""
    words, pairs = rule.dead.split(), rule.apart.split(",") if rule.apart else []
    found = [replace(rule, dead=" ".join(w for w in words if w != word)) for word in words]
    found += [replace(rule, apart=",".join(p for p in pairs if p != pair)) for pair in pairs]
    found += [replace(rule, own="")] if rule.own else []
    return found + ([replace(rule, between=None)] if rule.between else [])


@pytest.mark.parametrize("rule", [rule for rule in RULES if weaker(rule)], ids=str)
def test_no_condition_is_idle(rule: Rule) -> None:
    """Without any one of them, the rule would be wrong."""
    for less in weaker(rule):
        assert any(counterexample(each) for each in less.rules()), less


@pytest.mark.parametrize(
    "rule",
    [
        Rule("mov a, 0", "xor a, a"),
        Rule("mov a, 0", "xor a, a", "CF ZF SF OF AF"),
        Rule("add a, 1", "inc a"),
        Rule("add a, k", "sub a, k", "flags"),
        Rule("cmp a, 0", "test a, a"),
        Rule("mov a, k; cmp a, b; jl L", "cmp b, k; jge L", "a flags", "a b"),
        Rule("setb a8; movzx a, a8; test a, a; jne L", "jae L", "a flags"),
        Rule("setb a8; test a, a; jne L", "jb L", "a flags"),
        Rule("mov a, b; sub a, k", "lea a, [b + k]", "flags"),
        Rule("mov a, b; shl a, 2", "lea a, [b + b]", "flags"),
        Rule("mov a, b; sub a, c", "lea a, [b + c]", "flags", "a c"),
        Rule("shl a, k; test a, a", "shl a, k", "CF OF"),
        Rule("lea esp, [esp + k]; lea esp, [esp + l]", "lea esp, [esp + k - l]"),
        Rule("mov a, [m]; mov c, a", "mov c, [n]", "a"),
        Rule("mov a, [m]; mov [n], a", "mov a, [m]"),
        Rule("mov a, [m]; mov b, [n]", "mov b, [n]; mov a, [m]", apart="a n, b m, a b"),
        Rule("mov a, [m]; mov b, [m]", "mov a, [m]; mov b, a", apart="a m"),
        Rule("movzx a, byte [m]; mov c, a", "movsx c, byte [m]", "a"),
        Rule("mov [m], a; mov b, [n]", "mov [m], a; mov b, a", own="n"),
        Rule("mov [m], a; mov a, b; mov c, [m]", "mov [m], a; mov a, b; mov c, a", own="m", apart="a m"),
        Rule("movzx a, byte [m]; test a, a", "cmp byte [m], 0", "a"),
        Rule("mov a, [m]; inc a; mov [m], a", "inc [m]", apart="a m"),
    ],
    ids=str,
)
def test_a_wrong_rule_is_found(rule: Rule) -> None:
    assert counterexample(rule) is not None


def test_every_rule_saves_instructions_or_bytes() -> None:
    """So the pass ends.  Those that save no instruction are taken where they save bytes."""
    assert [rule for rule in RULES if rule.fewer < 0] == []
    assert sum(rule.fewer == 0 for rule in RULES) == 3
