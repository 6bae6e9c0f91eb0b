"""Loading and writing take time in proportion to the image: `pytest tests/bench --benchmark-only`."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest

from rewriter.elf import emit, load
from tests.random_c import native
from tests.random_c.big import big

SIZES = (87_500, 175_000, 350_000)  # instructions
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
