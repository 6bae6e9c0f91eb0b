"""Digests of all that user mode can see in memory, and of the files on a disk."""

from __future__ import annotations

from hashlib import blake2b

from toykernel.disk import DiskError, files

from .memory import PAGE, Memory


def file_digests(disk: bytes) -> dict[str, str]:
    """Path → hex digest of its content, as the next mount will find it; a directory ends in a slash, the root is `/`.
    A disk that holds no filesystem counts as one file without a name."""
    try:
        found = {"/": b"", **files(disk)} if disk else {}
    except DiskError:
        found = {"": disk}
    return {path: blake2b(content, digest_size=16).hexdigest() for path, content in found.items()}


class UserMemory:
    """Digests user pages by linear address and content; where their frames lie is the kernel's business.

    A page that did not change since it was last looked at is compared (ten times faster), not hashed."""

    def __init__(self, memory: Memory) -> None:
        self._raw = memory.raw
        self._memory = memory
        self._known: dict[int, tuple[bytes, bytes]] = {}  # frame → content, digest

    def digest(self, space: int | None) -> str:
        """Hex digest of every page that user mode may write in the address space of CR3."""
        whole = blake2b(digest_size=16)
        for linear, frame in self._memory.user_pages(space):
            content = self._raw[frame : frame + PAGE]
            known = self._known.get(frame)
            if known is None or known[0] != content:
                known = content, blake2b(content, digest_size=16).digest()
                self._known[frame] = known
            whole.update(linear.to_bytes(4, "little") + known[1])
        return whole.hexdigest()
