"""Compiling freestanding i386 programs and running them on the host: two compilers, one kind of result."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Relocations are kept: without them the rewriter has nothing to go by.
COMMON = ("-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fcf-protection=none", "-w")
LINK = ("-nostdlib", "-static", "-Wl,--emit-relocs", "-Wl,--build-id=none")
LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
# What changes the shape of code rather than its meaning.
SHAPES = (
    "-fno-omit-frame-pointer",
    "-mregparm=3",
    "-ffunction-sections",
    "-fdata-sections",
    "-falign-functions=1",
    "-fno-toplevel-reorder",
    "-fno-jump-tables",
    "-fno-inline",
    "-fomit-frame-pointer",
    "-fno-merge-constants",
    "-fno-reorder-blocks-and-partition",
    "-mno-push-args",
    "-march=i386",
    "-march=i686",
    "-mtune=atom",
)
ZIG = ("-target", "x86-freestanding-none", "-mcpu=i686", "-mno-sse", "-mno-mmx", "-fno-sanitize=all")


class BuildError(RuntimeError):
    """The compiler, assembler or linker refused the sources; the message is theirs."""


@dataclass(frozen=True)
class Outcome:
    """What a program did: bytes written to standard output, and its exit status (negative: the signal)."""

    output: bytes
    status: int


@cache
def missing() -> str | None:
    """Why programs cannot be built and run here, None if they can."""
    if shutil.which("gcc") is None:
        return "gcc is not installed"
    try:
        image = build({"probe.S": ".globl _start\n_start: movl $1, %eax\n movl $42, %ebx\n int $0x80\n"})
    except BuildError:
        return "gcc cannot build 32-bit programs (-m32)"
    try:
        return None if run(image) == Outcome(b"", 42) else "32-bit programs do not run here"
    except OSError:
        return "32-bit programs do not run here"


@cache
def missing_zig() -> str | None:
    """Why zig cannot compile here, None if it can."""
    return missing() or (None if importlib.util.find_spec("ziglang") else "ziglang is not installed")


def options(seed: int) -> tuple[str, ...]:
    """gcc's flags for a seed: every level in turn, and a few flags that change the shape of code."""
    shapes = random.Random(seed).sample(SHAPES, k=random.Random(~seed).choice((0, 0, 1, 2, 3)))
    return (LEVELS[seed % len(LEVELS)], *shapes)


def build(sources: dict[str, str], flags: Sequence[str] = (), link: Sequence[str] = ()) -> bytes:
    """The executable that gcc makes of the sources, text by file name.  Raises BuildError."""
    with tempfile.TemporaryDirectory() as directory:
        names = _write(sources, directory)
        _call(["gcc", "-m32", *COMMON, *LINK, *flags, *names, *link, "-o", "program"], directory)
        return Path(directory, "program").read_bytes()


def build_with_zig(sources: dict[str, str], flags: Sequence[str] = ()) -> bytes:
    """The same with the pinned clang and lld, in two steps: `zig cc` refuses --emit-relocs.  Raises BuildError."""
    zig = [sys.executable, "-m", "ziglang"]
    with tempfile.TemporaryDirectory() as directory:
        objects = []
        for name in _write(sources, directory):
            objects.append(f"{name}.o")
            _call([*zig, "cc", "-c", *ZIG, *COMMON[:3], "-w", *flags, name, "-o", objects[-1]], directory)
        emulation = ["-m", "elf_i386", "-nostdlib", "-static", "--emit-relocs", "--build-id=none"]
        _call([*zig, "ld.lld", *emulation, *objects, "-o", "program"], directory)
        return Path(directory, "program").read_bytes()


def run(image: bytes, seconds: float = 10.0) -> Outcome:
    """Run an executable on this machine.  Raises subprocess.TimeoutExpired where it does not end."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "program")
        path.write_bytes(image)
        path.chmod(0o755)
        done = subprocess.run([path], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    return Outcome(done.stdout, done.returncode)


def _write(sources: dict[str, str], directory: str) -> list[str]:
    for name, text in sources.items():
        Path(directory, name).write_text(text, encoding="utf-8")
    return [name for name in sources if not name.endswith((".h", ".ld"))]


def _call(command: Sequence[str], directory: str) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:3])} …: {done.stderr.strip()}")
