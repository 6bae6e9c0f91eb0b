"""Linux as the oracle: a Linux that runs i386 programs can say what our programs should see."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from toykernel import image

DESCRIPTORS = 32  # a process may have, as on our kernel
DEVICES = {"null": os.makedev(1, 3), "zero": os.makedev(1, 5), "console": os.makedev(1, 3)}


@pytest.fixture
def on_linux(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run one of our programs on this Linux, with a directory of its own as the root."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may change the root directory")
    for folder in ("bin", "dev", "disk"):
        (tmp_path / folder).mkdir()
    for name, elf in image.programs().items():
        (tmp_path / "bin" / name).write_bytes(elf)
        (tmp_path / "bin" / name).chmod(0o755)
    for name, number in DEVICES.items():
        with suppress(PermissionError):
            os.mknod(tmp_path / "dev" / name, stat.S_IFCHR | 0o666, number)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def run(name: str, *arguments: str) -> tuple[int, str]:
        command = ["chroot", str(tmp_path), f"/bin/{name}", *arguments]
        done = subprocess.run(
            command, input="", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=limit
        )
        return done.returncode, done.stdout

    try:
        status, _ = run("hello")
    except OSError:
        status = 127
    if status:
        pytest.skip("this system does not run i386 programs in a changed root")
    return run
