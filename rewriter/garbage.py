"""How often Python looks for objects that only each other holds.

A program, its analyses and its states are millions of objects that live long, and hardly any of them are in circles:
with Python's own numbers a tenth to a sixth of the whole time goes into looking through them again and again.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 100_000  # more of them than were freed, before the young ones are looked through
ROUNDS = 20  # of the young ones before the older ones, of these before all


def look_seldom() -> None:
    """For this process, from now on."""
    gc.set_threshold(NEW_OBJECTS, ROUNDS, ROUNDS)
