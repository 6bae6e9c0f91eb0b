"""The programs of this folder as static images of the host's C library, and whether they can be built here."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
NAMES = tuple(sorted(path.name for path in PROGRAMS.iterdir()))
LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
LINK = ("-static", "-Wl,--emit-relocs")


@cache
def missing(compiler: str = "gcc") -> str | None:
    """Why programs cannot be built here, None if they can."""
    if shutil.which(compiler) is None:
        return f"{compiler} is not installed"
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "probe.c" if compiler == "gcc" else "probe.cc")
        source.write_text("#include <stdlib.h>\nint main(void) { exit(0); }\n", encoding="utf-8")
        done = subprocess.run(
            [compiler, "-m32", *LINK, source, "-o", Path(directory, "probe")], capture_output=True, check=False
        )
    return None if done.returncode == 0 else f"{compiler} cannot build static 32-bit programs (-m32)"


def compiler(name: str) -> str:
    return "g++" if name.endswith(".cc") else "gcc"


def sources(name: str) -> list[Path]:
    path = PROGRAMS / name
    return sorted(path.iterdir()) if path.is_dir() else [path]


def remarks(name: str, about: str) -> list[str]:
    """What the program's comments say about something, one line each."""
    lines = [line for path in sources(name) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line.removeprefix(f"// {about}: ") for line in lines if line.startswith(f"// {about}: ")]


def build(name: str, level: str) -> bytes:
    """The image of one program at one level of optimization.  Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as directory:
        image = Path(directory, "program")
        flags = ("-m32", "-w", level, *LINK, *remarks(name, "flags"))
        command = [compiler(name), *flags, *sources(name), "-o", image, "-lm"]
        subprocess.run(command, check=True, capture_output=True)
        return image.read_bytes()
