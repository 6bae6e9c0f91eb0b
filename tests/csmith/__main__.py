"""`python -m tests.csmith COUNT [SEED]`: rewrite and run so many programs by csmith; exit 1 where one differs."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.csmith import programs
from tests.csmith.rewrite import report


def main() -> int:
    parser = argparse.ArgumentParser(description="Programs by csmith, rewritten in every way.")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=None, help="processes")
    chosen = parser.parse_args()
    if reason := programs.missing():
        print(reason, file=sys.stderr)
        return 3
    done = skipped = images = functions = pinned = failed = 0
    with ProcessPoolExecutor(chosen.jobs) as pool:
        try:
            for found in pool.map(report, range(chosen.seed, chosen.seed + chosen.count)):
                done += 1
                skipped += bool(found.skipped)
                images, functions, pinned = images + found.images, functions + found.functions, pinned + found.pinned
                failed += bool(found.wrong)
                for what in (*found.wrong, *([found.skipped] if found.skipped else [])):
                    print(f"seed {found.seed}: {what}", flush=True)
                if done % 25 == 0:
                    print(f"{done} of {chosen.count} seeds", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            print("interrupted")
    print(
        f"{done} seeds, {skipped} skipped, {images} images, {failed} seeds with differences; "
        f"{pinned} of {functions} functions pinned"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
