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


def test_nothing_leaks() -> None:
    """Counters of free pages, cached pages, files, inodes, names and pipes are what they were."""
    assert boot("files leaks").console == b"no leaks\n"
