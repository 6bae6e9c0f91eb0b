"""Every hot call that stays, every argument that is not folded, every exit of a region has one decision, with a reason.

What there is to decide is found again from the code, the profile and the trees; the phase's remarks must say as much.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from rewriter.ir import Block
from rewriter.reasons import Reason
from rewriter.region.tree import exits
from rewriter.x86.flow import CALLS, Flow, flow
from tests.phases.decided import Decided, last_insns
from tests.phases.runs import made

VOCABULARY = {str(reason) for reason in Reason}


@pytest.fixture(scope="module", params=["default", "training set", "shuffled"])
def found(request: pytest.FixtureRequest) -> Decided:
    return made(request.param)


def test_every_reason_is_of_the_vocabulary(found: Decided) -> None:
    rows = [*found.rows(), *found.result.summary["arguments"]]
    assert {row["reason"] for row in rows} <= VOCABULARY
    assert set(found.result.refused) <= VOCABULARY
    assert found.rows()


def test_every_call_that_runs_is_inlined_or_has_a_reason(found: Decided) -> None:
    homes = {insn.origin: label for label, insn in last_insns(found)}
    counts = found.inlined.profile.blocks
    for call in found.calls:
        body, guarded = call.steps[0].after, guard_targets(call)
        stays = Counter(row["label"] for row in inline_rows(found, call.plan.name, "missed"))
        ends = {block.label: block.insns[-1] for block in body.blocks if block.insns}
        calling = {label: insn for label, insn in ends.items() if flow(insn.raw) in CALLS and insn.made is None}
        for label, insn in calling.items():
            if label in guarded:  # what other tests say of its targets is below
                continue
            else:
                assert stays[label] == (counts.get(homes[insn.origin], 0) > 0), label
        told = Counter((row["address"], row["detail"]) for row in inline_rows(found, call.plan.name, "missed"))
        for insn in (insn for insn in ends.values() if insn.made is not None and insn.made.why is Reason.TAIL):
            for target in {ref.target for ref in insn.refs if flow(insn.raw) is Flow.CALL}:
                ran = found.inlined.profile.edges.get((homes[insn.origin], target), 0) > 0
                assert (told[insn.origin, target] > 0) == ran, target
        others = [row for row in inline_rows(found, call.plan.name, "missed") if row["label"] not in calling]
        assert {homes[row["address"]] for row in others} <= tail_calls(found)
    assert any(inline_rows(found, call.plan.name, "missed") for call in found.calls)


def tail_calls(found: Decided) -> set[str]:
    """Blocks of the original kernel from where control went on at the top of another function."""
    program = found.loaded.kernel
    tops = {f.blocks[0].label: f.name for f in program.functions}
    owners = {b.label: f.name for f in program.functions for b in f.blocks}
    edges = found.inlined.profile.edges
    return {a for (a, b), n in edges.items() if n and b in tops and owners.get(a) != tops[b]}


def guard_targets(call: Any) -> set[str]:
    """Blocks with nothing but the indirect call that a guard was put before."""
    body = call.steps[0].after
    led = {ref.target for block in body.blocks if block.insns for ref in block.insns[-1].refs}
    return {b.label for b in body.blocks if len(b.insns) == 1 and b.label in led and flow(b.insns[0].raw) in CALLS}


def test_every_target_of_a_call_has_a_guard_or_a_reason(found: Decided) -> None:
    sites = {insn.origin: label for label, insn in last_insns(found)}
    seen: dict[str, Counter[str]] = {}
    for trace in found.inlined.profile.traces:
        if trace.sites and trace.count:
            seen.setdefault(trace.sites[0], Counter())[trace.function] += trace.count
    several = 0
    for call in found.calls:
        tested: dict[int | None, list[str]] = {}
        for insn in call.steps[0].after.insns():
            if insn.made is not None and insn.made.why is Reason.GUARD and flow(insn.raw) is Flow.NEXT:
                tested.setdefault(insn.origin, []).append(insn.refs[-1].target)
        mine = {b.label for b in found.loaded.kernel.function(call.plan.handler).blocks}
        for address, targets in tested.items():
            assert len(set(targets)) == len(targets) or sites[address] not in mine
            several += len(targets) > 1
            if sites[address] in mine:  # all traces that come here belong to this handler
                rows = [r for r in inline_rows(found, call.plan.name, "missed") if r["address"] == address]
                told = {name.strip(",") for r in rows for name in r["detail"].partition(":")[0].split()}
                assert {*targets, *told} == set(seen[sites[address]])
                counts = [seen[sites[address]][name] for name in targets]
                assert counts == sorted(counts, reverse=True)
                left = sum(n for name, n in seen[sites[address]].items() if name not in targets)
                ran = found.inlined.profile.blocks[sites[address]] * call.plan.share
                expected = ran * left / seen[sites[address]].total()
                assert sum(r["executed"] for r in rows) == pytest.approx(expected, rel=0.01)
    assert several or len(found.calls) < 4  # the training set reads files and pipes


def inline_rows(found: Decided, name: str, kind: str) -> list[dict[str, Any]]:
    return [r for r in found.rows() if (r["pass"], r["function"], r["kind"]) == ("inline", name, kind)]


def test_every_body_that_was_copied_was_inlined_by_a_decision(found: Decided) -> None:
    program = found.loaded.kernel
    tops = {f.blocks[0].insns[0].origin: f.name for f in program.functions if f.blocks[0].insns}
    for call in found.calls:
        copied = Counter(tops[i.origin] for i in call.steps[0].after.insns() if i.origin in tops)
        chains = [row["detail"].split(" > ") for row in inline_rows(found, call.plan.name, "passed")]
        inlined = Counter(chain[-1] for chain in chains)
        first = {chain[0] for chain in chains} or {call.plan.handler}
        assert first == {call.plan.handler}
        for name, times in inlined.items():
            assert copied[name] >= times
        assert all(name in inlined or name == call.plan.handler or followed(found, name) for name in copied)


def followed(found: Decided, name: str) -> bool:
    """Whether it is entered by a tail call: then it is part of what was copied."""
    tops = {f.name: f.blocks[0].label for f in found.loaded.kernel.functions}
    return any(b == tops[name] for _, b in found.inlined.profile.edges)


def test_every_argument_that_hardly_varies_is_folded_or_has_a_reason(found: Decided) -> None:
    rows: Any = found.result.summary["arguments"]
    decisions = Counter((r["program"], r["site"], r["call"], r["argument"], r["value"]) for r in rows)
    expected = set()
    observed = found.observed
    for site, groups in observed.arguments.items():
        for index in range(observed.arity.get(site.number, 0)):
            values = Counter[int]()
            for values_of, count in groups.items():
                values[values_of[index]] += count
            (value, most), *_ = values.most_common()
            if most >= 0.9 * values.total():
                expected.add((site.program, site.address, observed.names[site.number], index, value))
    assert set(decisions) == expected
    assert set(decisions.values()) == {1}
    made = {site: call for call in found.calls for site in call.plan.variant.sites}
    for row in rows:
        call = made.get((row["program"], row["site"]))
        known = {**call.made.implied, **call.made.guarded} if call is not None else {}
        assert row["folded"] == (known.get(row["argument"]) == row["value"]), row
        assert row["folded"] == (row["reason"] in (Reason.IMPLIED, Reason.TESTED))
        assert row["into"] == (call.plan.name if call is not None else "")


def test_every_exit_of_a_region_has_a_decision_with_its_count(found: Decided) -> None:
    origins = {b.label: [insn.origin for insn in b.insns] for f in found.loaded.kernel.functions for b in f.blocks}
    chosen = {("region", r["function"]) for r in found.rows() if (r["pass"], r["kind"]) == ("region", "passed")}
    chosen |= {("entry", call.plan.name) for call in found.calls if call.entered is not None}
    seen = 0
    for pass_name, function in chosen:
        key = f"system_call${function}" if pass_name == "entry" else function
        tree = next(root for (name, work), root in found.trees.items() if name == pass_name and work.endswith(key))
        rows = [r for r in found.rows() if (r["pass"], r["function"], r["kind"]) == (pass_name, function, "missed")]
        told = Counter((r["label"], r["reason"], r["executed"]) for r in rows if r["label"] != function)
        real = Counter((place(exit), str(exit.why.reason), exit.weight) for exit in exits(tree))
        assert told == real
        assert sum(exit.weight for exit in exits(tree)) <= tree.weight * 1.001
        for row in rows:
            label, _, site = row["label"].partition(".at")
            if origins.get(label):
                assert row["address"] == origins[label][int(site or 0)]
        seen += len(rows)
    assert seen > 20


def place(exit: Any) -> str:
    label, site = exit.home or (exit.label, exit.site)
    return f"{label}.at{site}" if site else label


def test_nothing_leaves_a_region_where_no_exit_is_told(found: Decided) -> None:
    """All that new code names of the original program's code is a place that an exit leads to, or is called."""
    for call in found.calls:
        if not call.made.entries or call.made.plain is None:
            continue
        mine = {block.label for block in call.made.function.blocks}
        rows = [r for r in found.rows() if (r["function"], r["kind"]) == (call.plan.name, "missed")]
        told = {r["label"] for r in rows if r["pass"] == "region"} | {call.plan.handler, f"{call.plan.name}$call"}
        for block in call.made.function.blocks:
            assert {*jumps(block), block.falls_to or call.plan.handler} - mine <= told


def jumps(block: Block) -> set[str]:
    """Labels to which the end of a block may jump."""
    last = block.insns[-1:]
    return {ref.target for insn in last if flow(insn.raw) in (Flow.JUMP, Flow.BRANCH) for ref in insn.refs}
