"""A process's descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from errno import EBADF, EINVAL, EMFILE

from tests.toykernel.model.open_files import OpenFile, Pipe
from tests.toykernel.model.tree import O_APPEND, O_CREAT, O_EXCL, O_NONBLOCK, O_TRUNC, Directory, Failed, Tree

NR_OPEN = 32
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL = range(5)


class Process:
    def __init__(self, tree: Tree, here: Directory) -> None:
        self.tree = tree
        self.here = here
        self.files: dict[int, OpenFile] = {}
        self.close_on_exec: set[int] = set()

    def fork(self) -> Process:
        child = Process(self.tree, self.here)
        child.files = dict(self.files)
        child.close_on_exec = set(self.close_on_exec)
        for file in self.files.values():
            file.users += 1
        return child

    def exit(self) -> None:
        for fd in sorted(self.files):
            self.close(fd)

    def file(self, fd: int) -> OpenFile:
        if fd not in self.files:
            raise Failed(EBADF)
        return self.files[fd]

    def unused(self, first: int = 3) -> int:
        """The lowest free descriptor; 0 to 2 are the console's."""
        fd = next((fd for fd in self._from(first) if fd not in self.files), None)
        if fd is None:
            raise Failed(EMFILE)
        return fd

    @staticmethod
    def _from(first: int) -> Iterator[int]:
        return iter(range(max(first, 3), NR_OPEN))

    def _install(self, fd: int, file: OpenFile) -> int:
        self.files[fd] = file
        self.close_on_exec.discard(fd)
        return fd

    def open(self, path: str, flags: int) -> int:
        if path.startswith("("):
            self.tree.find(path, self.here)
        fd = self.unused()
        node = self.tree.open(path, flags, self.here)
        return self._install(fd, OpenFile(node, flags & ~(O_CREAT | O_EXCL | O_TRUNC)))

    def close(self, fd: int) -> None:
        file = self.file(fd)
        del self.files[fd]
        file.users -= 1
        if not file.users and isinstance(file.node, Pipe) and file.writable:
            file.node.writers -= 1

    def dup(self, fd: int, first: int = 3) -> int:
        file = self.file(fd)
        new = self.unused(first)
        file.users += 1
        return self._install(new, file)

    def dup2(self, fd: int, new: int) -> int:
        file = self.file(fd)
        if not 0 <= new < NR_OPEN:
            raise Failed(EBADF)
        if new == fd:
            return new
        if new in self.files:
            self.close(new)
        file.users += 1
        return self._install(new, file)

    def pipe(self) -> tuple[int, int]:
        first = self.unused()
        second = self.unused(first + 1)
        pipe = Pipe(writers=1)
        self._install(first, OpenFile(pipe, 0))
        self._install(second, OpenFile(pipe, 1))
        return first, second

    def fcntl(self, fd: int, command: int, argument: int) -> int:
        file = self.file(fd)
        if command == F_DUPFD:
            if not 0 <= argument < NR_OPEN:
                raise Failed(EINVAL)
            return self.dup(fd, argument)
        if command == F_GETFD:
            return int(fd in self.close_on_exec)
        if command == F_SETFD:
            (self.close_on_exec.add if argument & 1 else self.close_on_exec.discard)(fd)
            return 0
        if command == F_GETFL:
            return file.flags
        if command == F_SETFL:
            changeable = O_APPEND | O_NONBLOCK
            file.flags = file.flags & ~changeable | argument & changeable
            return 0
        raise Failed(EINVAL)
