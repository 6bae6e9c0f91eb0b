"""The disk filesystem: files are what a model and Linux say, a full disk is an error, a damaged one at worst, too."""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.toykernel.boots import boot, needs_qemu, workload
from tests.toykernel.disk_model import State, checksum, random_script, states
from toykernel import disk, fsck, image
from toykernel.machine import Machine, Qemu, Run

ENOSPC, EIO = 28, 5


def edit(script: str, contents: bytes | None = None) -> Run:
    return boot("edit /script", files={"script": script.encode()}, disk=disk.empty() if contents is None else contents)


def results(run: Run) -> list[int]:
    """What the calls of each line returned."""
    return [int(number) for number in re.findall(rb": (-?\d+)$", run.console, re.M)]


def looked_at(script: str) -> tuple[str, State]:
    """The script, with a look at each file at its end, and what the files are then."""
    final = states({}, script)[-1][-1]
    return script + "".join(f"c /disk/{path}\n" for path in final if not path.endswith("/")), final


def sums(console: bytes) -> list[tuple[int, int]]:
    found = re.findall(rb"^(\d+) bytes, sum ([0-9a-f]{8}): ", console, re.M)
    return [(int(size), int(total, 16)) for size, total in found]


@pytest.mark.parametrize("seed", range(4))
def test_files_are_what_the_model_says(seed: int) -> None:
    script, final = looked_at(random_script(seed, 120))
    run = edit(script)
    assert min(results(run)) >= 0
    contents = [raw for path, raw in final.items() if not path.endswith("/")]
    assert sums(run.console) == [(len(raw), checksum(raw)) for raw in contents]
    assert disk.files(run.disk) == final
    assert fsck.check(run.disk) == []
    assert set(run.files) == {"/", *final}


def test_linux_says_the_same(on_linux, tmp_path: Path) -> None:
    script, _ = looked_at(random_script(5, 150))
    (tmp_path / "script").write_text(script)
    assert on_linux("edit", "/script") == (0, edit(script).console.decode())


@needs_qemu
def test_qemu_says_the_same() -> None:
    script, _ = looked_at(random_script(6, 150))
    work = workload("edit /script", files={"script": script.encode()}, disk=disk.empty())
    assert Qemu().console(image.kernel(), work) == edit(script).console


def test_interrupts_do_not_matter() -> None:
    script, final = looked_at("w /disk/a 100 5000 1\nd /disk/d\nw /disk/d/b 0 300 2\nt /disk/a 50\nf /disk/a\n")
    work = workload("edit /script", files={"script": script.encode()}, disk=disk.empty())
    assert disk.files(Machine(storm=997).run(image.kernel(), work).disk) == final


def test_files_outlive_the_machine() -> None:
    first = edit("w /disk/a 0 20000 1\nd /disk/d\nw /disk/d/b 5 5 2\n")
    second = edit("c /disk/a\nc /disk/d/b\nw /disk/a 100 1 3\nu /disk/d/b\nr /disk/d\n", first.disk)
    before, after = disk.files(first.disk), disk.files(second.disk)
    assert sums(second.console)[0] == (20000, checksum(before["a"]))
    assert after == {"a": before["a"][:100] + bytes((0xBF,)) + before["a"][101:]}
    assert boot(disk=second.disk).disk == second.disk  # a mount alone changes nothing


def test_without_a_disk_there_is_no_directory() -> None:
    assert results(boot("edit /script", files={"script": b"d /disk\n"})) == [0]
    assert results(edit("d /disk\n")) == [-17]


def test_holes_take_no_room() -> None:
    run = edit("w /disk/a 67000000 100 1\nt /disk/a 900000\nw /disk/a 800000 100 2\nc /disk/a\n")
    assert results(run) == [100, 0, 100, 0]
    assert sums(run.console)[0] == (900000, checksum(disk.files(run.disk)["a"]))
    assert fsck.check(run.disk) == []
    assert results(edit("w /disk/a 67382271 1 1\nw /disk/a 67382272 1 1\n")) == [1, -27]


@pytest.mark.parametrize(
    ("source", "target", "size"), [(10, 6000, 50), (100, 2100, 1500), (4090, 0, 4000), (1, 12289, 9000)]
)
def test_a_write_reads_what_it_writes_to(source: int, target: int, size: int) -> None:
    """The program's buffer is the file, of which nothing is in memory; also the very page that is written."""
    old = random.Random(3).randbytes(30_000)
    run = edit(f"x /disk/a {source} {target} {size}\n", disk.make({"a": old}))
    assert results(run) == [size]
    assert disk.files(run.disk)["a"] == old[:target] + old[source : source + size] + old[target + size :]


def test_programs_start_from_the_disk() -> None:
    hello = image.programs()["hello"]
    run = boot("../disk/greet", disk=disk.make({"greet": hello}))
    assert run.console.startswith(b"hello from process")


def test_a_full_disk() -> None:
    small = disk.make({"old": bytes(5000)}, blocks=300, inodes=16, journal_blocks=100)
    free = 300 * disk.BLOCK - disk.Disk(small).geometry.data * disk.BLOCK
    lines = [f"w /disk/big {at} 50000 1" for at in range(0, 400_000, 50_000)]
    more = [
        "w /disk/hole 700000 5000 3",
        "w /disk/new 0 1 2",
        "d /disk/d",
        "w /disk/old 0 5000 4",
        "w /disk/old 5000 500 4",
    ]
    run = edit("\n".join([*lines, *more, "u /disk/big", "w /disk/new 0 60000 5"]), small)
    written = results(run)[: len(lines)]
    assert free - 20 * disk.BLOCK < sum(n for n in written if n > 0) < free
    assert results(run)[len(lines) :] == [-ENOSPC, -ENOSPC, -ENOSPC, 5000, -ENOSPC, 0, 60000]
    assert fsck.check(run.disk) == []
    assert "d/" not in disk.files(run.disk)


def test_all_inodes_in_use() -> None:
    small = disk.make({}, inodes=32)
    made = [f"{'d' if n % 3 else 'w'} /disk/n{n} 0 10 1" for n in range(40)]
    run = edit("\n".join([*made, *(f"{'r' if n % 3 else 'u'} /disk/n{n}" for n in range(31)), "d /disk/again"]), small)
    assert [n for n in results(run) if n < 0] == [-ENOSPC] * 9
    assert disk.files(run.disk) == {"again/": b""}
    assert fsck.check(run.disk) == []


def test_more_files_than_stay_in_memory() -> None:
    """What leaves memory is written home first, and read again."""
    lines = [f"w /disk/n{n} 0 {n * 30} {n}" for n in range(100)] + [f"c /disk/n{n}" for n in range(100)]
    run = edit("\n".join(lines))
    files = disk.files(run.disk)
    assert sums(run.console) == [(n * 30, checksum(files[f"n{n}"])) for n in range(100)]
    assert fsck.check(run.disk) == []


# ---- damaged disks

FILES = {"a": b"x" * 3000, "d/": b"", "d/b": bytes(range(256)) * 1200, "e/": b"", "old": b"old"}
TOUCH = """\
c /disk/a
c /disk/d/b
w /disk/a 0 9000 1
w /disk/d/b 290000 40000 1
t /disk/d/b 10
u /disk/a
w /disk/d/new 0 3000 1
d /disk/d/dir
u /disk/d/b
u /disk/old
r /disk/e
r /disk/d
s
"""


def whole() -> bytes:
    return disk.make(FILES, blocks=900, inodes=32, journal_blocks=128)


def with_word(place: int, value: int) -> bytes:
    return whole()[:place] + struct.pack("<I", value) + whole()[place + 4 :]


def numbers(path: str) -> int:
    """Where the block numbers of a file are in the image."""
    return disk.place(dict(disk.Disk(whole()).walk())[path]) + 12


WILD = (1, 3, 0xFFFFFFFF, 0x80000000, 899, 900, 150, 180, 12345)
SUPER = [with_word(at, value) for at in (0, 4, 8, 12) for value in (0, *WILD)]
INODES = [with_word(numbers(p) + 4 * n, value) for p in ("d/", "d/b") for n in (0, 11, 12) for value in WILD]
SIZES = [with_word(numbers(p) - 8, value) for p in ("a", "d/", "d/b") for value in (0, *WILD)]
MODES = [with_word(numbers(p) - 12, value) for p in ("a", "d/") for value in (0, 0x11FF, 0x1A1ED, 0x141ED, 0x181A4)]
SHORT = [whole()[:size] for size in (1, 1023, 1024, 5000, 200_000, len(whole()) - 1)]


@pytest.mark.parametrize(
    "group", [SUPER, INODES, SIZES, MODES, SHORT], ids=["super", "numbers", "sizes", "modes", "short"]
)
def test_a_damaged_disk_is_an_error_at_worst(group: list[bytes]) -> None:
    for contents in group:
        assert edit(TOUCH, contents).exits == (("edit /script", 0),)


def test_directories_in_a_circle() -> None:
    root = disk.Disk(whole()).inode(disk.ROOT).pointers[0] * disk.BLOCK
    inside = disk.Disk(whole()).inode(dict(disk.Disk(whole()).walk())["d/"]).pointers[0] * disk.BLOCK
    for at, inode in ((inside + 128, 1), (inside + 64, 3), (root + 192, 1), (inside, 9), (inside + 128, 3)):
        run = edit(
            TOUCH + "c /disk/d/b/d/b/d/b\nu /disk/d/b/a\nr /disk/d/b\n", with_word(at, disk.DIRECTORY << 16 | inode)
        )
        assert run.exits == (("edit /script", 0),)


@pytest.mark.parametrize("seed", range(3))
def test_random_damage(seed: int) -> None:
    """Of what the filesystem itself lays out."""
    chance = random.Random(seed)
    data = disk.Disk(whole()).geometry.data
    for _ in range(12):
        contents = bytearray(whole())
        for _ in range(chance.randrange(1, 40)):
            block = chance.choice((0, 1, 2, 3, 4, 5, data, data + 1, *range(data, data + 12)))
            contents[block * disk.BLOCK + chance.randrange(disk.BLOCK)] = chance.choice(
                (0, 1, 0xFF, chance.randrange(256))
            )
        assert edit(TOUCH, bytes(contents)).exits == (("edit /script", 0),)


@pytest.mark.parametrize("phase", range(3))
def test_a_file_that_looks_like_a_transaction_is_none(phase: int) -> None:
    """It lies in the log where the next transaction would begin, and asks for the superblock to be overwritten."""
    run = Machine(stores=True).run(
        image.kernel(), workload("edit /script", files={"script": b"w /disk/a 0 300 1\n"}, disk=forged(phase))
    )
    assert disk.files(boot(disk=run.disk).disk)["a"] == disk.files(run.disk)["a"]
    for moment in range(0, len(run.stores), 151):
        contents = bytearray(forged(phase))
        for store in run.stores[:moment]:
            contents[store.offset : store.offset + len(store.content)] = store.content
        assert boot(disk=bytes(contents)).disk[: disk.BLOCK] == forged(phase)[: disk.BLOCK]


def forged(phase: int) -> bytes:
    """An empty log in which every block but the first looks like a descriptor, or a commit record, of number 2."""
    contents = bytearray(disk.empty())
    geometry = disk.Disk(disk.empty()).geometry
    descriptor = struct.pack("<5I", disk.JOURNAL_MAGIC, disk.DESCRIPTOR, 2, 1, 0).ljust(disk.BLOCK, b"\0")
    both = descriptor + bytes(disk.BLOCK)
    commit = struct.pack("<4I", disk.JOURNAL_MAGIC, disk.COMMIT, 2, disk.checksum(both)).ljust(disk.BLOCK, b"\0")
    for block in range(geometry.journal + 2, geometry.data - 3):
        part = (descriptor, bytes(disk.BLOCK), commit)[(block - geometry.journal + phase) % 3]
        contents[block * disk.BLOCK : (block + 1) * disk.BLOCK] = part
    return bytes(contents)


# ---- Figure 1

CHAIN = [
    *("do_get_write_access", "journal_get_write_access", "do_journal_get_write_access", "walk_page_buffers"),
    *("ext_prepare_write", "write_page", "generic_file_write", "ext_file_write", "sys_write", "system_call"),
]


def test_write_goes_the_way_of_figure_1() -> None:
    """By the names of the functions; the compiler may have inlined write_page."""
    with (Path(image.__file__).parent / "kernel.elf").open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        functions = sorted((s["st_value"], s.name) for s in symbols if s["st_info"]["type"] == "STT_FUNC")
    entry = next(address for address, name in functions if name == "do_get_write_access")
    work = workload("edit /script", files={"script": b"w /disk/a 0 100 1\n"}, disk=disk.empty())
    run = Machine().run(image.kernel(), work, shadow=[entry])

    def name(address: int) -> str:
        return next(name for start, name in reversed(functions) if start < address)

    chains = [["do_get_write_access", *map(name, returns)] for _, returns in run.stacks]
    wanted = [n for n in CHAIN if n in {name for _, name in functions}]
    assert wanted in chains, chains
