"""Rebuild `image/` byte for byte with the pinned compiler, or the same sources in other ways for tests.

    python -m toykernel.build                         rebuild image/
    python -m toykernel.build --check                 is image/ what the sources say?  Needs no compiler
    python -m toykernel.build --compiler gcc --optimize -Os --shuffle 7 --out DIR

The pinned compiler is zig 0.15.2 (the package `ziglang`), used in two steps because `zig cc` does not pass
--emit-relocs on.  Sources are copied to an empty directory first, so that no path of this machine gets in.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
from elftools.elf.elffile import ELFFile

from toykernel import image, metamorphic
from toykernel.image import PROGRAMS

HERE = Path(__file__).parent
IMAGE = HERE / "image"
SUFFIXES = (".c", ".h", ".S", ".ld")
LIBRARY = ("crt0.S", "print.c", "string.c")  # linked to each program

COMMON = ["-m32", "-std=gnu2x", "-ffreestanding", "-g0", "-fno-pic", "-fno-stack-protector", "-fomit-frame-pointer"]
COMMON += ["-fno-asynchronous-unwind-tables", "-fno-strict-aliasing", "-mno-sse", "-mno-mmx"]
COMMON += ["-Wall", "-Wextra", "-Werror", "-I.", "-Iinclude"]
ZIG = ["-target", "x86-freestanding-none", "-mcpu=i686", "-mstack-alignment=4", "-fno-sanitize=all"]
ZIG_LINK = ["ld.lld", "-m", "elf_i386", "-nostdlib", "-static", "--emit-relocs", "--build-id=none"]
GCC = ["-march=i686", "-mpreferred-stack-boundary=2", "-fcf-protection=none", "-mgeneral-regs-only"]
GCC_LINK = ["-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--emit-relocs,--build-id=none,--no-warn-rwx-segments"]


class BuildError(RuntimeError):
    """A compiler is missing (status 3) or refused the sources (status 1); the message is its own."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Toolchain:
    compile: tuple[str, ...]  # followed by -c SOURCE -o OBJECT
    link: tuple[str, ...]  # followed by -T SCRIPT -o IMAGE OBJECT…


def toolchain(compiler: str, optimize: str) -> Toolchain:
    """The commands of `zig` or `gcc`; optimize is an option such as -O2.  Raises BuildError."""
    zig = (sys.executable, "-m", "ziglang")
    if compiler == "zig":
        return Toolchain((*zig, "cc", *ZIG, *COMMON, optimize), (*zig, *ZIG_LINK))
    if compiler == "gcc":
        return Toolchain(("gcc", *GCC, *COMMON, optimize), ("gcc", *GCC_LINK))
    raise BuildError(f"no compiler {compiler!r}: zig or gcc")


def sources(folder: str) -> dict[str, str]:
    """The texts of `kernel` or `programs` by path below that folder."""
    root = HERE / folder
    paths = sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES)
    return {path.relative_to(root).as_posix(): path.read_text() for path in paths}


def kernel(compiler: str = "zig", optimize: str = "-O2", one_unit: bool = False, shuffle: int | None = None) -> bytes:
    """Build the kernel and return its ELF image.  Raises BuildError.

    one_unit: all C files as one translation unit, in which the compiler sees everything.
    shuffle: the seed of a metamorphic build (`metamorphic.py`).
    """
    texts, tools = sources("kernel"), toolchain(compiler, optimize)
    units = [name for name in texts if name.endswith((".c", ".S"))]
    if shuffle is not None:
        texts = metamorphic.shuffled(texts, shuffle)
        texts["renames.h"] = metamorphic.renames(image.kernel(), image.contract(), shuffle)
        tools = Toolchain((*tools.compile, "-include", "renames.h"), tools.link)
        random.Random(shuffle).shuffle(units)
    if one_unit:
        texts["one_unit.c"] = "".join(f'#include "{name}"\n' for name in units if name.endswith(".c"))
        units = [name for name in units if name.endswith(".S")] + ["one_unit.c"]
    elf = _build(texts, units, "kernel.ld", tools)
    if not _exceptions_sorted(elf):
        raise BuildError("the exception table is not sorted: this compiler does not keep code in order")
    return elf


def _exceptions_sorted(elf: bytes) -> bool:
    section = ELFFile(io.BytesIO(elf)).get_section_by_name("__ex_table")
    table = section.data() if section else b""
    instructions = [int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 8)]
    return instructions == sorted(instructions)


def programs(compiler: str = "zig", optimize: str = "-O2", names: Sequence[str] = PROGRAMS) -> dict[str, bytes]:
    """Build programs and return their ELF images by name.  Raises BuildError."""
    texts, tools = sources("programs"), toolchain(compiler, optimize)
    return {name: _build(texts, [*LIBRARY, *_units(name, texts)], "program.ld", tools) for name in names}


def _units(program: str, texts: Mapping[str, str]) -> list[str]:
    """A program is one C file, and one of assembly where it needs that; or a folder of them.  What it includes a
    header of is linked to it, too."""
    units = [unit for unit in texts if unit.endswith((".c", ".S")) and program in (unit[:-2], unit.partition("/")[0])]
    units.sort(key=lambda unit: (unit.endswith(".S"), unit))
    for unit in units:
        included = (name.replace(".h", ".c") for name in re.findall(r'^#include "(.+)"$', texts[unit], re.MULTILINE))
        units += [other for other in included if other in texts and other not in units]
    return units


def _build(texts: Mapping[str, str], units: Sequence[str], script: str, tools: Toolchain) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        commands = [[*tools.compile, "-c", unit, "-o", f"{unit}.o"] for unit in units]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda command: _run(command, root), commands))
        _run([*tools.link, "-T", script, "-o", "image.elf", *(f"{unit}.o" for unit in units)], root)
        return (root / "image.elf").read_bytes()


def _run(command: Sequence[str], directory: Path) -> None:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed", 3) from None
    if "No module named ziglang" in done.stderr:
        raise BuildError("the package ziglang is not installed: pip install 'hotpath[test]'", 3)
    if done.returncode:
        raise BuildError(done.stderr.strip() or f"{command[0]} failed")


def checksums() -> str:
    """One line for each image and each source, as `sha256sum -c` in this folder reads them."""
    names = ["build.py", "image/kernel.elf", "image/kernel-one-unit.elf", "image/kernel.contract.toml"]
    names += [f"image/bin/{name}" for name in PROGRAMS]
    names += [f"{folder}/{name}" for folder in ("kernel", "programs") for name in sources(folder)]
    found = [name for name in names if (HERE / name).is_file()]
    return "".join(f"{hashlib.sha256((HERE / name).read_bytes()).hexdigest()}  {name}\n" for name in found)


def stale() -> list[str]:
    """The files that are not as SHA256SUMS recorded them, also those that are new or gone."""
    recorded = set((IMAGE / "SHA256SUMS").read_text().splitlines())
    return sorted({line.split()[1] for line in recorded ^ set(checksums().splitlines())})


@click.command(help="Rebuild the kernel and its programs with the pinned compiler, or in other ways for tests.")
@click.option("--check", is_flag=True, help="Only say whether image/ is what the sources make; needs no compiler.")
@click.option("--compiler", type=click.Choice(["zig", "gcc"]), default="zig", show_default=True)
@click.option("--optimize", default="-O2", show_default=True, help="-O1, -Os, -O3 …")
@click.option("--one-unit", is_flag=True, help="All C files as one translation unit.")
@click.option("--shuffle", type=int, help="Seed for other names and another order of fields, functions and files.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where to write, instead of image/.")
def main(check: bool, compiler: str, optimize: str, one_unit: bool, shuffle: int | None, out: Path | None) -> None:
    if check:
        for name in (changed := stale()):
            click.echo(f"toykernel/{name} is not as recorded: run python -m toykernel.build", err=True)
        sys.exit(1 if changed else 0)
    pinned = (compiler, optimize, one_unit, shuffle) == ("zig", "-O2", False, None)
    if not pinned and out is None:
        raise click.UsageError("image/ holds the pinned build only: say --out where this one goes")
    try:
        images = {"kernel.elf": kernel(compiler, optimize, one_unit, shuffle)}
        if pinned:
            images["kernel-one-unit.elf"] = kernel(one_unit=True)
        images |= {f"bin/{name}": elf for name, elf in programs(compiler, optimize).items()}
    except BuildError as error:
        click.echo(f"build: {error}", err=True)
        sys.exit(error.status)
    _write(images, out)


def _write(images: Mapping[str, bytes], out: Path | None) -> None:
    """Everything is built by now, so that nothing is left half-written."""
    directory = out or IMAGE
    (directory / "bin").mkdir(parents=True, exist_ok=True)
    for name, elf in images.items():
        (directory / name).write_bytes(elf)
    if out is None:
        (IMAGE / "SHA256SUMS").write_text(checksums())
    else:
        (out / "kernel.contract.toml").write_text(image.contract())


if __name__ == "__main__":
    main()
