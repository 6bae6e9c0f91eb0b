"""The order of the house, read from the sources: imports go down only, libraries stay in their rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("toykernel", "rewriter", "tui")
LONGEST = 400  # lines of a file; around 200 is what we want

# A module may import modules of its own floor and of those below.
FLOORS = (
    ("rewriter.ir", "rewriter.reasons", "rewriter.report", "rewriter.facts", "rewriter.garbage"),
    (
        "rewriter.x86",
        "rewriter.show",
        "rewriter.edit",
        "rewriter.verify",
        "rewriter.contract",
        "rewriter.profile",
        "rewriter.run",
        "rewriter.options",
        "rewriter.behavior",
        "rewriter.certificate",
        "rewriter.alongside",
    ),
    ("rewriter.elf", "rewriter.analysis", "rewriter.probes"),
    ("rewriter.passes", "rewriter.region", "rewriter.variants", "rewriter.bisection"),
    ("rewriter.phases",),
    ("rewriter.pipeline", "rewriter.bisect_kernel"),
    ("rewriter.ablation",),
    ("tui",),
)
# Only modules that match may import the library.
ROOMS = {
    "unicorn": ("toykernel.machine*",),
    "keystone": ("rewriter.x86.encode*",),
    "capstone": ("rewriter.x86.decode*", "toykernel.machine.blocks", "toykernel.machine.cycle*"),
    "elftools": ("rewriter.elf*", "toykernel.build*", "toykernel.metamorphic*"),
    "textual": ("tui*",),
    "rich": ("tui*",),
    "click": ("tui*", "toykernel.build*"),
}
FOREIGN = (("toykernel", "rewriter"), ("toykernel", "tui"), ("rewriter", "toykernel"), ("rewriter", "tui"))


def sources() -> dict[str, Path]:
    """Every Python file of the packages, by module name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Names of modules that the source imports anywhere: `from a import b` gives `a.b`, so that `b` may be a module."""
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join(start + ([node.module] if node.module else []))
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def all_imports() -> Iterator[tuple[str, str]]:
    """(importing module, imported name)."""
    for module, path in sources().items():
        for name in imports(path.read_text(encoding="utf-8"), module, path.name == "__init__.py"):
            yield module, name


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def floor(name: str) -> int | None:
    """The floor of a module, None if it has none (`rewriter` itself, other packages)."""
    for number, members in enumerate(FLOORS):
        if any(within(name, member) for member in members):
            return number
    return None


def misplaced(module: str, name: str) -> str | None:
    """Why this import breaks the order of the house, or None."""
    if any(within(module, user) and within(name, used) for user, used in FOREIGN):
        return f"{module} and {name} must not know each other"
    mine, theirs = floor(module), floor(name)
    if mine is not None and theirs is not None and theirs > mine:
        return f"{module} on floor {mine} imports {name} from floor {theirs}"
    for library, rooms in ROOMS.items():
        if within(name, library) and not any(fnmatch(module, room) for room in rooms):
            return f"{module} imports {library}, which belongs to {', '.join(rooms)}"
    return None


def test_imports_go_down_and_libraries_stay_in_their_rooms() -> None:
    assert [why for module, name in all_imports() if (why := misplaced(module, name))] == []


def test_every_module_of_the_rewriter_has_a_floor() -> None:
    assert [module for module in sources() if floor(module) is None] == [
        module for module in sources() if module == "rewriter" or within(module, "toykernel")
    ]


def test_no_file_is_a_warehouse() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in sources().items()}
    assert {module: length for module, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("rewriter.ir", "import rewriter.elf.load"),
        ("rewriter.ir", "from rewriter import run"),
        ("rewriter.passes.inline", "def f():\n from rewriter.phases import inline"),
        ("rewriter.passes.inline", "from ..phases import inline"),
        ("rewriter.elf.load", "from toykernel import image"),
        ("toykernel.machine.cpu", "import importlib\nimportlib.import_module('rewriter.run')"),
        ("toykernel.machine.cpu", "import rich"),
        ("rewriter.x86.effects", "def f():\n import keystone"),
        ("rewriter.x86.effects", "from capstone import x86"),
        ("rewriter.pipeline", "import tui.app"),
        ("tui.app", "import unicorn"),
    ],
)
def test_the_check_sees(module: str, line: str) -> None:
    assert any(misplaced(module, name) for name in imports(line, module, is_package=False))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("rewriter.phases.inline", "from rewriter.passes import inline"),
        ("rewriter.passes.inline", "from . import fold"),
        ("toykernel.machine.cycles", "import capstone"),
        ("tui.app", "from toykernel import image\nimport rewriter.pipeline\nimport textual.app"),
    ],
)
def test_the_check_allows(module: str, line: str) -> None:
    assert not any(misplaced(module, name) for name in imports(line, module, is_package=False))
