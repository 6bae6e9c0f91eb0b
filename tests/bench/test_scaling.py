"""Each step takes time in proportion to the image, and all of them not much: `pytest tests/bench --benchmark-only`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rewriter.elf import emit, load
from tests.bench.whole import NEW_CALLS
from tests.random_c import native
from tests.random_c.big import big

ROOT = Path(__file__).parent.parent.parent
SIZES = (87_500, 175_000, 350_000)  # instructions
SECONDS, MEMORY = 60, 2048  # MiB
SHORT = 2.0  # seconds of a step that say little about how it grows
pytestmark = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))


def rewrite(image: bytes) -> float:
    """Seconds of processor time for load, emit and emit moved."""
    start = time.process_time()
    program = load(image)
    emit(program)
    emit(program, move=True)
    return time.process_time() - start


def test_time_grows_linearly(benchmark: Any) -> None:
    """Each doubling may cost three times at most: twice for the size, the rest for caches and noise."""
    seconds = {size: min(rewrite(big(size)) for _ in range(2)) for size in SIZES[:2]}
    image = big(SIZES[2])
    seconds[SIZES[2]] = benchmark.pedantic(rewrite, args=(image,), rounds=1)
    ratios = [seconds[large] / seconds[small] for small, large in pairwise(SIZES)]
    benchmark.extra_info.update({"instructions": SIZES[2], "ratios": [round(ratio, 2) for ratio in ratios]})
    assert max(ratios) < 3, f"{seconds} grows faster than its input"


# A process of its own, so that the memory is what this needs and nothing else.
WHOLE = """
import json, sys
from tests.bench.whole import whole
from tests.random_c.big import big
done = whole(big(int(sys.argv[1])))
print(json.dumps({"seconds": done.seconds, "memory": done.memory, "functions": done.functions}))
"""


def measured(size: int) -> dict[str, Any]:
    command = [sys.executable, "-c", WHOLE, str(size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_the_whole_way_is_linear_and_short(benchmark: Any) -> None:
    """Load, count, specialize, lay out, write; each step may cost three times at most for a doubling."""
    found = {size: measured(size) for size in SIZES[:2]}
    found[SIZES[2]] = benchmark.pedantic(measured, args=(SIZES[2],), rounds=1)
    most = found[SIZES[2]]
    benchmark.extra_info.update(most)
    assert sum(most["seconds"].values()) < SECONDS, most
    assert max(most["memory"].values()) < MEMORY, most
    assert most["functions"] > 5000 + NEW_CALLS
    for small, large in pairwise(SIZES):
        for step, seconds in found[large]["seconds"].items():
            assert seconds < max(3 * found[small]["seconds"][step], SHORT), f"{step}: {found}"
