"""What a kernel is booted with: command lines, an archive of files, and a disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_TRAILER = "TRAILER!!!"


class Work(Protocol):
    """Command lines, run one after the other, the files of the archive by path, the image of a disk (empty: there is
    none), and how much memory the kernel is told of, in MiB.  Programs are under `bin/` of the archive."""

    @property
    def commands(self) -> Sequence[str]: ...
    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def disk(self) -> bytes: ...
    @property
    def memory(self) -> int: ...


@dataclass(frozen=True)
class Workload:
    """Work as plain data."""

    commands: Sequence[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    disk: bytes = b""
    memory: int = 64


def command_line(work: Work) -> str:
    """What the kernel is passed: a first word in place of the kernel's path, then commands between `;`."""
    return "kernel " + "; ".join(work.commands)


def modules(work: Work) -> list[bytes]:
    """What the boot loader puts into memory, in this order: the archive, and the disk if there is one."""
    return [archive(work.files), *([work.disk] if work.disk else [])]


def archive(files: Mapping[str, bytes]) -> bytes:
    """A cpio archive in the `newc` form, as Linux takes it for an initial RAM filesystem.

    Sorted by path, without times or owners, so that equal files give equal bytes."""
    return b"".join(_entries(files))


def _entries(files: Mapping[str, bytes]) -> Iterator[bytes]:
    for number, path in enumerate(sorted(files), start=1):
        yield _entry(path, files[path], number, mode=0o100755)
    yield _entry(_TRAILER, b"", 0, mode=0)


def _entry(path: str, content: bytes, inode: int, mode: int) -> bytes:
    """`newc`: magic, thirteen fields of eight hex digits, the path, the content, both padded to four bytes."""
    name = path.encode() + b"\0"
    links = 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields)
    return _padded(header + name) + _padded(content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
