"""Which new system calls a value profile asks for, and with which constants."""

from __future__ import annotations

from rewriter.analysis.sites import CallSite
from rewriter.profile import Arguments, Site
from rewriter.variants import choose

SEEK = Site("p", 0x100, 19)
ARITY = {19: 3, 3: 3}
Groups = dict[Arguments, int]


def site(constants: dict[int, int], refused: str = "") -> dict[str, list[CallSite]]:
    return {"p": [CallSite("main", ("main", 5), 0x100, 19, constants, ("main", 4), refused)]}


def group(*arguments: int) -> Arguments:
    return (*arguments, *[0] * (6 - len(arguments)))


def test_proved_arguments_are_implied_and_common_ones_guarded() -> None:
    groups: Groups = {group(3, 0, 0): 95, group(4, 0, 0): 5}
    (variant,) = choose({SEEK: groups}, site({1: 0, 2: 0}), ARITY, [201]).variants
    assert (variant.call, variant.number, variant.calls) == (19, 201, 100)
    assert (variant.implied, variant.guarded) == (((1, 0), (2, 0)), ((0, 3),))
    assert variant.constants == {0: 3, 1: 0, 2: 0}


def test_arguments_that_the_handler_does_not_read_are_left_out() -> None:
    (variant,) = choose({SEEK: {group(3, 0, 0, 0, 0, 7): 10}}, site({1: 0, 5: 7}), {19: 2}, [201]).variants
    assert variant.implied == ((1, 0),)


def test_a_value_that_varies_is_not_guarded() -> None:
    groups: Groups = {group(3, 0, 0): 50, group(4, 0, 0): 50}
    (variant,) = choose({SEEK: groups}, site({}), ARITY, [201]).variants
    assert variant.guarded == ((1, 0), (2, 0))


def test_as_published_one_argument_is_taken_a_proved_one_first() -> None:
    found = choose({SEEK: {group(3, 0, 0): 90}}, site({1: 0}), ARITY, [201], single_argument=True)
    assert (found.variants[0].implied, found.variants[0].guarded) == (((1, 0),), ())


def test_rare_calls_and_refused_sites_get_no_number() -> None:
    read = Site("p", 0x200, 3)
    profile = {SEEK: {group(3, 0, 0): 1}, read: {group(3, 1, 2): 99}}
    found = choose(profile, site({}, "its number comes from 2 places"), ARITY, [201])
    assert found.variants == []
    assert found.refused == {"the call is not frequent": 1, "the program is not known": 1}


def test_without_a_free_number_nothing_is_chosen() -> None:
    found = choose({SEEK: {group(3): 10}}, site({}), ARITY, [])
    assert (found.variants, found.refused) == ([], {"no free system-call number": 1})


def test_a_proof_that_a_run_contradicts_is_not_believed() -> None:
    found = choose({SEEK: {group(3, 5, 0): 1}}, site({1: 0}), ARITY, [201])
    assert found.variants == []


def test_what_is_hardly_called_at_all_is_not_frequent() -> None:
    found = choose({SEEK: {group(3, 0, 0): 4}}, site({1: 0}), ARITY, [201])
    assert (found.variants, found.refused) == ([], {"its arguments are rare": 1})
