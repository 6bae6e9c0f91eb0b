"""What an argument is expected to be where a call is inlined (§4.2); which are tested is decided in `inside`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rewriter.analysis.value import WORD
from rewriter.passes.paths import Path
from rewriter.reasons import Why


class Expected(NamedTuple):
    """`if (argument == value)` in front of a call that is inlined; `share`: of the calls of which that is true."""

    argument: int
    value: int
    share: float

    def __str__(self) -> str:
        return f"argument {self.argument} is {self.value:#x}"

    def compared(self) -> str:
        """The comparison in front of the call."""
        return f"cmp dword ptr [esp + {WORD * self.argument:#x}], {self.value:#x}"


# Of the functions around a call, and the path that begins with it: what is tested there, or what would have been, and
# why it is not.
Tests = Callable[[tuple[str, ...], Path], Expected | tuple[Expected, Why] | None]
