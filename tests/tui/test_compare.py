"""`hotpath compare`: what two kernels do, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.ir import Block, Insn
from tests.tui.shell import hotpath
from toykernel import image

KERNEL = Path(image.__file__).parent / "kernel.elf"
WORK = ("-p", "readseek 8192 3")


def test_a_moved_kernel_is_the_same_at_the_same_price(tmp_path: Path) -> None:
    contract = Contract.parse(image.contract())
    (tmp_path / "moved.elf").write_bytes(emit(load(image.kernel(), contract), move=True))
    ran = hotpath("compare", str(KERNEL), str(tmp_path / "moved.elf"), *WORK, "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert found["behavior"]["same"]
    lseek = next(cost for cost in found["syscalls"] if cost["call"] == "lseek")
    assert lseek["calls"] == 2
    assert lseek["instructions"][0] == lseek["instructions"][1] > 50


def test_another_behavior_is_a_failed_check(tmp_path: Path) -> None:
    kernel = load(image.kernel(), Contract.parse(image.contract()))
    refusing = [Insn(b"\xb8\xea\xff\xff\xff"), Insn(b"\xc3")]  # mov eax, -22; ret
    kernel.function("sys_lseek").blocks = [Block("sys_lseek", refusing)]
    (tmp_path / "other.elf").write_bytes(emit(kernel))
    ran = hotpath("compare", str(KERNEL), str(tmp_path / "other.elf"), *WORK)
    assert ran.returncode == 1
    assert "number 19" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert ran.stdout.startswith("Kernel instructions of a call")


@pytest.mark.parametrize("name", ["missing.elf", "text"])
def test_a_bad_image_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"text" * 5000)
    ran = hotpath("compare", str(KERNEL), str(tmp_path / name))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"hotpath: {tmp_path / name}: ")
    assert ran.stderr.count("\n") == 1
