"""Files by name, by descriptor and by content: the corners of each call, and that everything is given back."""

from __future__ import annotations

from pathlib import Path

from tests.toykernel.boots import boot, needs_qemu, statuses, workload
from toykernel import image
from toykernel.machine import Qemu

FILES = (Path(__file__).parent / "files.txt").read_text()  # what Linux prints, too
DEVICES = (Path(__file__).parent / "devices.txt").read_text()


def test_files() -> None:
    run = boot("files", "files")
    assert run.console.decode() == FILES * 2
    assert statuses(run) == [0, 0]


def test_files_on_linux(on_linux) -> None:
    assert on_linux("files") == (0, FILES)


def test_devices() -> None:
    assert boot("files devices").console.decode() == DEVICES


@needs_qemu
def test_on_qemu() -> None:
    console = Qemu().console(image.kernel(), workload("files", "files devices", "files leaks"))
    assert console.decode() == FILES + DEVICES + "no leaks\n"


def test_memory_runs_out() -> None:
    """A file takes all but a reserve, names take that; then something is given back, and everything works again."""
    run = boot("files full", "hello", files={"ballast": bytes(28 << 20)})
    lines = run.console.decode().splitlines()
    assert lines[-2:] == ["no leaks", "hello from process 3, ring 3"]
    assert lines.count("  no more = -12") == 2
    assert "  write(fd, buffer, PAGE) = 4096" in lines


def test_nothing_leaks() -> None:
    """Counters of free pages, cached pages, files, inodes, names and pipes are what they were."""
    assert boot("files leaks").console == b"no leaks\n"
