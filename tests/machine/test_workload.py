"""The archive and the command line that a kernel is given."""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest

from toykernel.machine import MachineError, Workload, archive
from toykernel.machine.frames import frames
from toykernel.machine.memory import Memory
from toykernel.machine.multiboot import load, parse
from toykernel.machine.workload import command_line

from .guest import guest

FILES = {"bin/hello": b"\x7fELF", "a": b"", "data": bytes(range(7)), "deep/er/x": b"1234"}


def test_equal_files_make_equal_archives():
    assert archive(FILES) == archive(dict(reversed(FILES.items())))
    assert archive(FILES).startswith(b"070701")
    assert len(archive(FILES)) % 4 == 0
    assert b"TRAILER!!!" in archive({})


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_cpio_reads_the_archive(tmp_path):
    command = ["cpio", "--extract", "--make-directories", "--quiet"]
    subprocess.run(command, input=archive(FILES), cwd=tmp_path, check=True)
    found = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == FILES


def test_the_information_for_the_kernel():
    memory = Memory()
    image = parse(guest("jmp ."))
    at, places = load(image, memory, [b"module" * 1000, b"disk"], command_line(Workload(["one 1", "two"])))
    flags, low, high, _, text, count, modules = struct.unpack_from("<7I", memory.raw, at)
    assert (flags & 0b1101, low, high, count) == (0b1101, 640, 63 << 10, 2)
    assert memory.raw[text : text + 18] == b"kernel one 1; two\0"
    end = image.end
    for number, content in enumerate((b"module" * 1000, b"disk")):
        start, behind = struct.unpack_from("<II", memory.raw, modules + 16 * number)
        assert start == places[number] >= end
        assert start % 4096 == 0
        assert memory.raw[start:behind] == content
        end = behind


def test_frames_of_a_profile():
    sent = struct.pack("<II", 2, 3) + b"abc" + struct.pack("<II", 0, 0) + struct.pack("<II", 2, 1) + b"z"
    assert frames(sent) == {2: b"z", 0: b""}
    assert frames(b"") == {}
    for broken in (sent[:-1], sent[:5], struct.pack("<II", 1, 0xFFFFFFFF)):
        with pytest.raises(MachineError, match="breaks off"):
            frames(broken)
