"""Programs by csmith (Yang, Chen, Eide and Regehr, PLDI 2011), one a seed, built without a C library."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.random_c import native

HEADERS = Path("/usr/include/csmith")  # Debian's place
PRELUDE = Path(__file__).with_name("csmith.h")
SIZES = (  # some programs are small, so that all passes have time for them; some are as csmith likes them
    ("--max-funcs", "4", "--max-block-depth", "3", "--max-expr-complexity", "5"),
    ("--max-funcs", "8", "--max-block-depth", "2", "--max-block-size", "3"),
    ("--max-funcs", "6", "--max-block-depth", "4", "--max-expr-complexity", "4"),
    (),
)
SECONDS = 3.0  # that a program may take, and csmith


@cache
def missing() -> str | None:
    """Why there are no such programs here, None if there are."""
    if shutil.which("csmith") is None:
        return "csmith is not installed"
    if not (HEADERS / "safe_math.h").exists():
        return f"csmith's headers are not in {HEADERS}"
    return native.missing()


def generate(seed: int) -> str | None:
    """The C program of this seed and version of csmith; None where csmith does not end."""
    with tempfile.TemporaryDirectory() as directory:  # it writes a file into the current one
        command = ["csmith", "--seed", str(seed), "--no-argc", "--concise", *SIZES[seed % len(SIZES)]]
        try:
            done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=SECONDS, check=True)
        except subprocess.TimeoutExpired:
            return None
    return done.stdout


def build(seed: int, source: str) -> bytes:
    """The executable, by gcc with the seed's options."""
    sources = {"program.c": source, "csmith.h": PRELUDE.read_text(encoding="utf-8")}
    flags = ("-I.", f"-I{HEADERS}", *native.options(seed))
    # libgcc divides 64 bits, with arguments on the stack.
    return native.build(sources, [flag for flag in flags if flag != "-mregparm=3"], ("-lgcc",))
