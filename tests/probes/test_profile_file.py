"""Profiles survive the disk, add up, refuse other kernels and hostile files, and find what is hot."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewriter.ir import Block, Function, Insn, Program
from rewriter.profile import Profile, ProfileError, Site, Trace, function_weights, hot, identity

KERNEL = identity(b"kernel")
PROFILE = Profile(
    KERNEL,
    {Site("readseek", 0x8048010, 19): {(3, 0, 0, 1, 2, 3): 25, (4, 0, 0, 1, 2, 3): 1}},
    {"sys_lseek": 26, "sys_lseek.1": 0},
    {("sys_lseek", "sys_lseek.1"): 0},
    (Trace("fget", ("sys_lseek", "system_call.4"), 26),),
    {"sys_lseek": {(3,): 25, (4,): 1}},
    {("sys_lseek.1", 2): {(".rodata", 0x140): 25, (".rodata", 0): 1}},
)


def test_reads_what_it_wrote():
    assert Profile.from_json(PROFILE.to_json()) == PROFILE
    assert Profile.from_json(PROFILE.to_json().encode()) == PROFILE


def test_a_profile_without_values_of_calls_is_read():
    table = json.loads(PROFILE.to_json())
    del table["values"]
    assert Profile.from_json(json.dumps(table)) == replace(PROFILE, values={})


def test_profiles_add():
    double = PROFILE + PROFILE
    assert double.blocks["sys_lseek"] == 52
    assert double.traces == (Trace("fget", ("sys_lseek", "system_call.4"), 52),)
    assert double.arguments[Site("readseek", 0x8048010, 19)][3, 0, 0, 1, 2, 3] == 50
    assert double.values == {"sys_lseek": {(3,): 50, (4,): 2}}
    assert double.pointers["sys_lseek.1", 2] == {(".rodata", 0): 2, (".rodata", 0x140): 50}
    assert Profile(KERNEL) + PROFILE == PROFILE == PROFILE + Profile(KERNEL)


counts = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 1 << 40))


@given(counts, counts, counts)
def test_adding_has_no_order(a, b, c):
    first, second, third = (Profile(KERNEL, blocks=x) for x in (a, b, c))
    assert (first + second) + third == third + (second + first)


def test_profiles_of_other_kernels_are_refused():
    with pytest.raises(ProfileError, match="different kernels"):
        PROFILE + Profile(identity(b"other"))
    with pytest.raises(ProfileError, match="not of"):
        PROFILE.check_kernel(b"other")
    PROFILE.check_kernel(b"kernel")


def broken(**changes):
    table = json.loads(PROFILE.to_json())
    table.update(changes)
    return json.dumps(table)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 100_000,
        "9" * 10_000,
        b"\xff\xfe\xfd",
        b"\x80",
        broken(schema="hotpath.profile/2"),
        broken(kernel="short"),
        broken(kernel="G" * 64),
        broken(kernel=7),
        broken(blocks={}),
        broken(blocks=[["a", 1], ["a", 2]]),
        broken(blocks=[["a", -1]]),
        broken(blocks=[["a", True]]),
        broken(blocks=[["a", 1.0]]),
        broken(blocks=[["a", 1 << 64]]),
        broken(blocks=[["a"]]),
        broken(blocks=["ab"]),
        broken(blocks=[["", 1]]),
        broken(edges=[["a", ["b"], 1]]),
        broken(edges=[["a", "b", None]]),
        broken(arguments=[["p", 1, 3, [1 << 32], 1]]),
        broken(arguments=[["p", -1, 3, [0], 1]]),
        broken(arguments=[["p", 1, 3, "abc", 1]]),
        broken(traces=[["f", "site", 1]]),
        broken(traces=[["f", [["site"]], 1]]),
        broken(values=[["f", [1 << 32], 1]]),
        broken(values=[["f", [1], 1], ["f", [1], 2]]),
        broken(values=[["f", [1]]]),
        broken(values={"f": []}),
        broken(pointers=[["a", 1, ".rodata", 4, 1], ["a", 1, ".rodata", 4, 2]]),
        broken(pointers=[["a", -1, ".rodata", 4, 1]]),
        broken(pointers=[["a", 1, "", 4, 1]]),
        broken(pointers=[["a", 1, ".rodata", 1 << 32, 1]]),
        broken(pointers=[["a", 1, ".rodata", 4]]),
        broken(surprise=1),
        '{"schema": "hotpath.profile/1", "kernel": NaN}',
    ],
)
def test_hostile_files_are_refused_in_one_line(text):
    with pytest.raises(ProfileError) as caught:
        Profile.from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 160


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.sampled_from(["kernel", "arguments", "blocks", "edges", "traces", "values", "pointers"]), json_values)
def test_any_value_anywhere_is_read_or_refused(key, value):
    try:
        profile = Profile.from_json(broken(**{key: value}))
    except ProfileError:
        return
    assert Profile.from_json(profile.to_json()) == profile


def test_weight_is_instructions_times_executions():
    nop = Insn(b"\x90")
    small = Function("small", [Block("small", [nop])])
    large = Function("large", [Block("large", [nop, nop, nop], "large.1"), Block("large.1", [nop])])
    program = Program([small, large], [], "small")
    assert function_weights(program, {"small": 10, "large": 4, "large.1": 2}) == {"small": 10, "large": 14}


def test_hot_is_the_smallest_set_that_reaches_theta():
    weights = {"a": 50, "b": 30, "c": 10, "d": 10, "never": 0}
    assert hot(weights, 0.5) == ("a",)
    assert hot(weights, 0.51) == ("a", "b")
    assert hot(weights, 0.9) == ("a", "b", "c")
    assert hot(weights, 1.0) == ("a", "b", "c", "d")
    assert hot(weights, 0.9, total=200) == ("a", "b", "c", "d")
    assert hot({"a": 0}, 1.0) == ()
    with pytest.raises(ValueError, match="theta"):
        hot(weights, 0)
