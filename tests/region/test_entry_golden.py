"""What an entry is made of, before and after: `entry.s`.  `HOTPATH_GOLDEN=write` writes the second part anew."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from rewriter.show import listing

from .gate import GATE, SLOTS
from .test_entry import built, compared, made
from .test_handlers import states

FILE = Path(__file__).parent / "entry.s"


def test_golden() -> None:
    head, _, expected = FILE.read_text().partition("\nafter:\n")
    found = built(GATE + head, ["sys_call", *[0] * (SLOTS - 1), *range(3, 19)], states(Random(3), 8, hot=True))
    after = made(found)
    assert after.entered is not None
    text = "\n".join(listing(function) for function in (after.entered.function, after.program.function("gate"))) + "\n"
    if os.environ.get("HOTPATH_GOLDEN") == "write":
        FILE.write_text(f"{head}\nafter:\n{text}")
    else:
        assert text == expected
    compared(found, after, Random(4))
