"""What a pass did, and why it did not (§3): a refusal is a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from rewriter.reasons import Reason


@dataclass(frozen=True, slots=True)
class Remark:
    """One decision: what a pass did (`passed`) or refused (`missed`) at a label, and why.

    `detail`: what is special about the case; `address`: of the original instruction that it is about; `executed`: how
    often the profile expects that place to run; `saved`: how many instructions fewer it expects to be executed over all
    these times, as far as the pass can tell by itself (what others make of it is theirs).  None: not known."""

    pass_name: str
    function: str
    label: str
    kind: Literal["passed", "missed"]
    reason: Reason
    detail: str = ""
    address: int | None = None
    executed: float | None = None
    saved: float | None = None


@dataclass(slots=True)
class Outcome:
    """`changed`: how many things were changed; `refused`: reason → count."""

    changed: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    def did(
        self,
        pass_name: str,
        function: str,
        label: str,
        reason: Reason,
        detail: str = "",
        *,
        address: int | None = None,
        executed: float | None = None,
        saved: float | None = None,
    ) -> None:
        self.changed += 1
        self.remarks.append(Remark(pass_name, function, label, "passed", reason, detail, address, executed, saved))

    def refuse(
        self,
        pass_name: str,
        function: str,
        label: str,
        reason: Reason,
        detail: str = "",
        *,
        address: int | None = None,
        executed: float | None = None,
    ) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        self.remarks.append(Remark(pass_name, function, label, "missed", reason, detail, address, executed))

    def add(self, other: Outcome) -> None:
        self.changed += other.changed
        self.refused = dict(Counter(self.refused) + Counter(other.refused))
        self.remarks += other.remarks


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """All outcomes as one."""
    result = Outcome()
    for outcome in outcomes:
        result.add(outcome)
    return result
