"""`hotpath boot`: the console on stdout, what went wrong in one line on stderr."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toykernel import answers
from tests.tui.shell import hotpath
from toykernel import data, image
from toykernel.machine import Qemu


def test_programs_run_one_after_the_other() -> None:
    ran = hotpath("boot", "readseek 4096 2", "hello")
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("readseek: 4096 bytes, 2 repetitions, checksum ")
    assert lines[1].startswith("hello ")


def test_programs_find_their_data() -> None:
    ran = hotpath("boot", "crc32 /data/small/noise", "wc /data/large/text")
    noise, text = data.inputs("small")["noise"], data.inputs("large")["text"]
    assert ran.stdout == answers.crc32(noise, "/data/small/noise") + answers.wc(text)


def test_a_kernel_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "kernel.elf").write_bytes(image.kernel_one_unit())
    assert hotpath("boot", "--kernel", str(tmp_path / "kernel.elf")).stdout == hotpath("boot", "hello").stdout


@pytest.mark.skipif(not Qemu.available(), reason="qemu-system-i386 is not installed")
def test_qemu_prints_the_same() -> None:
    assert hotpath("boot", "--on", "qemu", "hello").stdout == hotpath("boot", "hello").stdout


@pytest.mark.parametrize("command", ["no-such-program", "", "hello; hello", "hello \x07", "../hello"])
def test_a_command_line_that_cannot_be_run(command: str) -> None:
    ran = hotpath("boot", command)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("hotpath: ")
    assert ran.stderr.count("\n") == 1


def bad_images() -> dict[str, bytes]:
    kernel = image.kernel()
    return {
        "empty": b"",
        "text": b"not an ELF file\n" * 1000,
        "header only": kernel[:52],
        "truncated": kernel[:5000],
        "foreign": image.programs()["hello"],
    }


@pytest.mark.parametrize("name", bad_images())
def test_a_bad_image_is_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.elf"
    path.write_bytes(bad_images()[name])
    ran = hotpath("boot", "--kernel", str(path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"hotpath: {path}: ")
    assert ran.stderr.count("\n") == 1


def test_a_program_that_fails_is_a_failed_check() -> None:
    ran = hotpath("boot", "readseek 1 2 3 4 5 6 7 8")
    assert ran.returncode == 1
    assert "exited with" in ran.stderr


def test_a_program_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.v2.elf").write_bytes(image.programs()["hello"])
    ran = hotpath("boot", "--with", str(tmp_path / "mine.v2.elf"), "mine")
    assert (ran.returncode, ran.stdout) == (0, hotpath("boot", "hello").stdout)


def test_a_program_that_is_none_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"text")
    ran = hotpath("boot", "--with", str(tmp_path / "mine"), "mine")
    assert ran.returncode == 1
    assert ran.stderr == "hotpath: 'mine' exited with 126\n"
