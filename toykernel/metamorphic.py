"""The same kernel, looking different (DESIGN §5): names, the order of fields, functions and files, by a seed.

Who rewrites kernels must not depend on any of it.  The sources are C as clang-format leaves it, with the brace
of a function on a line of its own, one field a line, and types before the first function; that is all that the
few regular expressions here rely on.
"""

from __future__ import annotations

import io
import random
import re
import tomllib
from collections.abc import Mapping

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

# Structures that the processor, a file format, the assembly, or an initializer without names lays out.
FIXED = {"cpio_header", "elf_header", "elf_segment", "exception_entry", "gate", "kprofile_area", "multiboot_info"}
FIXED |= {"ext_entry", "ext_inode", "ext_super_block", "log_record"}
FIXED |= {"multiboot_module", "pt_regs", "stamp", "trap", "tss"}
# Those that programs see.
FIXED |= {"dirent", "stat", "timespec", "tms", "trace_entry", "utsname"}

# Names that the compiler or the linker script uses.
KEPT = {"memcpy", "memset", "memcmp", "PAGE_OFFSET", "start_physical"}

FUNCTION = re.compile(
    r"(?:^/\*(?:[^*]|\*[^/])*\*/\n)?^((?:[a-z]|SYSCALL_DEFINE)[^\n;{}=]*\w\([^;{}=]*\))\n\{\n.*?^\}\n\n?", re.M | re.S
)
STRUCTURE = re.compile(r"^(struct (\w+) \{\n)(.*?)^(\})", re.M | re.S)


def shuffled(texts: Mapping[str, str], seed: int) -> dict[str, str]:
    """The sources with the functions of each file and the fields of each structure in another order."""
    chance = random.Random(seed)
    result = {}
    for name, text in sorted(texts.items()):
        if name.endswith((".c", ".h")):
            text = STRUCTURE.sub(lambda match: _shuffle_fields(match, chance), text)
        result[name] = _shuffle_functions(text, chance) if name.endswith(".c") else text
    return result


def _shuffle_fields(match: re.Match[str], chance: random.Random) -> str:
    head, name, body, tail = match.groups()
    fields = body.splitlines(keepends=True)
    if name in FIXED:
        return match.group()
    free = [place for place, field in enumerate(fields) if "known to" not in field]
    order = free[:]
    chance.shuffle(order)
    moved = dict(zip(free, order, strict=True))
    return head + "".join(fields[moved.get(place, place)] for place in range(len(fields))) + tail


def _shuffle_functions(text: str, chance: random.Random) -> str:
    """Types first, then prototypes, then what lay between functions, then the functions."""
    functions = list(FUNCTION.finditer(text))
    if not functions:
        return text
    prototypes = "".join(f"{match.group(1)};\n" for match in functions if not match.group(1).startswith("SYSCALL"))
    between = FUNCTION.sub("", text[functions[0].start() :])
    bodies = [match.group() for match in functions]
    chance.shuffle(bodies)
    return text[: functions[0].start()] + prototypes + between + "\n" + "".join(f"{body}\n" for body in bodies)


def renames(kernel: bytes, contract: str, seed: int) -> str:
    """Preprocessor definitions that give every symbol of a kernel another name, but those in its contract."""
    kept = KEPT | set(re.findall(r"\w+", " ".join(_strings(tomllib.loads(contract)))))
    prefix = tomllib.loads(contract)["system_calls"]["prefix"]
    table = ELFFile(io.BytesIO(kernel)).get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    found = {symbol.name for symbol in table.iter_symbols() if symbol["st_info"]["type"] != "STT_FILE"}
    names = sorted(
        name for name in found - kept if re.fullmatch(r"[A-Za-z_]\w*", name) and not name.startswith((prefix, "_"))
    )
    random.Random(seed).shuffle(names)
    return "".join(f"#define {name} renamed_{number}\n" for number, name in enumerate(names))


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []
