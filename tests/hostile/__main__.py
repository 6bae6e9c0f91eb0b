"""`python -m tests.hostile [COUNT] [SEED]`: so many broken files, from this seed on; `--kind` for one kind alone.

Prints totals by kind, and for every wrong answer the line that repeats it; exit status 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress

from tests.hostile.cases import KINDS
from tests.hostile.pool import Totals, answers
from tests.hostile.trial import LONGEST, Answer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--kind", choices=tuple(KINDS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="every answer")
    chosen = parser.parse_args()
    totals = Totals()
    with suppress(KeyboardInterrupt):  # what was found until then is shown
        for answer in answers(range(chosen.seed, chosen.seed + chosen.count), chosen.kind, chosen.jobs):
            totals.add(answer)
            if answer.fault is not None or chosen.verbose:
                _show(answer)
            if sys.stderr.isatty():
                print(f"\r{totals.count} of {chosen.count}", end="", file=sys.stderr, flush=True)
    print(f"seeds {chosen.seed} to {chosen.seed + totals.count - 1}\n{totals.table()}")
    return 1 if totals.faults else 0


def _show(answer: Answer) -> None:
    print(f"{answer.case.kind} {answer.case.seed}: {answer.case.what}\n    {' '.join(answer.case.command)}")
    print(f"    {answer.fault or answer.line or 'accepted'}"[:LONGEST], flush=True)


if __name__ == "__main__":
    sys.exit(main())
