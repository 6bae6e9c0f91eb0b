"""Profiles that are counted wrongly in one way."""

from __future__ import annotations

from typing import Any


def noise_is_believed() -> None:
    from rewriter.probes import traces

    traces.plausible = lambda trace, calls: True


def evicted_traces_are_forgotten() -> None:
    from rewriter.probes import table

    honest = table.BoundedTable.note

    def forgetful(self: Any, *arguments: Any) -> Any:
        result = honest(self, *arguments)
        self.evicted = 0
        return result

    table.BoundedTable.note = forgetful  # type: ignore[method-assign]


def calls_share_a_table() -> None:
    from rewriter.probes import arguments

    honest = arguments._probe_call
    arguments._probe_call = lambda index, owner, site, pushed: honest(  # type: ignore[assignment]
        index, owner, site, (f"{{{arguments.VALUES}}}", pushed[1])
    )
