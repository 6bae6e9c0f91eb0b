"""What the kernel shows to programs, on our PC and on QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.toykernel.boots import boot, needs_qemu, statuses, workload
from toykernel import image
from toykernel.machine import MachineError, Qemu

CALLS = (Path(__file__).parent / "calls.txt").read_text()
SIGILL, SIGTRAP, SIGFPE, SIGSEGV = 132, 133, 136, 139
DEATHS = {
    **dict.fromkeys(("read-null", "write-code", "read-kernel", "jump-kernel", "deep-stack", "lost-stack"), SIGSEGV),
    **dict.fromkeys(("halt", "no-interrupts", "page-directory", "bad-gate", "kernel-gate", "bad-segment"), SIGSEGV),
    **{"divide": SIGFPE, "coprocessor": SIGFPE, "invalid": SIGILL, "breakpoint": SIGTRAP},
}


def readseek_checksum(size: int) -> int:
    """What readseek should find in its file, computed from the description of its contents alone."""
    total = 0
    common = b"".join((at * 2654435761 & 0xFFFFFFFF).to_bytes(4, "little") for at in range(0, 4096, 4))
    for start in range(0, size, 4096):
        block = ((start // 4096 + 1).to_bytes(4, "little") + common[4:])[: size - start]
        for byte in block[::61]:
            total = ((total << 1 | total >> 31) + byte) & 0xFFFFFFFF
        total += len(block)
    return total & 0xFFFFFFFF


def expected(size: int, repetitions: int) -> str:
    return f"readseek: {size} bytes, {repetitions} repetitions, checksum {readseek_checksum(size):x}\n"


def test_console() -> None:
    run = boot("hello one two", "readseek 8192 2", "calls")
    hello = "hello from process 2, ring 3\nargument 1: one\nargument 2: two\n"
    assert run.console.decode() == hello + expected(8192, 2) + CALLS
    assert statuses(run) == [0, 0, 0]


@needs_qemu
def test_console_on_qemu() -> None:
    console = Qemu().console(image.kernel(), workload("hello", "readseek 8192 2", "calls"))
    assert console.decode() == "hello from process 2, ring 3\n" + expected(8192, 2) + CALLS


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 65536, 4 << 20])
def test_readseek_reads_what_it_wrote(size: int) -> None:
    run = boot(f"readseek {size} 1", f"readseek {size} 2")
    assert run.console.decode() == expected(size, 1) + expected(size, 2)


@pytest.mark.parametrize("arguments", ["", "1", "1 2 3", "x 1", "1 -1", "99999999999 1", "16777217 1"])
def test_readseek_refuses(arguments: str) -> None:
    run = boot(f"readseek {arguments}")
    assert run.console.startswith(b"usage: ")
    assert statuses(run) == [2]


def test_a_fault_ends_the_program_alone() -> None:
    run = boot(*(f"fault {kind}" for kind in DEATHS), "hello")
    assert statuses(run) == [*DEATHS.values(), 0]
    assert run.console.decode() == f"hello from process {len(DEATHS) + 2}, ring 3\n"


@needs_qemu
def test_faults_on_qemu() -> None:
    console = Qemu().console(image.kernel(), workload(*(f"fault {kind}" for kind in DEATHS), "hello"))
    assert console.decode() == f"hello from process {len(DEATHS) + 2}, ring 3\n"


def test_commands_that_cannot_run() -> None:
    run = boot("nothing", "x" * 70, ".", "../dev/console", "text", "hello", files={"bin/text": b"#!/bin/sh\n"})
    assert statuses(run) == [127, 127, 126, 126, 126, 0]


def test_nothing_to_run() -> None:
    assert boot().console == b""


def test_files_of_the_archive_are_there() -> None:
    hello = image.programs()["hello"]
    run = boot("a", files={"bin/a": hello, "deep/er/file": bytes(9000), "./dotted": b"x", "empty": b""})
    assert statuses(run) == [0]


def test_memory_comes_back_and_runs_out() -> None:
    """Files leave a few hundred pages free: one page lost with each program would soon be too many.  The last file
    does not fit."""
    fill = [f"readseek {size} 0" for size in (16 << 20, (16 << 20) - 1, (16 << 20) - 2, 11 << 20)]
    programs = {"bin/h": image.programs()["hello"], "bin/c": image.programs()["calls"]}
    run = boot(*fill, *["h"] * 400, *["c"] * 20, "readseek 9999999 0", "h", files=programs)
    assert statuses(run)[:-1] == [0] * 424 + [1]
    full, _, rest = run.console.decode().partition("readseek: cannot make /readseek.9999999: error 12\n")
    assert full.endswith(CALLS * 20)
    assert rest in ("", "hello from process 427, ring 3\n")


def test_kprofile_without_probes() -> None:
    run = boot("kprofile start blocks", "kprofile start cycles", "hello", "kprofile write cycles", "kprofile bad")
    assert statuses(run) == [1, 0, 0, 0, 2]
    assert run.console.startswith(b"kprofile: start blocks: error 19\n")
    stamps = [run.profile[4][at : at + 24] for at in range(0, len(run.profile[4]), 24)]
    numbers = [int.from_bytes(stamp[:4], "little") for stamp in stamps]
    assert numbers == [20, 4, 200]  # hello's getpid and write, and the stop; exit does not return
    for stamp in stamps:
        assert int.from_bytes(stamp[8:16], "little") < int.from_bytes(stamp[16:], "little")


def broken_kernel() -> bytes:
    """getpid begins with ud2."""
    elf = bytearray(image.kernel())
    with (Path(image.__file__).parent / "kernel.elf").open("rb") as file:
        parsed = ELFFile(file)
        symbol = parsed.get_section_by_name(".symtab").get_symbol_by_name("sys_getpid")[0]
        segment = next(s for s in parsed.iter_segments() if s["p_vaddr"] <= symbol["st_value"])
        at = symbol["st_value"] - segment["p_vaddr"] + segment["p_offset"]
    elf[at : at + 2] = b"\x0f\x0b"
    return bytes(elf)


def test_a_fault_of_the_kernel_is_a_panic() -> None:
    with pytest.raises(MachineError, match="panic: invalid opcode at c01"):
        boot("hello", kernel=broken_kernel())


@needs_qemu
def test_panic_on_qemu() -> None:
    with pytest.raises(MachineError, match=r"exit status 3.*panic: invalid opcode at c01"):
        Qemu().console(broken_kernel(), workload("hello"))
