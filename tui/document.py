"""The JSON objects of `hotpath run --json` and of the phase verbs; two runs differ in `seconds` alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rewriter.options import Options
from rewriter.report import Branch, Listing, PhaseResult, Table

# What stands at the top of the object, and the phase whose summary has it.
TOP = (
    ("hot_functions", "count"),
    ("hot_traces", "traces"),
    ("static", "layout"),
    ("syscalls", "measure"),
    ("behavior", "measure"),
)


def run_document(options: Options, results: Sequence[PhaseResult]) -> dict[str, object]:
    """`hotpath.run/1`: every phase in short; what a phase found out at the top, if it was run."""
    summaries = {result.name: result.summary for result in results}
    return {
        "schema": "hotpath.run/1",
        **_choices(options),
        "phases": [_short(result) for result in results],
        **{key: summaries[phase][key] for key, phase in TOP if key in summaries.get(phase, {})},
    }


def phase_document(options: Options, result: PhaseResult) -> dict[str, object]:
    """`hotpath.phase/1`: one phase in full."""
    return {
        "schema": "hotpath.phase/1",
        **_choices(options),
        **_account(result),
        "section": result.section,
        "sentence": result.sentence,
        "summary": dict(result.summary),
        "tables": [_table(table) for table in result.tables],
        "listings": [_listing(listing) for listing in result.listings],
        "trees": [{"title": tree.title, "root": _branch(tree.root)} for tree in result.trees],
    }


def text(document: dict[str, object]) -> str:
    """One object over several lines; ASCII, so that it survives any terminal."""
    return json.dumps(document, indent=2)


def _choices(options: Options) -> dict[str, object]:
    return {"program": options.program, "theta": options.theta, "table_size": options.table_size}


def _short(result: PhaseResult) -> dict[str, object]:
    raised = {key for key, phase in TOP if phase == result.name}
    summary = {key: value for key, value in result.summary.items() if key not in raised}
    return {**_account(result), "summary": summary}


def _account(result: PhaseResult) -> dict[str, object]:
    return {
        "name": result.name,
        "seconds": result.seconds,
        "handled": result.handled,
        "refused": dict(result.refused),
    }


def _table(table: Table) -> dict[str, object]:
    return {"title": table.title, "columns": table.columns, "rows": table.rows}


def _branch(branch: Branch) -> dict[str, object]:
    inner = [_branch(each) for each in branch.inner]
    return {"name": branch.name, "count": branch.count, "entered by": branch.mark, "hot": branch.hot, "calls": inner}


def _listing(listing: Listing) -> dict[str, object]:
    return {"title": listing.title, "before": listing.before, "after": listing.after, "notes": listing.notes}
