"""The power fails: what was safe is there at the next mount, and nothing is torn.

One run tells every store into the disk; the disk at any moment of it is what these stores make.  Each moment that is
looked at is booted again."""

from __future__ import annotations

import random
import re
from functools import cache

import pytest

from tests.toykernel.boots import needs_qemu, workload
from tests.toykernel.disk_model import State, random_script, states
from toykernel import disk, fsck, image
from toykernel.machine import Machine, Qemu, Run, Workload

SCRIPT = """\
d /disk/dir
w /disk/dir/a 0 9000 1
w /disk/b 3000 5000 2
f /disk/b
w /disk/b 100000 12000 3
t /disk/b 101234
f /disk/dir
w /disk/c 0 50000 4
w /disk/c 600000 9000 5
u /disk/dir/a
s
t /disk/c 20
w /disk/old 0 2000 6
k /disk/c
u /disk/c
f /disk/old
r /disk/dir
u /disk/old
f /disk/b
u /disk/b
w /disk/b 0 10 7
"""
OLD: State = {"old": b"from before" * 400}


@cache
def blank() -> bytes:
    return disk.make(OLD, blocks=1600, inodes=32, journal_blocks=128)


def work(script: str, image_of_disk: bytes) -> Workload:
    return workload("edit /script", files={"script": script.encode()}, disk=image_of_disk)


def boot(contents: bytes, **options: object) -> Run:
    """Boot without running anything: a mount, and the way down."""
    return Machine(**options).run(image.kernel(), Workload([], disk=contents))  # type: ignore[arg-type]


class Recorded:
    """A run of a script with all of its stores."""

    def __init__(self, script: str) -> None:
        self.run = Machine(stores=True).run(image.kernel(), work(script, blank()))
        self.states = states(OLD, script)
        self.safe = [number for number, line in enumerate(script.splitlines()) if line[0] in "fs"]
        self._lines = [match.end() for match in re.finditer(rb"^\d+ .*\n", self.run.console, re.M)]
        assert len(self._lines) == len(script.splitlines()), self.run.console.decode()
        assert not re.search(rb": -\d+$", self.run.console, re.M), self.run.console.decode()

    def cut(self, moment: int) -> bytes:
        result = bytearray(blank())
        for store in self.run.stores[:moment]:
            result[store.offset : store.offset + len(store.content)] = store.content
        return bytes(result)

    def allowed(self, moment: int) -> list[State]:
        """What a mount may find after so many stores: what was safe by then, or anything later."""
        sent = self.run.stores[moment].console if moment < len(self.run.stores) else len(self.run.console)
        done = sum(line <= sent for line in self._lines)
        first = max((number for number in self.safe if number < done), default=-1)
        start = OLD if first < 0 else self.states[first][-1]
        return [start, *(state for steps in self.states[first + 1 : done + 1] for state in steps)]

    def commits(self) -> list[int]:
        """The moments at which a record of the log or the journal's own block begins to be written."""
        geometry = disk.Disk(blank()).geometry
        log = range(geometry.journal * disk.BLOCK, geometry.data * disk.BLOCK)
        magic = disk.JOURNAL_MAGIC.to_bytes(4, "little")
        return [n for n, s in enumerate(self.run.stores) if s.offset in log and s.content == magic]


@cache
def recorded() -> Recorded:
    return Recorded(SCRIPT)


def recover(record: Recorded, moment: int) -> bytes:
    """Mount what was there at that moment, and hold it to everything that is promised."""
    broken = record.cut(moment)
    allowed = record.allowed(moment)
    assert disk.files(broken) in allowed, moment
    assert fsck.check(broken) == [], moment
    mounted = boot(broken)
    assert disk.files(mounted.disk) == disk.files(broken), moment
    assert fsck.check(mounted.disk) == [], moment
    assert fsck.orphans(mounted.disk) == [], moment
    assert list(disk.transactions(mounted.disk)) == [], moment
    if moment % 3 == 0:
        assert boot(mounted.disk).disk == mounted.disk, moment
    return mounted.disk


def test_without_a_crash() -> None:
    record = recorded()
    assert disk.files(record.run.disk) == record.states[-1][-1]
    assert fsck.check(record.run.disk) == []
    assert list(disk.transactions(record.run.disk)) == []
    assert record.cut(len(record.run.stores)) == record.run.disk
    assert len(record.commits()) > 10


def test_a_cut_is_what_the_stores_say() -> None:
    record = recorded()
    for moment in (0, 1, 1000, record.commits()[5] + 3, len(record.run.stores) - 1):
        stopped = Machine(cut=moment).run(image.kernel(), work(SCRIPT, blank()))
        assert stopped.disk == record.cut(moment)
        assert stopped.console == record.run.console[: record.run.stores[moment].console]


def test_around_every_commit() -> None:
    record = recorded()
    moments = {at + step for at in record.commits() for step in (0, 1, 3, 4, 256)}
    for moment in sorted(moments):
        recover(record, min(moment, len(record.run.stores)))


@pytest.mark.parametrize("seed", range(4))
def test_anywhere(seed: int) -> None:
    record = recorded()
    for moment in random.Random(seed).sample(range(len(record.run.stores)), 25):
        recover(record, moment)


@pytest.mark.parametrize("seed", range(3))
def test_random_changes(seed: int) -> None:
    record = Recorded(random_script(seed, 40))
    assert disk.files(record.run.disk) == record.states[-1][-1]
    chance = random.Random(seed)
    moments = chance.sample(range(len(record.run.stores)), 15) + chance.sample(record.commits(), 5)
    for moment in moments:
        recover(record, moment)


def test_the_power_fails_during_recovery() -> None:
    """The next recovery does it again, and comes to the same end."""
    record = recorded()
    long = max(record.commits(), key=lambda moment: sum(map(len, disk.transactions(record.cut(moment)))))
    broken = record.cut(long)
    assert len(list(disk.transactions(broken))) >= 1
    again = boot(broken, stores=True)
    stores = len(again.stores)
    for moment in [*random.Random(1).sample(range(stores), 10), *range(stores - 5, stores)]:
        twice = boot(broken, cut=moment).disk
        assert disk.files(twice) == disk.files(broken)
        assert fsck.check(twice) == []
        assert disk.files(boot(twice).disk) == disk.files(broken)


def test_a_damaged_record_is_ignored() -> None:
    """One bit of the last transaction is not as it was written: neither it nor what is behind it is there."""
    record = recorded()
    moment = record.commits()[7]
    whole = record.cut(moment)
    geometry = disk.Disk(whole).geometry
    *before, last = disk.transactions(whole)
    first = geometry.journal + 1 + sum(len(transaction) + 2 for transaction in before)
    chance = random.Random(5)
    for _ in range(25):
        at = first * disk.BLOCK + chance.randrange((len(last) + 2) * disk.BLOCK)
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        kept = len(list(disk.transactions(bytes(damaged))))
        assert kept == len(before) or at >= (first + len(last) + 1) * disk.BLOCK + 16
        assert disk.files(boot(bytes(damaged)).disk) == disk.files(bytes(damaged))


def test_what_was_removed_while_open_is_freed() -> None:
    record = recorded()
    moments = [moment for moment in record.commits() if fsck.orphans(record.cut(moment))]
    assert moments
    for moment in moments:
        recover(record, moment)


@needs_qemu
def test_recovery_on_qemu() -> None:
    record = recorded()
    for moment in record.commits()[3:6]:
        broken = record.cut(moment)
        names = [path for path in disk.files(broken) if not path.endswith("/")]
        script = "".join(f"c /disk/{name}\n" for name in names)
        ours = Machine().run(image.kernel(), work(script, broken))
        assert Qemu().console(image.kernel(), work(script, broken)) == ours.console
