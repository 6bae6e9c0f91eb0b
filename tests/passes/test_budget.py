"""New calls are chosen by the instructions that they save for each byte, within a budget."""

from __future__ import annotations

from rewriter.elf.units import extent
from rewriter.ir import Block, Function
from rewriter.passes.budget import Offer, choose, served
from rewriter.variants import Constants, Variant
from rewriter.x86.encode import assemble, branch


def variant(number: int, calls: int, implied: Constants = (), guarded: Constants = (), call: int = 3) -> Variant:
    return Variant(call, number, implied, guarded, calls, (("program", number),))


def numbers(chosen: list[Offer]) -> dict[int, int]:
    return {offer.variant.number: offer.form for offer in chosen}


OFTEN, SELDOM = variant(201, 100), variant(202, 10, call=4)


def test_most_for_a_byte_comes_first() -> None:
    offers = [Offer(OFTEN, 1000, 50.0), Offer(SELDOM, 900, 50.0)]
    assert numbers(choose(offers, 1000)) == {201: 0}
    assert numbers(choose(offers, 1899)) == {201: 0}
    assert numbers(choose(offers, 1900)) == {201: 0, 202: 0}
    assert choose(offers, 899) == []


def test_a_larger_form_replaces_the_smaller_where_there_is_room() -> None:
    offers = [Offer(OFTEN, 500, 50.0, 0), Offer(OFTEN, 1000, 60.0, 1), Offer(SELDOM, 300, 50.0)]
    assert numbers(choose(offers, 999)) == {201: 0, 202: 0}
    assert numbers(choose(offers, 1300)) == {201: 1, 202: 0}


def test_what_leaves_no_room_for_more_is_given_up() -> None:
    """The best for its size takes the room of another that saves more in all."""
    small, large = Offer(SELDOM, 300, 50.0), Offer(OFTEN, 1000, 16.0)
    assert small.saved * 10 / small.size > large.saved * 100 / large.size
    assert numbers(choose([small, large], 1200)) == {201: 0}
    assert numbers(choose([small, large], 1300)) == {201: 0, 202: 0}


def test_what_saves_nothing_is_not_chosen() -> None:
    assert choose([Offer(OFTEN, 10, 0.0), Offer(SELDOM, 10, -3.0)], 1000) == []


def test_a_call_may_use_the_number_of_another() -> None:
    general, special = variant(201, 10), variant(202, 30, guarded=((0, 1),))
    offers = [Offer(general, 500, 50.0), Offer(special, 500, 51.0)]
    chosen = choose(offers, 600)
    assert numbers(chosen) == {201: 0}, "it serves both"
    assert served(chosen, [general, special]) == {201: 201, 202: 201}
    assert served(choose(offers, 1000), [general, special]) == {201: 201, 202: 202}


def test_an_implied_argument_must_be_proved_of_whoever_uses_the_number() -> None:
    zero, other = variant(201, 30, implied=((2, 0),)), variant(202, 10, guarded=((2, 0),))
    chosen = choose([Offer(zero, 100, 50.0)], 1000)
    assert served(chosen, [zero, other, variant(203, 5)]) == {201: 201}
    tested = [Offer(other, 100, 40.0)]
    assert served(tested, [zero, other, variant(203, 5)]) == {201: 202, 202: 202}


def test_the_extent_of_a_function_counts_branches_as_they_will_be() -> None:
    near = Function("f", [Block("f", [branch("e", "f.1")], "f.1"), Block("f.1", assemble(["ret"]))])
    far = Function("f", [Block("f", [branch("e", "g")], "h")])
    assert extent(near) == 2 + 1
    assert extent(far) == 6 + 5
