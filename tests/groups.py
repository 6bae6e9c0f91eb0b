"""Which tests one process runs, and which groups begin first: pytest-xdist deals groups out, each to one process."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Tests of these files look at one run of the pipeline; parameters are called as the run or the build that they look at.
SHARED = {
    "training set": ("phases/test_training",),
    "default": (
        *("phases/test_call_tree", "phases/test_certificate", "phases/test_kernel_tests", "phases/test_pipeline"),
        *("phases/test_provenance", "phases/test_qemu", "bench/test_limit", "bench/test_read_and_lseek"),
    ),
    "shuffled": (),
    "gcc shuffled": (),
    "one unit": (),
    "gcc": (),
}
FILES = {f"tests/{name}.py": group for group, names in SHARED.items() for name in names}
# Tests of these share nothing: each goes to whoever is free.
APART = ("tests/mutants/", "tests/foreign/", "tests/toykernel/test_build.py")
# What takes longest begins first, else one process has it to itself in the end: groups, files, folders.
FIRST = (
    *SHARED,
    "tests/phases/test_combinations.py",
    "tests/foreign/",
    "tests/mutants/",
    "tests/toykernel/test_build.py",
    "tests/tutorials/",
    "tests/bench/",
    "tests/bisect/",
    "tests/tui/test_rewrite.py",
    "tests/region/",
    "tests/phases/",
    "tests/hostile/",
    "tests/proofs/",
    "tests/toykernel/",
    "tests/random_c/",
    "tests/tui/",
    "tests/passes/",
    "tests/probes/",
)


def group(test: str) -> str:
    """The group of a test, by its id: that of what it shares, else its file, or itself alone."""
    file, _, name = test.partition("::")
    if file.startswith(APART):
        return test
    if file.startswith("tests/phases/"):
        parameter = name.partition("[")[2].removesuffix("]").partition(":")[0]
        if parameter in SHARED:
            return parameter
    return FILES.get(file, file)


def turn(test: str) -> int:
    """The groups with lower numbers begin first."""
    own = group(test)
    return next((n for n, first in enumerate(FIRST) if own.startswith(first)), len(FIRST))


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Deals groups out in the order in which they come."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
