"""`python -m tests.passes [COUNT] [FIRST]`: so many random programs, from this seed on, each specialized in every way,
beside the originals; exit 1 where a new call does something else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from random import Random

from _pytest.outcomes import Skipped

from rewriter.ir import Program
from rewriter.passes.specialize import Specialized
from rewriter.passes.transform import NAMES
from tests.passes.operations import Operating
from tests.passes.test_chains import Choosing
from tests.passes.test_inside import guess
from tests.passes.test_lockstep import check, specialized
from tests.region.test_lockstep import JOINED, with_region

WAYS: dict[str, Callable[[int], tuple[Program, Specialized]]] = {
    "in place": specialized,
    "as published": lambda seed: specialized(seed, published=True),
    "without one pass": lambda seed: specialized(seed, without=frozenset({NAMES[seed % len(NAMES)]})),
    "region": with_region,
    "region with joins": lambda seed: with_region(seed, JOINED),
    "inside": lambda seed: specialized(seed, prepare=guess),
    "inside a region": lambda seed: with_region(seed, prepare=guess),
    "targets": lambda seed: specialized(seed, writer=Choosing),
    "targets in a region": lambda seed: with_region(seed, writer=Choosing),
    "tables": lambda seed: specialized(seed, writer=Operating),
    "tables in a region": lambda seed: with_region(seed, writer=Operating),
    "tables in a region with joins": lambda seed: with_region(seed, JOINED, writer=Operating),
}


def tried(seed: int) -> tuple[int, list[str]]:
    """How many ways there were, and what was different."""
    done, found = 0, []
    for way, made in WAYS.items():
        try:
            check(*made(seed), Random(seed))
            done += 1
        except Skipped:
            continue
        except Exception as error:
            done += 1
            found.append(f"seed {seed}, {way}: {type(error).__name__}: {str(error).splitlines()[0]}")
    return done, found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.passes", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("--jobs", type=int, default=None, help="processes")
    chosen = parser.parse_args()
    calls = failures = 0
    seeds = range(chosen.first, chosen.first + chosen.count)
    with ProcessPoolExecutor(chosen.jobs) as processes:
        for done, wrong in processes.map(tried, seeds):
            calls += done
            failures += len(wrong)
            for what in wrong:
                print(what, flush=True)
    print(f"{chosen.count} programs, {calls} new calls, {failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
