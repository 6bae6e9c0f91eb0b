"""Is an image of the disk filesystem consistent?  Everything that must hold between its parts, after recovery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from toykernel.disk import BLOCK, BLOCK_BITMAP, INODE_BITMAP, KIND, REGULAR, ROOT, Disk, DiskError, Inode, replayed


def check(image: bytes) -> list[str]:
    """What is wrong with the image once its journal is replayed; empty if nothing is.

    Orphans (files that were removed while open) may be there: a mount frees them."""
    try:
        disk = Disk(replayed(image))
        return list(_Check(disk).all())
    except DiskError as error:
        return [str(error)]


def orphans(image: bytes) -> list[int]:
    """The inodes without a name that wait for the next mount to free them.  Raises DiskError."""
    disk = Disk(replayed(image))
    inodes = ((number, disk.inode(number)) for number in range(1, disk.geometry.inodes + 1))
    return [number for number, inode in inodes if inode.mode and not inode.links]


class _Check:
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._orphans = orphans(disk.image)
        self._names = Counter({ROOT: 1})  # entries that name an inode, of those that have a path
        self._directories = Counter[int]()  # directories inside one
        self._users: dict[int, int] = {}  # block → inode

    def all(self) -> Iterator[str]:
        yield from self._directory(ROOT, ROOT)
        for path, number in self._disk.walk():
            self._names[number] += 1
            if path.endswith("/"):
                above = dict(self._disk.entries(self._disk.inode(number))).get(b"..", 0)
                self._directories[above] += 1
        for path, number in self._disk.walk():
            if path.endswith("/"):
                if self._names[number] > 1:
                    yield f"directory {path} has several names"
                yield from self._directory(number, None)
        for number in sorted({*self._names, *self._orphans}):
            yield from self._inode(number, self._disk.inode(number))
        yield from self._bitmaps()

    def _directory(self, number: int, parent: int | None) -> Iterator[str]:
        inode = self._disk.inode(number)
        names = [name for name, _ in self._disk.entries(inode)]
        entries = dict(self._disk.entries(inode))
        if len(entries) != len(names):
            yield f"directory {number} has a name twice"
        if len(names) != inode.names:
            yield f"directory {number} counts {inode.names} names, there are {len(names)}"
        if entries.get(b".") != number or (parent is not None and entries.get(b"..") != parent):
            yield f"directory {number} does not know itself"
        if inode.size % BLOCK or not inode.size or not inode.is_directory:
            yield f"directory {number} has {inode.size} bytes and mode {inode.mode:o}"
        for name, child, kind in self._disk.kinds(inode):
            if self._disk.inode(child).mode & KIND != kind:
                yield f"directory {number} takes inode {child} for something else"
            if not name or b"/" in name:
                yield f"directory {number} has a name {name!r}"
            if name not in (b".", b"..") and self._disk.inode(child).is_directory:
                above = dict(self._disk.entries(self._disk.inode(child))).get(b"..")
                if above != number:
                    yield f"directory {child} is in {number} and thinks that it is in {above}"

    def _inode(self, number: int, inode: Inode) -> Iterator[str]:
        if not inode.is_directory and inode.mode & KIND != REGULAR:
            yield f"inode {number} has mode {inode.mode:o}"
        links = 2 + self._directories[number] if inode.is_directory and self._names[number] else self._names[number]
        if inode.links != links:
            yield f"inode {number} counts {inode.links} links, there are {links}"
        if not inode.links and number not in self._orphans:
            yield f"inode {number} has no links and is no orphan"
        yield from self._blocks(number, inode)

    def _blocks(self, number: int, inode: Inode) -> Iterator[str]:
        last = -1
        for index, block in self._disk.mapped(inode):
            if block in self._users:
                yield f"block {block} is used by inodes {self._users[block]} and {number}"
            self._users[block] = number
            self._disk.block(block)
            if index is None:
                continue
            last = max(last, index)
            tail = inode.size - index * BLOCK
            if 0 < tail < BLOCK and any(self._disk.block(block)[tail:]):
                yield f"inode {number} has bytes behind its end"
        if last * BLOCK >= inode.size:
            yield f"inode {number} has blocks behind its end"

    def _bitmaps(self) -> Iterator[str]:
        disk, geometry = self._disk, self._disk.geometry
        for number in range(1, geometry.inodes + 1):
            known = number in self._names or number in self._orphans
            if disk.used(INODE_BITMAP, number - 1) != known:
                yield f"inode {number} is {'used' if known else 'not used'} and marked otherwise"
        for block in range(geometry.blocks):
            known = block < geometry.data or block in self._users
            if disk.used(BLOCK_BITMAP, block) != known:
                yield f"block {block} is {'used' if known else 'not used'} and marked otherwise"
