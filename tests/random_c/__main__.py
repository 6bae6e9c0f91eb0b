"""`python -m tests.random_c SEEDS [FIRST]`: rewrite and run that many random programs; exit 1 where one differs."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor

from tests.random_c import native
from tests.random_c.rewrite import Difference, differences


def found(seed: int) -> list[Difference]:
    return list(differences(seed))


def main(count: int, first: int = 0) -> int:
    if reason := native.missing():
        print(reason, file=sys.stderr)
        return 3
    failures = 0
    with ProcessPoolExecutor() as processes:
        for seed, wrong in enumerate(processes.map(found, range(first, first + count), chunksize=4), first):
            for difference in wrong:
                failures += 1
                print(f"seed {seed} ({difference.compiler}) {difference.image}: {difference.what}", flush=True)
    print(f"{count} seeds, {failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
