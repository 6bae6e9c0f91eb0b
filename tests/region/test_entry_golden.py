"""What an entry is made of, before and after: `entry.s`."""

from __future__ import annotations

from pathlib import Path
from random import Random

from rewriter.show import listing
from tests.listings import before, check_after

from .gate import GATE, SLOTS
from .test_entry import built, compared, made
from .test_handlers import states

FILE = Path(__file__).parent / "entry.s"


def test_golden() -> None:
    found = built(GATE + before(FILE), ["sys_call", *[0] * (SLOTS - 1), *range(3, 19)], states(Random(3), 8, hot=True))
    after = made(found)
    assert after.entered is not None
    text = "\n".join(listing(function) for function in (after.entered.function, after.program.function("gate"))) + "\n"
    check_after(FILE, text)
    compared(found, after, Random(4))
