"""Images of the disk filesystem as Python makes, reads, replays and checks them."""

from __future__ import annotations

import random
import struct

import pytest

from toykernel.disk import (
    BLOCK,
    COMMIT,
    DESCRIPTOR,
    JOURNAL_MAGIC,
    Disk,
    DiskError,
    checksum,
    empty,
    files,
    make,
    place,
    replayed,
    transactions,
)
from toykernel.fsck import check, orphans

SIZES = (0, 1, 1023, 1024, 1025, 11 * BLOCK, 11 * BLOCK + 1, 267 * BLOCK, 267 * BLOCK + 1, 600 * BLOCK)


def tree() -> dict[str, bytes]:
    chance = random.Random(7)
    return {
        **{f"file.{size}": chance.randbytes(size) for size in SIZES},
        "a/": b"",
        "a/b/": b"",
        "a/b/c": b"deep",
        "empty/": b"",
        "x" * 59: b"longest name",
    }


def logged(image: bytes, *blocks: dict[int, bytes], sequence: int = 1) -> bytes:
    """The image with these transactions in its log."""
    result, at = bytearray(image), (Disk(image).geometry.journal + 1) * BLOCK
    for number, transaction in enumerate(blocks, sequence):
        head = (JOURNAL_MAGIC, DESCRIPTOR, number, len(transaction))
        descriptor = struct.pack(f"<{4 + len(transaction)}I", *head, *transaction)
        whole = descriptor.ljust(BLOCK, b"\0") + b"".join(transaction.values())
        whole += struct.pack("<4I", JOURNAL_MAGIC, COMMIT, number, checksum(whole)).ljust(BLOCK, b"\0")
        result[at : at + len(whole)] = whole
        at += len(whole)
    return bytes(result)


def test_files_come_back() -> None:
    assert files(make(tree())) == tree()
    assert check(make(tree())) == []
    assert make(tree()) == make(dict(reversed(tree().items())))
    assert files(empty()) == {}
    assert check(empty()) == []


def test_large_disks() -> None:
    content = random.Random(1).randbytes(7 << 20)
    image = make({"big": content}, blocks=8192, inodes=16, journal_blocks=300)
    assert files(image) == {"big": content}
    assert check(image) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": b"", "a/b": b""},
        {"x" * 60: b""},
        {"a//b": b""},
        {"../a": b""},
        {"": b""},
        {"a": bytes(3 << 20)},
        {f"{n}": b"" for n in range(256)},
    ],
    ids=str,
)
def test_what_cannot_be_made(wrong: dict[str, bytes]) -> None:
    with pytest.raises(DiskError):
        make(wrong)


def test_the_log_is_replayed() -> None:
    image = make({"a": b"old" * 1000, "b": b"other"})
    disk = Disk(image)
    first, second, third = disk.inode(2).pointers[:3]
    magic = JOURNAL_MAGIC.to_bytes(4, "little").ljust(BLOCK, b"!")
    full = logged(image, {first: b"1" * BLOCK, second: b"2" * BLOCK}, {second: magic, third: b"3" * BLOCK})
    assert [sorted(t) for t in transactions(full)] == [[first, second], [second, third]]
    assert files(full)["a"] == (b"1" * BLOCK + magic + b"3" * BLOCK)[:3000]
    assert check(full) == ["inode 2 has bytes behind its end"]
    assert list(transactions(replayed(image))) == []
    assert list(transactions(logged(image, {first: bytes(BLOCK)}, sequence=2))) == []


@pytest.mark.parametrize("part", ["descriptor", "copy", "commit"])
def test_a_record_that_is_not_whole_is_ignored(part: str) -> None:
    image = make({"a": b"old" * 1000})
    block = Disk(image).inode(2).pointers[0]
    full = bytearray(logged(image, {block: b"1" * BLOCK}, {block: b"2" * BLOCK}))
    at = (Disk(image).geometry.journal + 4) * BLOCK
    places = {"descriptor": at + 16, "copy": at + 2 * BLOCK - 1, "commit": at + 2 * BLOCK + 12}
    full[places[part]] ^= 0x40
    assert len(list(transactions(bytes(full)))) == 1
    assert files(bytes(full))["a"][:BLOCK] == b"1" * BLOCK


def broken(image: bytes, at: int, value: int, size: int = 4) -> bytes:
    return image[:at] + value.to_bytes(size, "little") + image[at + size :]


def test_the_check_sees() -> None:
    image = make({"a": b"x" * 100, "d/": b"", "d/e/": b"", "f": bytes(20 * BLOCK)})
    numbers = dict(Disk(image).walk())
    inode = {path: place(number) for path, number in numbers.items()}
    root = Disk(image).inode(1).pointers[0] * BLOCK
    lies = {
        "counts 9 links": broken(image, inode["a"] + 2, 9, 2),
        "is not one for data": broken(image, inode["a"] + 12, 5),
        "is used by inodes": broken(image, inode["a"] + 12, Disk(image).inode(numbers["f"]).pointers[3]),
        "blocks behind its end": broken(image, inode["f"] + 4, 10),
        "bytes behind its end": broken(image, inode["a"] + 4, 99),
        "has mode": broken(image, inode["a"], 0, 2),
        "block 2047 is not used": broken(image, 2 * BLOCK + 255, 0xFF, 1),
        "block 1 is used": broken(image, 2 * BLOCK, 0xFD, 1),
        "inode 200 is not used": broken(image, BLOCK + 24, 0xFF, 1),
        "contains itself": broken(image, Disk(image).inode(numbers["d/"]).pointers[0] * BLOCK + 128, 1, 2),
        "a name twice": image[: root + 196] + image[root + 132 : root + 192] + image[root + 256 :],
        "does not know itself": broken(image, root, 2, 2),
        "there is no inode": broken(image, root + 128, 999, 2),
        "counts 77 names": broken(image, inode["d/"] + 8, 77),
        "for something else": broken(image, root + 130, 0o040000, 2),
        "wrong magic": broken(image, 0, 0),
        "no sense": image[: 1 << 20],
        "no room": broken(image, 12, 2047),
    }
    for sentence, lie in lies.items():
        assert any(sentence in found for found in check(lie)), (sentence, check(lie))


def test_orphans_are_no_mistake() -> None:
    image = make({"a": b"x" * 100})
    root = Disk(image).inode(1).pointers[0] * BLOCK
    removed = broken(broken(broken(image, root + 128, 0, 2), place(2) + 2, 0, 2), place(1) + 8, 2)
    assert check(removed) == []
    assert orphans(removed) == [2]
    assert files(removed) == {}
