"""The host CPU in 32-bit mode as a processor which executes single instructions; the other side is host.c."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from tests.x86.processor import DATA, DATA_SIZE, PAGE, Outcome, State, contents

SOURCE = Path(__file__).with_name("host.c")
FAULTS = (None, "memory", "trap")
IF = 1 << 9  # user mode cannot change it
ANSWER = struct.Struct("<B9II")  # fault, registers and flags, number of changed bytes
CHANGE = struct.Struct("<IB")


class Unavailable(Exception):
    """This machine cannot build or run 32-bit programs; the message says why."""


class Host:
    """A child process.  It sees changes of memory, not accesses."""

    watches = False

    def __init__(self, folder: Path) -> None:
        self.child = subprocess.Popen([str(_built(folder))], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pages: set[int] = set()
        for page in range(DATA, DATA + DATA_SIZE, PAGE):
            self.map(page)

    def map(self, page: int) -> None:
        """Pages that the process needs itself stay as they are: instructions fault there."""
        if page not in self.pages:
            self.pages.add(page)
            self._send(b"M" + struct.pack("<I", page) + contents(page))
            self._receive(1)

    def place(self, raw: bytes) -> None:
        self._send(b"I" + bytes((len(raw),)) + raw)

    def run(self, state: State) -> Outcome:
        self._send(b"R" + struct.pack("<9I", *state.registers, state.flags | 2 | IF))
        fault, *values, count = ANSWER.unpack(self._receive(ANSWER.size))
        written = dict(CHANGE.iter_unpack(self._receive(CHANGE.size * count)))
        after = State(values[:8], values[8] & ~IF | state.flags & IF)
        return Outcome(after, FAULTS[fault], set(), written)

    def close(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        self.child.wait()

    def _send(self, message: bytes) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(message)
        self.child.stdin.flush()

    def _receive(self, size: int) -> bytes:
        assert self.child.stdout is not None
        message = self.child.stdout.read(size)
        if len(message) != size:
            raise EOFError("the 32-bit process is gone")
        return message


def _built(folder: Path) -> Path:
    """Compile host.c.  Raises Unavailable."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise Unavailable("no gcc")
    program = folder / "host"
    options = ["-m32", "-O1", "-static", "-no-pie", "-Wl,-Ttext-segment=0x60000000", "-Wl,-z,execstack"]
    try:
        done = subprocess.run([compiler, *options, "-o", str(program), str(SOURCE)], capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"gcc -m32 -static fails: {done.stderr.strip().splitlines()[-1]}")
        subprocess.run([str(program)], stdin=subprocess.DEVNULL, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"cannot run 32-bit programs: {error}") from None
    return program
