"""Where a walk through the nine phases stands: what is done, what runs, what is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from rewriter.report import PHASES, STAGES, PhaseResult, Stage

DONE, RUNNING, FAILED, WAITING = "done", "running", "failed", "waiting"


@dataclass(slots=True)
class Walk:
    """Everything that the walkthrough shows follows from this."""

    subject: str  # what is specialized, for how; one line
    at: int = 0  # the phase looked at, an index of PHASES
    detail: bool = False
    results: dict[str, PhaseResult] = field(default_factory=dict)
    doing: str = ""  # what the running phase said last
    error: str = ""  # one line: why the phase that ran did not end

    @property
    def stage(self) -> Stage:
        return STAGES[self.at]

    @property
    def result(self) -> PhaseResult | None:
        return self.results.get(self.stage.name)

    @property
    def finished(self) -> bool:
        return len(self.results) == len(PHASES)

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.results.values())

    def state(self, name: str) -> str:
        """DONE, RUNNING, FAILED or WAITING."""
        if name in self.results:
            return DONE
        if name != PHASES[len(self.results)]:
            return WAITING
        return FAILED if self.error else RUNNING

    def step(self, by: int) -> None:
        """Look at another phase; the ends are ends."""
        self.at = min(max(self.at + by, 0), len(PHASES) - 1)

    def begin(self) -> None:
        """Forget what was found: everything runs again."""
        self.results, self.doing, self.error = {}, "", ""
