"""Images of the disk filesystem, without the kernel: make one, read its files, replay its journal.  `fsck` checks them.

A disk is an array of blocks of 1 KiB, all numbers little-endian words (kernel/include/ext.h has the same as C):

    0      superblock: magic, blocks, inodes, blocks of the journal
    1      bitmap of inodes
    2      bitmap of blocks, of 8192 at most
    3 …    inodes of 64 bytes: mode and links, size, names in a directory, 11 blocks, indirect, double indirect
    …      journal: a block that says with which transaction it begins, then the log
    …      data, from here on; directories are arrays of entries of 64 bytes: inode, kind, name

Inodes count from 1, the root.  The log holds transactions, one behind the other from its beginning: a descriptor with
the numbers of the blocks, their copies, and a commit record with a checksum of both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

BLOCK = 1024
MAGIC = int.from_bytes(b"EXT\3", "little")
JOURNAL_MAGIC = int.from_bytes(b"JRNL", "little")
DESCRIPTOR, COMMIT = 1, 2
MOST_TAGS = 252  # of a descriptor
ROOT = 1
DIRECTORY, REGULAR, KIND = 0o040000, 0o100000, 0o170000
DIRECT, POINTERS = 11, BLOCK // 4
MOST_BLOCKS = DIRECT + POINTERS + POINTERS**2  # of a file
NAME_MAX = 59
_INODE, _ENTRY = struct.Struct("<HHII13I"), struct.Struct("<HH60s")
PER_BLOCK = BLOCK // _INODE.size  # inodes, and directory entries
INODE_BITMAP, BLOCK_BITMAP, INODE_TABLE = 1, 2, 3
MOST = BLOCK * 8  # bits of a bitmap


class DiskError(ValueError):
    """An image that is no filesystem, or files that do not fit; one line."""


@dataclass(frozen=True)
class Geometry:
    """Where things are: all of it follows from three numbers of the superblock."""

    blocks: int
    inodes: int
    journal_blocks: int

    @property
    def journal(self) -> int:
        return INODE_TABLE + self.inodes // PER_BLOCK

    @property
    def data(self) -> int:
        return self.journal + self.journal_blocks


@dataclass
class Inode:
    mode: int
    links: int
    size: int
    names: int  # in a directory, how many
    pointers: list[int]  # direct blocks, the indirect one, the double indirect one

    def pack(self) -> bytes:
        return _INODE.pack(self.mode, self.links, self.size, self.names, *self.pointers)

    @property
    def is_directory(self) -> bool:
        return self.mode & KIND == DIRECTORY


def place(inode: int) -> int:
    """Where it is in the image."""
    return INODE_TABLE * BLOCK + (inode - 1) * _INODE.size


class Disk:
    """A filesystem to look at.  Raises DiskError where the superblock makes no sense."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        magic, blocks, inodes, journal_blocks = struct.unpack_from("<4I", image.ljust(16, b"\0"))
        self.geometry = Geometry(blocks, inodes, journal_blocks)
        if magic != MAGIC:
            raise DiskError("no filesystem: wrong magic number")
        if blocks * BLOCK > len(image) or blocks > MOST or inodes % PER_BLOCK or not 0 < inodes <= MOST:
            raise DiskError("the superblock makes no sense")
        if journal_blocks < 1 or self.geometry.data >= blocks:
            raise DiskError("the disk has no room for data")

    def block(self, number: int) -> bytes:
        """Raises DiskError for a number that no file may use."""
        if not self.geometry.data <= number < self.geometry.blocks:
            raise DiskError(f"block {number} is not one for data")
        return self.image[number * BLOCK : (number + 1) * BLOCK]

    def inode(self, number: int) -> Inode:
        if not 1 <= number <= self.geometry.inodes:
            raise DiskError(f"there is no inode {number}")
        mode, links, size, names, *pointers = _INODE.unpack_from(self.image, place(number))
        return Inode(mode, links, size, names, pointers)

    def used(self, bitmap: int, number: int) -> bool:
        """A bit of the bitmap in this block."""
        return bool(self.image[bitmap * BLOCK + number // 8] >> number % 8 & 1)

    def mapped(self, inode: Inode) -> Iterator[tuple[int | None, int]]:
        """(index in the file, block) of all blocks of a file; those that only point have no index."""
        yield from ((index, block) for index, block in enumerate(inode.pointers[:DIRECT]) if block)
        yield from self._tree(inode.pointers[DIRECT], 1, DIRECT)
        yield from self._tree(inode.pointers[DIRECT + 1], 2, DIRECT + POINTERS)

    def _tree(self, block: int, depth: int, first: int) -> Iterator[tuple[int | None, int]]:
        if not block:
            return
        yield (first, block) if depth == 0 else (None, block)
        if depth:
            for place, child in enumerate(struct.unpack(f"<{POINTERS}I", self.block(block))):
                yield from self._tree(child, depth - 1, first + place * POINTERS ** (depth - 1))

    def content(self, inode: Inode) -> bytes:
        found = {index: block for index, block in self.mapped(inode) if index is not None}
        count = -(-inode.size // BLOCK)
        if count > MOST_BLOCKS:
            raise DiskError(f"a file of {inode.size} bytes")
        parts = (self.block(found[index]) if index in found else bytes(BLOCK) for index in range(count))
        return b"".join(parts)[: inode.size]

    def entries(self, inode: Inode) -> Iterator[tuple[bytes, int]]:
        """(name, inode) of each entry of a directory."""
        for name, number, _ in self.kinds(inode):
            yield name, number

    def kinds(self, inode: Inode) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode, kind) of each entry of a directory."""
        content = self.content(inode)
        for at in range(0, len(content) // _ENTRY.size * _ENTRY.size, _ENTRY.size):
            number, kind, name = _ENTRY.unpack_from(content, at)
            if number:
                yield name.partition(b"\0")[0], number, kind

    def walk(self, number: int = ROOT, path: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, int]]:
        """(path, inode) of all files, and of directories with a slash behind.  Raises DiskError for a cycle."""
        if number in above:
            raise DiskError(f"{path} contains itself")
        for name, child in sorted(self.entries(self.inode(number))):
            if name in (b".", b".."):
                continue
            here = path + name.decode("latin-1")
            if self.inode(child).is_directory:
                yield here + "/", child
                yield from self.walk(child, here + "/", (*above, number))
            else:
                yield here, child


def checksum(words: bytes) -> int:
    """The sum of all words, each carry added at the other end (kernel/checksum.S)."""
    total: int = sum(struct.unpack(f"<{len(words) // 4}I", words))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def transactions(image: bytes) -> Iterator[dict[int, bytes]]:
    """The blocks of each transaction in the log that was committed and is not at home yet, in their order."""
    geometry = Disk(image).geometry
    end = geometry.journal + geometry.journal_blocks
    magic, _, sequence = struct.unpack_from("<3I", image, geometry.journal * BLOCK)
    at = geometry.journal + 1
    while magic == JOURNAL_MAGIC and at < end:
        *head, count = struct.unpack_from("<4I", image, at * BLOCK)
        commit = at + 1 + count
        if head != [JOURNAL_MAGIC, DESCRIPTOR, sequence] or count > MOST_TAGS or commit >= end:
            return
        tags = struct.unpack_from(f"<{count}I", image, at * BLOCK + 16)
        logged = image[at * BLOCK : commit * BLOCK]
        record = struct.unpack_from("<4I", image, commit * BLOCK)
        if record != (JOURNAL_MAGIC, COMMIT, sequence, checksum(logged)):
            return
        yield {tag: logged[n * BLOCK : (n + 1) * BLOCK] for n, tag in enumerate(tags, 1)}
        at, sequence = commit + 1, (sequence + 1) & 0xFFFFFFFF


def replayed(image: bytes) -> bytes:
    """The image as a mount finds it after recovery."""
    result = bytearray(image)
    for transaction in transactions(image):
        for number, content in transaction.items():
            result[number * BLOCK : (number + 1) * BLOCK] = content
    return bytes(result)


def files(image: bytes) -> dict[str, bytes]:
    """The files after recovery by path; a directory has a slash behind and no content.  Raises DiskError."""
    disk = Disk(replayed(image))
    return {path: b"" if path.endswith("/") else disk.content(disk.inode(number)) for path, number in disk.walk()}


@cache
def empty() -> bytes:
    """A disk of 2 MiB without files."""
    return make({})


def make(files: Mapping[str, bytes], blocks: int = 2048, inodes: int = 256, journal_blocks: int = 256) -> bytes:
    """An image with these files, and directories where a path ends in a slash; equal files give equal images.

    Raises DiskError if they do not fit."""
    return _Maker(Geometry(blocks, inodes, journal_blocks)).make(files)


class _Maker:
    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._image = bytearray(geometry.blocks * BLOCK)
        self._next_block, self._next_inode = geometry.data, ROOT

    def make(self, files: Mapping[str, bytes]) -> bytes:
        geometry = self._geometry
        tree: dict[str, dict[str, object] | bytes] = {}
        for path in sorted(files):
            _plant(tree, path, files[path])
        self._directory(tree, self._new_inode(), ROOT)
        numbers = (MAGIC, geometry.blocks, geometry.inodes, geometry.journal_blocks)
        struct.pack_into("<4I", self._image, 0, *numbers)
        struct.pack_into("<3I", self._image, geometry.journal * BLOCK, JOURNAL_MAGIC, 0, 1)
        self._fill(INODE_BITMAP, self._next_inode - 1)
        self._fill(BLOCK_BITMAP, self._next_block)
        return bytes(self._image)

    def _fill(self, bitmap: int, count: int) -> None:
        """Set the first bits of a bitmap."""
        bits = ((1 << count) - 1).to_bytes(-(-count // 8), "little")
        self._image[bitmap * BLOCK : bitmap * BLOCK + len(bits)] = bits

    def _new_inode(self) -> int:
        if self._next_inode > self._geometry.inodes:
            raise DiskError(f"more than {self._geometry.inodes} files")
        self._next_inode += 1
        return self._next_inode - 1

    def _store(self, content: bytes) -> int:
        """Put a block's content on the disk; its number."""
        if self._next_block >= self._geometry.blocks:
            raise DiskError(f"the files do not fit {self._geometry.blocks} blocks")
        number, self._next_block = self._next_block, self._next_block + 1
        self._image[number * BLOCK : number * BLOCK + len(content)] = content
        return number

    def _tree(self, blocks: list[int], depth: int) -> int:
        """A block that leads to these blocks, 0 if there are none."""
        if not depth or not blocks:
            return blocks[0] if blocks else 0
        span = POINTERS ** (depth - 1)
        children = [self._tree(blocks[at : at + span], depth - 1) for at in range(0, len(blocks), span)]
        return self._store(struct.pack(f"<{len(children)}I", *children))

    def _write(self, number: int, mode: int, links: int, content: bytes, names: int = 0) -> None:
        blocks = [self._store(content[at : at + BLOCK]) for at in range(0, len(content), BLOCK)]
        if len(blocks) > MOST_BLOCKS:
            raise DiskError(f"a file of {len(content)} bytes")
        pointers = blocks[:DIRECT] + [0] * (DIRECT - len(blocks))
        pointers.append(self._tree(blocks[DIRECT : DIRECT + POINTERS], 1))
        pointers.append(self._tree(blocks[DIRECT + POINTERS :], 2))
        inode = Inode(mode, links, len(content), names, pointers)
        self._image[place(number) : place(number) + _INODE.size] = inode.pack()

    def _directory(self, tree: Mapping[str, object], number: int, parent: int) -> None:
        entries, directories = [(".", number, DIRECTORY), ("..", parent, DIRECTORY)], 0
        for name, child in tree.items():
            inode = self._new_inode()
            entries.append((name, inode, DIRECTORY if isinstance(child, dict) else REGULAR))
            if isinstance(child, dict):
                directories += 1
                self._directory(child, inode, number)
            elif isinstance(child, bytes):
                self._write(inode, REGULAR | 0o755, 1, child)
        content = b"".join(_ENTRY.pack(inode, kind, name.encode("latin-1")) for name, inode, kind in entries)
        content += bytes(-len(content) % BLOCK)
        self._write(number, DIRECTORY | 0o755, 2 + directories, content, len(entries))


def _plant(tree: dict[str, dict[str, object] | bytes], path: str, content: bytes) -> None:
    """Add a file or directory to the tree of names.  Raises DiskError for a path that cannot be."""
    here: dict[str, object] = tree  # type: ignore[assignment]
    *folders, name = path.rstrip("/").split("/")
    if any(not 0 < len(part) <= NAME_MAX or part in (".", "..") for part in (*folders, name)):
        raise DiskError(f"no path for this disk: {path!r}")
    for folder in folders:
        below = here.setdefault(folder, {})
        if not isinstance(below, dict):
            raise DiskError(f"{path!r} goes through a file")
        here = below
    if path.endswith("/"):
        here.setdefault(name, {})
    else:
        here[name] = bytes(content)
