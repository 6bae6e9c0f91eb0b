"""The same pseudo-random calls as programs/randomcalls draws, and what each of them gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from errno import EINVAL, ENOENT, ENOTDIR
from zlib import adler32

from tests.toykernel.model.draw import Draw
from tests.toykernel.model.open_files import PAGE
from tests.toykernel.model.process import F_SETFL, NR_OPEN, Process
from tests.toykernel.model.tree import (
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NONBLOCK,
    O_TRUNC,
    Directory,
    Failed,
    File,
    Node,
    Null,
    Tree,
    Zero,
)

WORD = 0xFFFFFFFF
SPARE, FAR, REPORT, LONGEST_SHOWN = 24, 1_000_000, 1000, 100
NAMES = ("a", "b", "c", "d", "e", "world", "disk")


@dataclass
class Call:
    """As struct call there."""

    name: str
    path: str = ""
    a: int = 0
    b: int = 0
    c: int = 0
    sum: int = 0
    result: int = 0

    def line(self, number: int) -> str:
        path = self.path if len(self.path) <= LONGEST_SHOWN else "(long)"
        return f'{number} {self.name} "{path}" {self.a} {self.b} {self.c} = {self.result} sum {self.sum & WORD:x}'


def world(files: Mapping[str, bytes]) -> Tree:
    """The tree after boot: the archive's files, devices, and the mounted filesystems."""
    root = Directory()
    root.links = 2
    for path in sorted(files):
        *folders, name = path.split("/")
        here = root
        for folder in folders:
            found = here.entries.get(folder)
            here = found if isinstance(found, Directory) else here.make(folder)
        here.entries[name] = File(data=bytearray(files[path]))
    dev = root.make("dev")
    dev.entries |= {"null": Null(), "zero": Zero()}
    for name in ("proc", "disk"):
        root.make(name).mounted = True
    return Tree(root)


class Player:
    """Makes calls in a process; `shown` hears of each of them."""

    def __init__(self, process: Process, seed: int, is_child: bool, shown: Callable[[Call], None]) -> None:
        self.process, self.draw = process, Draw(seed)
        self.is_child, self.shown = is_child, shown
        self.sum = 0

    def play(self) -> None:
        name = self.draw.operation(OPERATIONS)
        call = Call(name)
        try:
            call.result = OPERATIONS[name][1](self, call)
        except Failed as failed:
            call.result = -failed.error
        self.shown(call)
        self.sum = ((self.sum << 5 | self.sum >> 27) ^ call.result & WORD) + call.sum & WORD

    def open(self, call: Call) -> int:
        draw = self.draw
        call.path = draw.path()
        call.a = draw(3)
        for chance, wanted, flag in ((2, 1, O_CREAT), (8, 0, O_EXCL), (6, 0, O_TRUNC), (6, 0, O_APPEND)):
            if bool(draw(chance)) == bool(wanted):
                call.a |= flag
        if draw(16) == 0 and not call.a & O_CREAT:
            call.a |= O_DIRECTORY
        return self.process.open(call.path, call.a)

    def close(self, call: Call) -> int:
        call.a = self.draw.fd()
        self.process.close(call.a)
        return 0

    def read(self, call: Call) -> int:
        call.a = self.draw.fd()
        memory = self.draw.target()
        call.b = memory.there
        call.c = self.draw.size()
        found = self.process.file(call.a).read(memory, call.c)
        call.sum = adler32(found) if found else 0
        return len(found)

    def write(self, call: Call) -> int:
        call.a = self.draw.fd()
        memory = self.draw.source()
        call.b = self.draw.size()
        return self.process.file(call.a).write(memory, call.b)

    def lseek(self, call: Call) -> int:
        draw = self.draw
        call.a = draw.fd()
        call.b = draw.position()
        call.c = draw(3) if draw(16) else 5 + draw(2)
        file = self.process.files.get(call.a)
        if file and isinstance(file.node, Directory):
            call.c = 0
        at = self.process.file(call.a).seek(call.b, call.c)
        if at > FAR:
            self.process.file(call.a).seek(0, 0)
        return at

    def ftruncate(self, call: Call) -> int:
        call.a = self.draw.fd()
        call.b = self.draw.position()
        if call.b < 0:
            raise Failed(EINVAL)
        self.process.file(call.a).truncate(call.b)
        return 0

    def unlink(self, call: Call) -> int:
        call.path = self.draw.path()
        if not call.path.startswith("/dev/"):
            self.process.tree.unlink(call.path, self.process.here)
        return 0

    def mkdir(self, call: Call) -> int:
        call.path = self.draw.path()
        self.process.tree.mkdir(call.path, self.process.here)
        return 0

    def rmdir(self, call: Call) -> int:
        call.path = self.draw.path()
        self.process.tree.rmdir(call.path, self.process.here)
        return 0

    def chdir(self, call: Call) -> int:
        call.path = self.draw.path()
        found = self.process.tree.find(call.path, self.process.here)
        if not isinstance(found, Directory):
            raise Failed(ENOTDIR)
        self.process.here = found
        return 0

    @staticmethod
    def _status(node: Node) -> int:
        size = node.size if isinstance(node, File) else 0
        return (node.kind << 16 | node.links << 24 | size) & WORD

    def stat(self, call: Call) -> int:
        call.path = self.draw.path()
        call.sum = self._status(self.process.tree.find(call.path, self.process.here))
        return 0

    def fstat(self, call: Call) -> int:
        call.a = self.draw.fd()
        call.sum = self._status(self.process.file(call.a).node)
        return 0

    def list(self, call: Call) -> int:
        call.path = self.draw.path()
        fd = self.process.open(call.path, O_DIRECTORY)
        file = self.process.file(fd)
        self.process.close(fd)
        if not file.node.links:
            raise Failed(ENOENT)
        names = file.names()
        call.sum = sum(adler32(name.encode()) for name in names) & WORD
        return len(names)

    def map(self, call: Call) -> int:
        call.a = self.draw.fd()
        pages = call.c = 1 + self.draw(3)
        call.b = self.draw(4)
        call.c = pages
        found = self.process.file(call.a).mapped(call.b * PAGE, pages * PAGE)
        call.sum = adler32(found) if found else 0
        return 0

    def fsync(self, call: Call) -> int:
        call.a = self.draw.fd()
        self.process.file(call.a).sync()
        return 0

    def sync(self, call: Call) -> int:
        return 0

    def dup(self, call: Call) -> int:
        call.a = self.draw.fd()
        return self.process.dup(call.a)

    def dup2(self, call: Call) -> int:
        call.a = self.draw.fd()
        call.b = 3 + self.draw(14) if self.draw(16) else self.draw.fd()
        return self.process.dup2(call.a, call.b)

    def fcntl(self, call: Call) -> int:
        call.a = self.draw.fd()
        call.b = (0, 1, 2, 3, 4, 99)[self.draw(6)]
        call.c = self.draw(20)
        if call.b == F_SETFL:
            call.c = (O_APPEND if call.c & 1 else 0) | O_NONBLOCK
        return self.process.fcntl(call.a, call.b, call.c)

    def pipe(self, call: Call) -> int:
        first, second = self.process.pipe()
        for fd in (first, second):
            self.process.fcntl(fd, F_SETFL, O_NONBLOCK)
        try:
            self.process.dup(first, SPARE)
        except Failed:
            self.process.close(first)
            self.process.close(second)
            raise
        return first << 8 | second

    def left(self, call: Call) -> int:
        call.a = self.draw.fd()
        call.sum = self.process.file(call.a).left() & WORD
        return 0

    def close_all(self, call: Call) -> int:
        opened = [fd for fd in sorted(self.process.files) if fd < NR_OPEN]
        for fd in opened:
            self.process.close(fd)
        return len(opened)

    def child(self, call: Call) -> int:
        call.a = self.draw(1 << 30)
        call.b = self.draw(20)
        if self.is_child:
            return 0
        process = self.process.fork()
        player = Player(process, call.a, True, self.shown)
        for _ in range(call.b):
            player.play()
        process.exit()
        return (player.sum & 0xFF) << 8


# By name: weight, and what it does.
OPERATIONS: dict[str, tuple[int, Callable[[Player, Call], int]]] = {
    "open": (20, Player.open),
    "close": (12, Player.close),
    "read": (20, Player.read),
    "write": (20, Player.write),
    "lseek": (14, Player.lseek),
    "ftruncate": (3, Player.ftruncate),
    "unlink": (8, Player.unlink),
    "mkdir": (5, Player.mkdir),
    "rmdir": (5, Player.rmdir),
    "chdir": (3, Player.chdir),
    "stat": (4, Player.stat),
    "fstat": (3, Player.fstat),
    "list": (2, Player.list),
    "map": (2, Player.map),
    "fsync": (1, Player.fsync),
    "sync": (1, Player.sync),
    "dup": (3, Player.dup),
    "dup2": (3, Player.dup2),
    "fcntl": (5, Player.fcntl),
    "pipe": (2, Player.pipe),
    "left": (2, Player.left),
    "close all": (1, Player.close_all),
    "child": (1, Player.child),
}


class World:
    """What `randomcalls seed count` prints and leaves behind, one run after another."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.tree = world(files)
        self.number = 0
        self.lines: list[str] = []
        self.show = range(0)

    def _shown(self, call: Call) -> None:
        if self.number in self.show:
            self.lines.append(call.line(self.number))

    def run(self, seed: int, count: int, show: range = range(0)) -> list[str]:
        """The lines; with those of each call whose number is in `show`."""
        self.lines, self.show = [], show
        self._clean()
        here = self.tree.root.entries["world"]
        assert isinstance(here, Directory)
        player = Player(Process(self.tree, here), seed, False, self._shown)
        for self.number in range(1, count + 1):
            player.play()
            if self.number % REPORT == 0 or self.number == count:
                self.lines.append(f"{self.number} calls: {player.sum:x}")
        player.process.exit()
        self.lines += contents(self.tree.root, "")
        return self.lines

    def _clean(self) -> None:
        """As remove_world there."""
        root = self.tree.root
        disk = root.entries["disk"]
        assert isinstance(disk, Directory)
        for directory in (root, disk):
            for name in set(NAMES) & set(directory.entries):
                node = directory.entries[name]
                if isinstance(node, Directory):
                    if node.mounted:
                        continue
                    directory.links -= 1
                del directory.entries[name]
        root.make("world")
        disk.make("world")

    def on_disk(self) -> dict[str, bytes]:
        """What is below /disk by path; directories have a slash behind and no content."""
        return dict(_below(self.tree.root.entries["disk"], ""))


def _below(directory: Node, path: str) -> Iterator[tuple[str, bytes]]:
    assert isinstance(directory, Directory)
    for name, node in directory.entries.items():
        if isinstance(node, Directory):
            yield f"{path}{name}/", b""
            yield from _below(node, f"{path}{name}/")
        elif isinstance(node, File):
            yield f"{path}{name}", bytes(node.data)


def contents(directory: Directory, path: str) -> Iterator[str]:
    """What is left by the names that the calls use, as print_world there."""
    for name in NAMES:
        node = directory.entries.get(name)
        if isinstance(node, Directory):
            yield f"{path}/{name}/ {node.links}"
            yield from contents(node, f"{path}/{name}")
        elif isinstance(node, File):
            yield f"{path}/{name} {node.size} {adler32(node.data):x}"
