"""The kernel with lseek(fd, 0, SEEK_SET) by hand (`limit.s`), from the gate to the `iret`: what is to be reached.

It takes the place of the new call of the same number, behind the same dispatch, so that the same programs run on it.
"""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from rewriter.analysis.depths import Depths
from rewriter.analysis.entrance import Entrance, entrance
from rewriter.analysis.graph import Index
from rewriter.elf import emit, load
from rewriter.ir import Program
from rewriter.options import System
from rewriter.passes.dispatch import Door, dispatch
from rewriter.phases.layout import set_handler, write_tag
from rewriter.verify import verify
from tests.passes.assembly import program
from toykernel import build

TEXT = (Path(__file__).parent / "limit.s").read_text()
OFFSETS = {
    "TASK_FILES": "struct task, files",
    "F_COUNT": "struct file, f_count",
    "F_OP": "struct file, f_op",
    "F_INODE": "struct file, f_inode",
    "I_SB": "struct inode, i_sb",
    "S_MAXBYTES": "struct super_block, s_maxbytes",
    "F_POS": "struct file, f_pos",
}


def by_hand(system: System, variants: list[dict[str, Any]], identity: int) -> bytes:
    """The original kernel with the numbers of these variants: lseek's goes to the code by hand, the others' to the
    handlers that they had."""
    kernel = load(system.kernel, system.contract)
    way = entrance(kernel, system.contract, Depths(Index(kernel), system.contract), {})
    number = next(v["number"] for v in variants if v["call"] == "lseek")
    for v in variants:
        set_handler(kernel, system.contract, v["number"], "by_table" if v["number"] == number else f"sys_{v['call']}")
    dispatch(kernel, way, {v["number"]: Door("by_hand", v["calls"]) for v in variants if v["number"] == number})
    kernel.functions += _assembled(kernel, way, number)
    assert verify(kernel) == []
    write_tag(kernel, system.contract, identity)
    return emit(kernel)


def _assembled(kernel: Program, way: Entrance, number: int) -> list[Any]:
    old = kernel.function(way.function).blocks[-1].label
    text = TEXT.replace("OLD", old).replace("BACK", way.back[0]).replace("NUMBER", str(number))
    text = text.replace("NR_OPEN - 1", str(_offsets()["NR_OPEN"] - 1))
    for name, value in _offsets().items():
        text = re.sub(rf"\b{name}( \+ 4)?\b", lambda m, n=value: str(n + (4 if m[1] else 0)), text)
    return program(text).functions


def _offsets() -> dict[str, int]:
    """Where the fields lie, as the compiler sees it."""
    names = [*(f"__builtin_offsetof({field})" for field in OFFSETS.values()), "NR_OPEN"]
    source = f'#include "sched.h"\n#include "fs.h"\nconst u32 offsets[] = {{{", ".join(names)}}};\n'
    with tempfile.TemporaryDirectory() as directory:
        unit = Path(directory) / "offsets.c"
        unit.write_text(source)
        command = [*build.toolchain("zig", "-O2").compile, "-I", str(build.HERE / "kernel" / "include")]
        subprocess.run([*command, "-c", str(unit), "-o", f"{unit}.o"], check=True, cwd=directory)
        elf = ELFFile(io.BytesIO(Path(f"{unit}.o").read_bytes()))
        raw = elf.get_section_by_name(".rodata").data()
    values = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), 4)]
    return dict(zip([*OFFSETS, "NR_OPEN"], values, strict=True))
