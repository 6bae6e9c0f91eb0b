"""`python -m tests.csmith COUNT [SEED]`: rewrite and run so many programs by csmith; exit 1 where one differs.

With `--save DIR` those that differ are written to DIR, for `hotpath bisect`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.csmith import programs
from tests.csmith.rewrite import report


def save(folder: Path, seed: int) -> None:
    """Write the program of a seed, its source beside it."""
    source = programs.generate(seed) or ""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{seed}.c").write_text(source, encoding="utf-8")
    (folder / f"{seed}.elf").write_bytes(programs.build(seed, source))


def main() -> int:
    parser = argparse.ArgumentParser(description="Programs by csmith, rewritten in every way.")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=None, help="processes")
    parser.add_argument("--save", type=Path, metavar="DIR", help="where programs go that differ")
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
                if found.wrong and chosen.save is not None:
                    save(chosen.save, found.seed)
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
