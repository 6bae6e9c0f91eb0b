"""The value profile is one exact count of argument tuples; singles and groups are read off it."""

from dataclasses import dataclass

from rewriter.probes.values import Group, groups, marginal, profile_calls, single
from rewriter.profile import Site


@dataclass(frozen=True)
class Seen:
    program: str
    site: int
    number: int
    arguments: tuple[int, ...]


READ, LSEEK = 0x8048010, 0x8048020
CALLS = [
    *(Seen("readseek", READ, 3, (3, 0x9000, 4096, 7, 0, 0)) for _ in range(9)),
    Seen("readseek", READ, 3, (3, 0x9000, 100, 7, 0, 0)),
    *(Seen("readseek", LSEEK, 19, (fd, 0, 0, 7, 0, 0)) for fd in (3, 3, 4)),
]
PROFILE = profile_calls(CALLS)  # type: ignore[arg-type]
READS = PROFILE[Site("readseek", READ, 3)]
SEEKS = PROFILE[Site("readseek", LSEEK, 19)]


def test_every_call_is_counted_once_under_its_site():
    assert sum(sum(counts.values()) for counts in PROFILE.values()) == len(CALLS)
    assert set(PROFILE) == {Site("readseek", READ, 3), Site("readseek", LSEEK, 19)}


def test_order_of_the_calls_does_not_show():
    backwards = profile_calls(reversed(CALLS))  # type: ignore[arg-type]
    assert repr(backwards) == repr(PROFILE)


def test_single_and_marginal_are_commonest_first():
    assert list(single(READS, 2).items()) == [(4096, 9), (100, 1)]
    assert list(marginal(SEEKS, (0, 2)).items()) == [((3, 0), 2), ((4, 0), 1)]


def test_groups_hold_the_share_and_only_what_says_more():
    assert groups(READS, 0.95, used=(0, 1, 2)) == (Group(((0, 3), (1, 0x9000)), 10),)
    assert groups(READS, 0.9, used=(0, 1, 2)) == (
        Group(((0, 3), (1, 0x9000), (2, 4096)), 9),
        Group(((0, 3), (1, 0x9000)), 10),
    )
    assert groups(SEEKS, 1.0, used=(0, 1, 2)) == (Group(((1, 0), (2, 0)), 3),)


def test_registers_that_are_no_arguments_are_left_out():
    assert all(index < 3 for group in groups(SEEKS, 0.1, used=range(3)) for index, _ in group.constants)
    assert any(index == 3 for group in groups(SEEKS, 0.1) for index, _ in group.constants)


def test_nothing_called_has_no_groups():
    assert groups({}, 0.5) == ()
