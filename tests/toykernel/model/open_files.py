"""Open files: positions, pipes, and copies that end where a program's memory ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EACCES, EAGAIN, EBADF, EFAULT, EINVAL, EISDIR, ENODEV, ENOTDIR, ENOTTY, ESPIPE

from tests.toykernel.model.tree import O_APPEND, O_NONBLOCK, Directory, Failed, File, Node, Null, Zero

PAGE = PIPE_SIZE = 4096
LIMIT = 0x7FFFFFFF  # of positions
SEEK_SET, SEEK_CUR, SEEK_END = range(3)


@dataclass(frozen=True)
class Memory:
    """Memory of the program: so many bytes are there; or it is the kernel's."""

    there: int
    content: bytes = b""  # of what is to be written
    kernel: bool = False

    def copied(self, at: int, n: int) -> int:
        """How many of n bytes can be copied to this place, in words, until there is no more memory."""
        there = max(0, self.there - at)
        if there >= n:
            return n
        words = min(n // 4, there // 4)
        return 4 * words if words < n // 4 else there


@dataclass(eq=False)
class Pipe(Node):
    kind = 0o010000
    content: bytearray = field(default_factory=bytearray)
    start: int = 0  # where in the ring the first byte is
    writers: int = 0


@dataclass(eq=False)
class OpenFile:
    node: Node
    flags: int
    position: int = 0
    users: int = 1  # descriptors

    @property
    def readable(self) -> bool:
        return self.flags & 3 in (0, 2)

    @property
    def writable(self) -> bool:
        return self.flags & 3 in (1, 2)

    def seek(self, offset: int, origin: int) -> int:
        if not 0 <= origin <= SEEK_END:
            raise Failed(EINVAL)
        if isinstance(self.node, Pipe):
            raise Failed(ESPIPE)
        if isinstance(self.node, Null | Zero):
            return 0
        at = offset + (self.node.size if origin == SEEK_END else self.position if origin == SEEK_CUR else 0)
        if not 0 <= at <= LIMIT:
            raise Failed(EINVAL)
        self.position = at
        return at

    def read(self, memory: Memory, count: int) -> bytes:
        if not self.readable:
            raise Failed(EBADF)
        if isinstance(self.node, Directory):
            raise Failed(EISDIR)
        if isinstance(self.node, Null):
            return b""
        if isinstance(self.node, Pipe):
            return self._read_pipe(self.node, memory, count)
        if memory.kernel:
            raise Failed(EFAULT)
        if isinstance(self.node, Zero):
            done = memory.copied(0, count)
            if count and not done:
                raise Failed(EFAULT)
            return bytes(done)
        assert isinstance(self.node, File)
        return self._read_file(self.node, memory, count)

    def _read_file(self, file: File, memory: Memory, count: int) -> bytes:
        found = bytearray()
        while len(found) < count and self.position < file.size:
            n = min(PAGE - self.position % PAGE, file.size - self.position, count - len(found))
            copied = memory.copied(len(found), n)
            found += file.data[self.position : self.position + copied]
            self.position += copied
            if copied < n:
                if not found:
                    raise Failed(EFAULT)
                break
        return bytes(found)

    def _read_pipe(self, pipe: Pipe, memory: Memory, count: int) -> bytes:
        if count and not pipe.content:
            if pipe.writers:
                raise Failed(EAGAIN)
            return b""
        found = bytearray()
        while len(found) < count and pipe.content:
            n = min(count - len(found), len(pipe.content), PIPE_SIZE - pipe.start)
            if memory.kernel or memory.there - len(found) < n:
                break
            found += pipe.content[:n]
            del pipe.content[:n]
            pipe.start = (pipe.start + n) % PIPE_SIZE
        if count and not found:
            raise Failed(EFAULT)
        return bytes(found)

    def write(self, memory: Memory, count: int) -> int:
        if not self.writable:
            raise Failed(EBADF)
        if isinstance(self.node, Null | Zero):
            return count
        if isinstance(self.node, Pipe):
            return self._write_pipe(self.node, memory, count)
        if memory.kernel:
            raise Failed(EFAULT)
        assert isinstance(self.node, File)
        return self._write_file(self.node, memory, count)

    def _write_file(self, file: File, memory: Memory, count: int) -> int:
        """As much as there is, to the byte: the kernel looks before it copies, so that nothing is destroyed."""
        done = min(count, memory.there)
        if count and self.flags & O_APPEND:
            self.position = file.size
        if count and not done:
            raise Failed(EFAULT)
        if done:
            file.data.extend(bytes(max(0, self.position - file.size)))
            file.data[self.position : self.position + done] = memory.content[:done]
            self.position += done
        return done

    def _write_pipe(self, pipe: Pipe, memory: Memory, count: int) -> int:
        done = 0
        while done < count:
            room = PIPE_SIZE - len(pipe.content)
            if room < (count - done if count <= PIPE_SIZE else 1):
                if not done:
                    raise Failed(EAGAIN)
                break
            added = self._append(pipe, memory, done, count)
            if not added:
                if not done:
                    raise Failed(EFAULT)
                break
            done += added
        return done

    @staticmethod
    def _append(pipe: Pipe, memory: Memory, at: int, count: int) -> int:
        done = 0
        while at + done < count and len(pipe.content) < PIPE_SIZE:
            end = (pipe.start + len(pipe.content)) % PIPE_SIZE
            n = min(count - at - done, PIPE_SIZE - len(pipe.content), PIPE_SIZE - end)
            if memory.kernel or memory.there - at - done < n:
                break
            pipe.content += memory.content[at + done : at + done + n]
            done += n
        return done

    def truncate(self, size: int) -> None:
        if not self.writable or not isinstance(self.node, File):
            raise Failed(EINVAL)
        data = self.node.data
        del data[size:]
        data.extend(bytes(size - len(data)))

    def sync(self) -> None:
        if isinstance(self.node, Pipe | Null | Zero):
            raise Failed(EINVAL)

    def left(self) -> int:
        """FIONREAD."""
        if isinstance(self.node, File):
            return self.node.size - self.position
        if isinstance(self.node, Pipe):
            return len(self.node.content)
        raise Failed(ENOTTY)

    def mapped(self, start: int, size: int) -> bytes:
        """What a private mapping of these bytes shows of the file."""
        if not self.readable:
            raise Failed(EACCES)
        if not isinstance(self.node, File):
            raise Failed(ENODEV)
        return bytes(self.node.data[start : start + size])

    def names(self) -> list[str]:
        if not isinstance(self.node, Directory):
            raise Failed(ENOTDIR)
        return [".", "..", *self.node.entries]

    def nonblocking(self) -> bool:
        return bool(self.flags & O_NONBLOCK)
