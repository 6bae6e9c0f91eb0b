"""Files that show a piece of assembly, and behind `after:` what is made of it.

With `HOTPATH_GOLDEN=write`, pytest writes the second parts anew: read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

_AFTER = "\nafter:\n"


def before(file: Path) -> str:
    """The assembly that something is made of."""
    return file.read_text().partition(_AFTER)[0]


def check_after(file: Path, made: str) -> None:
    """What was made is what the file shows."""
    head, _, expected = file.read_text().partition(_AFTER)
    if os.environ.get("HOTPATH_GOLDEN") == "write":
        file.write_text(head + _AFTER + made)
    else:
        assert made == expected
