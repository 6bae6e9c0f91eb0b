"""The sentences that a contract's `facts` may hold; whoever relies on one finds it here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

FLAT: Final = "at the gate, ss names the memory that the entry loads ds and es for"
UNSEEN: Final = "saved registers are read by whoever is given them"
POINTERS: Final = "indirect calls keep the C convention"
FORMS: Final = (
    "F returns with the caller's frame intact",
    "F keeps the C convention, with N arguments",
    POINTERS,
    FLAT,
    UNSEEN,
)
_INTACT: Final = re.compile(r"(\S+?)(?:\(\))? returns with the caller's frame intact")
_CONVENTION: Final = re.compile(r"(\S+?)(?:\(\))? keeps the C convention, with (\d{1,2}) arguments?")


def intact(facts: Iterable[str]) -> frozenset[str]:
    """Functions that return with their caller's frame intact, however the stack is switched in between."""
    return frozenset(found[1] for found in map(_INTACT.fullmatch, facts) if found)


def conventional(facts: Iterable[str]) -> dict[str, int]:
    """Functions that keep the C convention, each with how many arguments it has."""
    return {found[1]: int(found[2]) for found in map(_CONVENTION.fullmatch, facts) if found}


def unknown(facts: Iterable[str]) -> list[str]:
    """Those that are no sentence of these forms: nobody would ever look at them."""
    return [f for f in facts if f not in (POINTERS, FLAT, UNSEEN) and not intact([f]) and not conventional([f])]
