"""Counted blocks and few counted edges give the counts of all edges."""

import random
from collections import Counter

import pytest

from rewriter.probes.conservation import Conservation


def random_graph(rng, size):
    """Blocks with up to three ways on; block 0 is the entry, the last one returns."""
    labels = [f"b{i}" for i in range(size)]
    edges = {}
    for i, label in enumerate(labels[:-1]):
        ways = {labels[i + 1], *(rng.choice(labels) for _ in range(rng.randrange(3)))}
        for target in sorted(ways):
            edges[label, target] = None
    return labels, list(edges)


def walk(rng, labels, edges, steps):
    """Executions of blocks and edges on a run that starts at the entry again whenever it returned."""
    ways = {label: [edge for edge in edges if edge[0] == label] for label in labels}
    blocks, taken = Counter(), Counter()
    here = labels[0]
    for _ in range(steps):
        blocks[here] += 1
        if here == labels[-1]:
            here = labels[0]
            continue
        edge = rng.choice(ways[here])
        taken[edge] += 1
        here = edge[1]
    while here != labels[-1]:  # run to the end, so that nothing is under way
        blocks[here] += 1
        edge = rng.choice(ways[here])
        taken[edge] += 1
        here = edge[1]
    blocks[here] += 1
    return blocks, taken


@pytest.mark.parametrize("seed", range(60))
def test_all_edges_follow_from_the_counted_ones(seed):
    rng = random.Random(seed)
    labels, edges = random_graph(rng, rng.randrange(2, 25))
    blocks, taken = walk(rng, labels, edges, 500)
    flow = Conservation(labels, entered={labels[0]}, left={labels[-1]})
    chosen = flow.to_count(edges)
    solved = flow.solve(blocks, {edge: taken[edge] for edge in chosen}, edges)
    assert solved == {edge: taken[edge] for edge in edges}
    assert len(chosen) < len(edges)


@pytest.mark.parametrize("seed", range(60))
def test_no_counter_is_spent_in_vain(seed):
    """Every counted edge is one that all other knowledge leaves open: another flow has the same counts."""
    rng = random.Random(seed)
    labels, edges = random_graph(rng, rng.randrange(2, 12))
    flow = Conservation(labels, entered={labels[0]}, left={labels[-1]})
    chosen = flow.to_count(edges)
    blocks, taken = walk(rng, labels, edges, 200)
    for left_out in chosen:
        measured = {edge: taken[edge] for edge in chosen if edge != left_out}
        assert len(flow.solve(blocks, measured, edges)) < len(edges)


def test_a_diamond_needs_no_counter_and_two_ways_to_one_place_need_one():
    diamond = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    assert Conservation("abcd", "a", "d").to_count(diamond) == []
    skip = [("a", "b"), ("a", "c"), ("b", "c")]
    assert Conservation("abc", "a", "c").to_count(skip) == []
    crossed = [("a", "b"), ("a", "c"), ("z", "b"), ("z", "c")]
    assert Conservation("abcz", "az", "bc").to_count(crossed) == [("z", "c")]


def test_a_call_that_never_returns_breaks_nothing():
    """a calls and returns twice of three times."""
    edges = [("a", "b"), ("b", "c"), ("b", "d")]
    flow = Conservation("abcd", entered="a", left="acd")
    assert flow.to_count(edges) == []
    solved = flow.solve({"a": 3, "b": 2, "c": 1, "d": 1}, {}, edges)
    assert solved == {("a", "b"): 2, ("b", "c"): 1, ("b", "d"): 1}


def test_uncounted_blocks_have_no_equation():
    edges = [("a", "pinned"), ("a", "b"), ("pinned", "b")]
    flow = Conservation("ab", entered="a", left="b")
    solved = flow.solve({"a": 5, "b": 4}, {("pinned", "b"): 3}, edges) if flow.to_count(edges) else {}
    assert flow.to_count(edges) == [("pinned", "b")]
    assert solved == {("a", "pinned"): 4, ("a", "b"): 1, ("pinned", "b"): 3}


def test_a_read_out_midway_gives_no_negative_count():
    edges = [("a", "b"), ("a", "c")]
    flow = Conservation("abc", entered="a", left="bc")
    assert flow.solve({"a": 0, "b": 1, "c": 0}, {}, edges) == {("a", "b"): 1, ("a", "c"): 0}
