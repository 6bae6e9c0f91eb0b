"""Files and directories as they should be: what a path leads to, and why it leads nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EBUSY, EEXIST, EFAULT, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY

NAME_MAX = 59
O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_DIRECTORY = 0o100, 0o200, 0o1000, 0o2000, 0o4000, 0o200000
O_ACCMODE = 3
NULL, KERNEL = "(null)", "(kernel)"  # paths that are not there


class Failed(Exception):
    """A call's error."""

    def __init__(self, error: int) -> None:
        super().__init__(error)
        self.error = error


@dataclass(eq=False)
class Node:
    links: int = 1
    kind = 0  # S_IFMT's bits

    @property
    def size(self) -> int:
        return 0


@dataclass(eq=False)
class File(Node):
    data: bytearray = field(default_factory=bytearray)
    kind = 0o100000

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(eq=False)
class Device(Node):
    kind = 0o020000


class Null(Device):
    pass


class Zero(Device):
    pass


@dataclass(eq=False)
class Directory(Node):
    parent: Directory | None = None  # None for the root of all
    entries: dict[str, Node] = field(default_factory=dict)
    links: int = 2
    mounted: bool = False  # a filesystem of its own
    kind = 0o040000

    def make(self, name: str) -> Directory:
        made = Directory(parent=self)
        self.entries[name] = made
        self.links += 1
        return made


def components(path: str) -> tuple[list[str], bool]:
    """The names of a path, and whether a slash follows the last of them."""
    return [name for name in path.split("/") if name], path.endswith("/")


class Tree:
    """The tree of names that one process sees; `here` is its current directory."""

    def __init__(self, root: Directory) -> None:
        self.root = root

    def lookup(self, directory: Node, name: str) -> Node:
        if not isinstance(directory, Directory):
            raise Failed(ENOTDIR)
        if name in ("", "."):
            return directory
        if len(name) > NAME_MAX:
            raise Failed(ENAMETOOLONG)
        if not directory.links:
            raise Failed(ENOENT)
        if name == "..":
            return directory.parent or directory
        if name not in directory.entries:
            raise Failed(ENOENT)
        return directory.entries[name]

    def parent(self, path: str, here: Directory) -> tuple[Directory, str, bool]:
        """Where the last component is, its name ("" for the root itself), and whether a slash follows it."""
        if path in (NULL, KERNEL):
            raise Failed(EFAULT)
        if not path:
            raise Failed(ENOENT)
        names, slash = components(path)
        node: Node = self.root if path.startswith("/") else here
        for name in names[:-1]:
            node = self.lookup(node, name)
        if not isinstance(node, Directory):
            raise Failed(ENOTDIR)
        return node, names[-1] if names else "", slash

    def find(self, path: str, here: Directory) -> Node:
        return self.open(path, 0, here)

    def open(self, path: str, flags: int, here: Directory) -> Node:
        """The node that a path leads to, made and emptied as the flags say."""
        if path in (NULL, KERNEL):
            raise Failed(EFAULT)
        if flags & O_CREAT and flags & O_DIRECTORY:
            raise Failed(EINVAL)
        directory, name, slash = self.parent(path, here)
        if flags & O_CREAT and slash and name not in ("", ".", ".."):
            raise Failed(EISDIR)
        try:
            node = self.lookup(directory, name)
        except Failed as failed:
            if failed.error != ENOENT or not flags & O_CREAT:
                raise
            return self._create(directory, name)
        if flags & O_CREAT and flags & O_EXCL:
            raise Failed(EEXIST)
        if isinstance(node, Directory):
            if flags & (O_ACCMODE | O_CREAT | O_TRUNC):
                raise Failed(EISDIR)
        elif slash or flags & O_DIRECTORY:
            raise Failed(ENOTDIR)
        if flags & O_TRUNC and isinstance(node, File):
            node.data.clear()
        return node

    def _create(self, directory: Directory, name: str) -> File:
        if not directory.links:
            raise Failed(ENOENT)
        made = directory.entries[name] = File()
        return made

    def mkdir(self, path: str, here: Directory) -> None:
        directory, name, _ = self.parent(path, here)
        try:
            self.lookup(directory, name)
        except Failed as failed:
            if failed.error != ENOENT:
                raise
        else:
            raise Failed(EEXIST)
        if not directory.links:
            raise Failed(ENOENT)
        directory.make(name)

    def unlink(self, path: str, here: Directory) -> None:
        directory, name, slash = self.parent(path, here)
        node = self.lookup(directory, name)
        if isinstance(node, Directory):
            raise Failed(EISDIR)
        if slash:
            raise Failed(ENOTDIR)
        node.links -= 1
        del directory.entries[name]

    def rmdir(self, path: str, here: Directory) -> None:
        directory, name, _ = self.parent(path, here)
        if name in ("", ".", ".."):
            raise Failed({"": EBUSY, ".": EINVAL, "..": ENOTEMPTY}[name])
        node = self.lookup(directory, name)
        if not isinstance(node, Directory):
            raise Failed(ENOTDIR)
        if node.mounted:
            raise Failed(EBUSY)
        if node.entries:
            raise Failed(ENOTEMPTY)
        node.links = 0
        directory.links -= 1
        del directory.entries[name]
