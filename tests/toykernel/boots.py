"""Booting kernels for tests: on our PC, and on QEMU where there is one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from toykernel import image
from toykernel.machine import Machine, Qemu, Run, Workload

needs_qemu = pytest.mark.skipif(not Qemu.available(), reason="qemu-system-i386 is not installed")


def workload(*commands: str, files: Mapping[str, bytes] | None = None, disk: bytes = b"", memory: int = 64) -> Workload:
    """The image's programs, more files by path, a disk if it is not empty, and MiB of memory."""
    programs = {f"bin/{name}": elf for name, elf in image.programs().items()}
    return Workload(commands, programs | dict(files or {}), disk, memory)


def boot(
    *commands: str, kernel: bytes | None = None, files: Mapping[str, bytes] | None = None, disk: bytes = b""
) -> Run:
    return Machine().run(kernel or image.kernel(), workload(*commands, files=files, disk=disk))


def statuses(run: Run) -> list[int]:
    return [status for _, status in run.exits]
