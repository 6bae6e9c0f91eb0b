"""What kprofile sends on the second serial line: one frame for each type that was written out."""

from __future__ import annotations

import struct

from .errors import MachineError

_HEADER = struct.Struct("<II")  # type, size; the bytes follow


def frames(sent: bytes) -> dict[int, bytes]:
    """The frames by type; the last of a type counts.  Raises MachineError where the line breaks off."""
    found, at = {}, 0
    while at < len(sent):
        if at + _HEADER.size > len(sent):
            raise MachineError("the profile that the kernel sent breaks off")
        kind, size = _HEADER.unpack_from(sent, at)
        at += _HEADER.size + size
        if at > len(sent):
            raise MachineError("the profile that the kernel sent breaks off")
        found[kind] = sent[at - size : at]
    return found
