"""Rebuild `image/` byte for byte with the pinned compiler, or the same sources in other ways for tests.

    python -m toykernel.build                         rebuild image/
    python -m toykernel.build --check                 is image/ what the sources say?  Needs no compiler
    python -m toykernel.build --compiler gcc --optimize Os --shuffle 7 --out DIR

The pinned compiler is zig 0.15.2 (the package `ziglang`), used in two steps because `zig cc` does not pass
--emit-relocs on.  Sources are copied to an empty directory first, so that no path of this machine gets in.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toykernel.image import PROGRAMS

HERE = Path(__file__).parent
IMAGE = HERE / "image"
SUFFIXES = (".c", ".h", ".S", ".ld")
LIBRARY = ("crt0.S", "print.c", "string.c")  # linked to each program

COMMON = """-m32 -std=gnu11 -ffreestanding -g0 -fno-pic -fno-stack-protector -fomit-frame-pointer
    -fno-asynchronous-unwind-tables -fno-strict-aliasing -mno-sse -mno-mmx -Wall -Wextra -Werror""".split()
ZIG = """-target x86-freestanding-none -mcpu=i686 -fno-sanitize=all -mstack-alignment=4""".split()
GCC = """-march=i686 -mpreferred-stack-boundary=2 -fcf-protection=none -mgeneral-regs-only""".split()


class BuildError(RuntimeError):
    """A compiler is missing or refused the sources; the message is its own."""


@dataclass(frozen=True)
class Toolchain:
    compile: tuple[str, ...]  # followed by -c SOURCE -o OBJECT
    link: tuple[str, ...]  # followed by -T SCRIPT -o IMAGE OBJECT…


def toolchain(compiler: str = "zig", optimize: str = "-O2") -> Toolchain:
    """The commands of `zig` or `gcc`."""
    if compiler == "zig":
        zig = (sys.executable, "-m", "ziglang")
        link = "ld.lld -m elf_i386 -nostdlib -static --emit-relocs --build-id=none".split()
        return Toolchain((*zig, "cc", *ZIG, *COMMON, optimize), (*zig, *link))
    if compiler == "gcc":
        link = "-m32 -nostdlib -static -no-pie -Wl,--emit-relocs,--build-id=none,--no-warn-rwx-segments".split()
        return Toolchain(("gcc", *GCC, *COMMON, optimize), ("gcc", *link))
    raise BuildError(f"no compiler {compiler!r}: zig or gcc")


def sources(folder: str) -> dict[str, str]:
    """The texts of `kernel` or `programs` by path below that folder."""
    root = HERE / folder
    paths = sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES)
    return {path.relative_to(root).as_posix(): path.read_text() for path in paths}


def kernel(compiler: str = "zig", optimize: str = "-O2", one_unit: bool = False, shuffle: int | None = None) -> bytes:
    """Build the kernel and return its ELF image.  Raises BuildError."""
    texts = sources("kernel")
    units = [name for name in texts if name.endswith((".c", ".S"))]
    if one_unit:
        texts["one_unit.c"] = "".join(f'#include "{name}"\n' for name in units if name.endswith(".c"))
        units = [name for name in units if name.endswith(".S")] + ["one_unit.c"]
    return _build(texts, units, "kernel.ld", toolchain(compiler, optimize))


def programs(compiler: str = "zig", optimize: str = "-O2") -> dict[str, bytes]:
    """Build all programs and return their ELF images by name.  Raises BuildError."""
    texts, tools = sources("programs"), toolchain(compiler, optimize)
    return {name: _build(texts, [*LIBRARY, f"{name}.c"], "program.ld", tools) for name in PROGRAMS}


def _build(texts: Mapping[str, str], units: Sequence[str], script: str, tools: Toolchain) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda unit: _run([*tools.compile, "-Iinclude", "-I.", "-c", unit, "-o", f"{unit}.o"], root), units
                )
            )
        _run([*tools.link, "-T", script, "-o", "image.elf", *(f"{unit}.o" for unit in units)], root)
        return (root / "image.elf").read_bytes()


def _run(command: Sequence[str], directory: Path) -> None:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed") from None
    if done.returncode:
        raise BuildError(done.stderr.strip() or f"{command[0]} failed")


def write_image(out: Path) -> None:
    """Fill a directory with everything that `image/` holds but its checksums."""
    (out / "bin").mkdir(parents=True, exist_ok=True)
    (out / "kernel.elf").write_bytes(kernel())
    (out / "kernel-one-unit.elf").write_bytes(kernel(one_unit=True))
    for name, image in programs().items():
        (out / "bin" / name).write_bytes(image)
    if out != IMAGE:
        shutil.copy(IMAGE / "kernel.contract.toml", out)


def checksums() -> str:
    """One line for each image and each source, as sha256sum prints them in this folder."""
    paths = [HERE / "build.py", IMAGE / "kernel.elf", IMAGE / "kernel-one-unit.elf", IMAGE / "kernel.contract.toml"]
    paths += [IMAGE / "bin" / name for name in PROGRAMS]
    for folder in ("kernel", "programs"):
        paths += [HERE / folder / name for name in sources(folder)]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(HERE).as_posix()}" for path in paths]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_image(IMAGE)
    (IMAGE / "SHA256SUMS").write_text(checksums())
