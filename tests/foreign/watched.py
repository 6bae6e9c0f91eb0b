"""A program on this machine, with its memory read at the moment when it ends (ptrace)."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from pathlib import Path

from tests.random_c.native import Outcome

TRACE_ME, CONTINUE, SET_OPTIONS = 0, 7, 0x4200
TRACE_EXIT, EXIT_EVENT = 0x40, 6
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _trace(request: int, pid: int, data: int = 0) -> None:
    if _libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def run(image: bytes, address: int, size: int) -> tuple[Outcome, bytes]:
    """What the program did, and `size` bytes at an address as they were last."""
    with tempfile.TemporaryDirectory() as directory:
        path, out = Path(directory, "program"), Path(directory, "out")
        path.write_bytes(image)
        path.chmod(0o755)
        with out.open("wb") as output:
            child = subprocess.Popen(
                [path],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: _trace(TRACE_ME, 0),
            )
        left, status = _follow(child.pid, address, size)
        child.returncode = status  # it was waited for here
        return Outcome(out.read_bytes(), status), left


def _follow(pid: int, address: int, size: int) -> tuple[bytes, int]:
    """Wait until the process ends, handing its signals on."""
    left = b""
    os.waitpid(pid, 0)  # stopped by its exec
    _trace(SET_OPTIONS, pid, TRACE_EXIT)
    deliver = 0
    while True:
        _trace(CONTINUE, pid, deliver)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return left, os.waitstatus_to_exitcode(status)
        deliver = os.WSTOPSIG(status)
        if status >> 16 == EXIT_EVENT:
            deliver = 0
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
                memory.seek(address)
                left = memory.read(size)
