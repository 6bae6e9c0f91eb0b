"""A program of the host, one instruction at a time (Linux's ptrace), without a library of its own."""

from __future__ import annotations

import ctypes
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rewriter.run import Point

_TRACEME, _GETREGS, _SINGLESTEP = 0, 12, 9
_NO_RANDOMIZATION = 0x0040000
# struct user_regs_struct of x86-64, by which a 64-bit tracer sees 32-bit programs, too.
_FIELDS = (
    *("r15", "r14", "r13", "r12", "ebp", "ebx", "r11", "r10", "r9", "r8", "eax", "ecx", "edx", "esi", "edi"),
    *("orig", "eip", "cs", "eflags", "esp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs"),
)
_ORDER = [_FIELDS.index(name) for name in ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eflags")]
_EIP = _FIELDS.index("eip")
_CANNOT = 126


def steps(image: bytes, arguments: Sequence[str], most: int) -> Iterator[Point]:
    """The instructions of a run, `most` of them.  Raises OSError where this system does not let us."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "program")
        path.write_bytes(image)
        path.chmod(0o755)
        child = os.fork()
        if not child:
            _become(str(path), arguments)
        try:
            yield from _followed(child, most)
        finally:
            _end(child)


def _become(path: str, arguments: Sequence[str]) -> None:
    """The child: be traced, at the same addresses each time, reading and writing nothing."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        libc.personality(_NO_RANDOMIZATION)
        if libc.ptrace(_TRACEME, 0, None, None) == 0:
            os.execve(path, ["program", *arguments], {})
    finally:
        os._exit(_CANNOT)


def _followed(child: int, most: int) -> Iterator[Point]:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    registers = (ctypes.c_uint64 * len(_FIELDS))()
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise OSError(0, "a program cannot be followed here")
    for _ in range(most):
        if libc.ptrace(_GETREGS, child, None, registers):
            raise OSError(ctypes.get_errno(), "a program cannot be followed here")
        yield Point(registers[_EIP] & 0xFFFFFFFF, tuple(registers[n] & 0xFFFFFFFF for n in _ORDER))
        libc.ptrace(_SINGLESTEP, child, None, None)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != signal.SIGTRAP:
            return  # it ended, or died


def _end(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        return
