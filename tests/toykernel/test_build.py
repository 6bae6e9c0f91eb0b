"""Other builds of the same sources: byte for byte the image, or another kernel that does the same."""

from __future__ import annotations

import importlib.util
import io
import re
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from elftools.elf.elffile import ELFFile

from tests.toykernel.boots import boot, needs_qemu, workload
from tests.toykernel.disk_model import random_script
from toykernel import build, disk, image, metamorphic
from toykernel.machine import Qemu, Run

needs_zig = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")


def gcc_works() -> bool:
    try:
        build.kernel("gcc")
    except build.BuildError:
        return False
    return True


needs_gcc = pytest.mark.skipif(not shutil.which("gcc") or not gcc_works(), reason="no gcc that takes -m32")

COMMANDS = ("hello", "readseek 8192 2", "calls", "files", "files devices", "files leaks", "fault divide", "hello")
VARIANTS = [
    *(
        pytest.param("zig", optimize, unit, seed, marks=needs_zig)
        for optimize, unit, seed in [("-O2", False, 1), ("-O1", False, 2), ("-Os", True, 3), ("-O1", True, None)]
    ),
    *(
        pytest.param("gcc", optimize, unit, seed, marks=needs_gcc)
        for optimize, unit, seed in [("-O2", False, None), ("-Os", False, 4), ("-O3", True, 5), ("-O1", False, 6)]
    ),
]


def with_disk(kernel: bytes) -> Run:
    script = random_script(1, 25).encode()
    return boot(*COMMANDS, "edit /script", kernel=kernel, files={"script": script}, disk=disk.empty())


@needs_zig
def test_rebuilding_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere, and with an empty cache."""
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert build.kernel() == image.kernel()
    assert build.kernel(one_unit=True) == image.kernel_one_unit()
    assert build.programs() == image.programs()


@pytest.mark.parametrize(("compiler", "optimize", "one_unit", "shuffle"), VARIANTS)
def test_another_build_does_the_same(compiler: str, optimize: str, one_unit: bool, shuffle: int | None) -> None:
    kernel = build.kernel(compiler, optimize, one_unit, shuffle)
    original, other = with_disk(image.kernel()), with_disk(kernel)
    assert kernel != image.kernel()
    assert other.disk == original.disk != disk.empty()
    assert other.console == original.console
    assert other.exits == original.exits
    assert [call.result for call in other.calls] == [call.result for call in original.calls]


def test_one_unit_does_the_same() -> None:
    original, other = with_disk(image.kernel()), with_disk(image.kernel_one_unit())
    assert (other.console, other.exits, other.disk) == (original.console, original.exits, original.disk)


@needs_qemu
def test_one_unit_on_qemu() -> None:
    original, other = (
        Qemu().console(kernel, workload(*COMMANDS)) for kernel in (image.kernel(), image.kernel_one_unit())
    )
    assert original == other


@needs_qemu
@needs_gcc
def test_metamorphic_gcc_on_qemu() -> None:
    console = Qemu().console(build.kernel("gcc", "-Os", shuffle=9), workload(*COMMANDS))
    assert console == boot(*COMMANDS).console


@needs_gcc
def test_programs_of_another_compiler_do_the_same() -> None:
    others = {f"bin/{name}": elf for name, elf in build.programs("gcc", "-Os").items()}
    assert boot(*COMMANDS, files=others).console == boot(*COMMANDS).console


@needs_zig
def test_shuffled_kernel_shares_only_the_contract_names() -> None:
    def names(elf: bytes) -> set[str]:
        table = ELFFile(io.BytesIO(elf)).get_section_by_name(".symtab")
        return {symbol.name for symbol in table.iter_symbols() if symbol["st_info"]["type"] == "STT_FUNC"}

    first, again, second = (build.kernel(shuffle=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != second
    common = names(first) & names(image.kernel())
    assert {"system_call", "sys_lseek", "_start", "__copy_to_user"} <= common
    assert not {"fget", "fput", "generic_file_read", "file_read_actor", "grab_cache_page"} & common


def test_shuffling_keeps_what_others_lay_out() -> None:
    sources = build.sources("kernel")
    shuffled = metamorphic.shuffled(sources, 1)
    for name in ("include/regs.h", "include/elf.h", "entry.S", "kernel.ld"):
        assert shuffled[name] == sources[name]
    multiboot = re.compile(r"struct multiboot_info {.*?};", re.S)
    assert multiboot.findall(shuffled["main.c"]) == multiboot.findall(sources["main.c"]) != []
    task = shuffled["include/sched.h"]
    assert task.index("need_resched;") < task.index("sigpending;") < task.index("esp; ")
    assert shuffled["include/fs.h"] != sources["include/fs.h"]
    for name, text in shuffled.items():
        assert set(sources[name].split()) <= set(text.split()), name


def test_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(build.main, arguments)
        return result.exit_code, result.output

    assert run("--check") == (0, "")
    assert run("--compiler", "gcc")[0] == 2
    assert run("--compiler", "tcc", "--out", str(tmp_path))[0] == 2
    monkeypatch.setenv("PATH", "")
    assert run("--compiler", "gcc", "--out", str(tmp_path)) == (3, "build: gcc is not installed\n")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert run("--out", str(tmp_path)) == (3, "build: /nowhere/python is not installed\n")
    assert list(tmp_path.iterdir()) == []


@needs_zig
def test_writes_a_directory(tmp_path: Path) -> None:
    result = CliRunner().invoke(build.main, ["--optimize", "-Os", "--shuffle", "3", "--out", str(tmp_path / "new")])
    assert result.exit_code == 0
    built = (tmp_path / "new" / "kernel.elf").read_bytes()
    assert boot("hello", kernel=built).console == b"hello from process 2, ring 3\n"
    assert (tmp_path / "new" / "kernel.contract.toml").read_text() == image.contract()
    assert build.stale() == []
