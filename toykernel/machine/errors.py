"""What ends a run before its time."""

from __future__ import annotations


class MachineError(RuntimeError):
    """The image does not boot, or the kernel died, hung or reported a failure; one line says which and where."""


class Cancelled(Exception):
    """Whoever asked for the run said that it is not wanted any more."""
