"""`python -m tests.foreign [--passes] [NAME]…`: every program at every level of optimization, rewritten in every way;
lists what differs and what was refused, with reasons.  `--passes`: and with all passes in place, minutes for each.
Exit 1 where something differs or more than 2 % were refused."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor

from tests.foreign import build
from tests.foreign.rewrites import Difference, differences

MAY_REFUSE = 0.02


def found(case: tuple[str, str, bool]) -> list[Difference]:
    name, level, passes = case
    return list(differences(name, level, passes=passes))


def main(names: list[str]) -> int:
    if reason := build.missing() or build.missing("g++"):
        print(reason, file=sys.stderr)
        return 3
    passes = "--passes" in names
    names = [name for name in names if name != "--passes"]
    cases = [(name, level, passes) for name in names or build.NAMES for level in build.LEVELS]
    failed = refused = 0
    with ProcessPoolExecutor() as processes:
        for (name, level, _), wrong in zip(cases, processes.map(found, cases), strict=True):
            print(f"{name} {level}: {'different' if wrong else 'the same'}", flush=True)
            for difference in wrong:
                refused += difference.refused
                failed += not difference.refused
                verb = "refused: " if difference.refused else ""
                print(f"  {difference.rewrite}: {verb}{difference.what}", flush=True)
    print(f"{len(cases)} programs, {failed} differences, {refused} refused")
    return 1 if failed or refused > MAY_REFUSE * len(cases) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
