"""All tests from user programs together execute nearly every block of the kernel, by our own counters."""

from __future__ import annotations

from tests.toykernel.coverage import boots, measure


def test_nine_blocks_of_ten_are_executed() -> None:
    coverage = measure(boots())
    assert coverage.share >= 0.9, "\n".join(coverage.lines())
