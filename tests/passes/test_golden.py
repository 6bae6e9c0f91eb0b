"""What each pass makes of a piece of assembly: `tests/golden/NAME.s`, before and after.

The first lines of a file say which pass is run and on what; behind `after:` stands what must come out: see
`tests.listings`.
"""

from __future__ import annotations

import re
from pathlib import Path as File

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.ir import Function, Program
from rewriter.passes.arguments import guard, imply
from rewriter.passes.expected import Expected
from rewriter.passes.inline import Inliner
from rewriter.passes.paths import Path
from rewriter.passes.tables import guard_tables
from rewriter.passes.transform import NAMES, PASSES
from rewriter.passes.work import Work
from rewriter.profile import Place, Profile
from rewriter.reasons import Why
from rewriter.show import listing
from rewriter.verify import verify
from rewriter.x86.effects import register_mask
from tests.listings import before, check_after

from .assembly import program

GOLDEN = File(__file__).parent.parent / "golden"
FILES = sorted(GOLDEN.glob("*.s"))
AT_RETURN = sum(register_mask(name) for name in ("eax", "ebx", "esi", "edi", "ebp"))
TRANSFORMS = dict(PASSES)


def test_there_is_a_listing_for_every_pass() -> None:
    shown = {re.match(r"; pass: (\w+)", file.read_text())[1] for file in FILES}  # type: ignore[index]
    assert shown >= {*NAMES, *TRANSFORMS}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden(file: File) -> None:
    check_after(file, transformed(before(file)) + "\n")


def transformed(text: str) -> str:
    """Run the pass that the comments name on the first function, and list it."""
    options = options_of(text)
    fixed = [int(word) if word.isdigit() else word for word in options.get("fixed", "").split()]
    found = program(text, fixed=fixed)
    work = work_of(found, options)
    name = options["pass"]
    if name == "arguments":
        known = {int(n): int(value, 0) for n, value in re.findall(r"(\d)=(\S+)", options.get("known", ""))}
        tested = {int(n): int(value, 0) for n, value in re.findall(r"(\d)=(\S+)", options.get("guarded", ""))}
        _, refused = imply(work, known)
        if tested:
            guard(work, found.functions[0].name, tested)
        text = "".join(f"; refused: argument {n}: {why}\n" for n, why in refused.items())
    elif name == "tables":
        guard_tables(work, finding(options["finds"]))
        text = refusals(work, name)
    elif name == "inline":
        text = refusals(work, name)
    else:
        TRANSFORMS[name](work)
        text = refusals(work, name)
    changed = Program([*found.functions, work.function], [*found.data, *work.data], found.entry)
    assert verify(changed) == []
    return text + listing(work.function)


def finding(text: str) -> Profile:
    """`f.load+1 = 16 9x, …`: this load finds the address `fixed + 16` nine times."""
    found: dict[Place, dict[Place, int]] = {}
    for label, position, offset, times in re.findall(r"(\S+)\+(\d+) = (\d+) (\d+)x", text):
        found.setdefault((label, int(position)), {})["fixed", int(offset)] = int(times)
    return Profile("0" * 64, pointers=found)


def refusals(work: Work, name: str) -> str:
    missed = [remark for remark in work.outcome.remarks if remark.kind == "missed" and remark.pass_name == name]
    return "".join(f"; refused: {Why(remark.reason, remark.detail)}\n" for remark in missed)


def options_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^; (pass|hot|cold|known|guarded|call|tested|fixed|finds): (.*)$", text, re.MULTILINE))


def work_of(found: Program, options: dict[str, str]) -> Work:
    """A copy of the first function, its counts all 100 but those of `cold` blocks."""
    function = found.functions[0]
    index = Index(found)
    cold = {f"{function.name}{label}" for label in options.get("cold", "").split()}
    blocks = {b.label: 0 if b.label in cold else 100 for f in found.functions for b in f.blocks}
    edges = {
        (e.source, e.target): 100 if blocks[e.source] and blocks[e.target] else 0
        for f in found.functions
        for b in f.blocks
        for e in index.edges(b)
    }
    for source, target in re.findall(r"(\S+)->(\S+)", options.get("cold", "")):
        edges[function.name + source, function.name + target] = 0
    tests = dict(_test(function, *each) for each in re.findall(r"(\d+): (\d)=(\S+)", options.get("tested", "")))
    profile = Profile("0" * 64, blocks=blocks, edges=edges)
    inliner = Inliner(Depths(index, Contract()), profile, tests=lambda _, path: tests.get(path.site))
    calls = re.findall(r"(\d+) = ((?:\w+(?:, )?(?!\d))+)", options.get("call", ""))
    paths = tuple(_path(_site(function, int(site)), callees.strip(" ,").split(", ")) for site, callees in calls)
    made = inliner.run(function.name, "new", paths)
    work = Work.on(made, inliner.depths, Contract(), AT_RETURN)
    work.outcome.add(inliner.outcome)
    return work


def _path(site: str, callees: list[str]) -> Path:
    """To all of these, the first of which are called more often."""
    first, *rest = callees
    after = _path(site, rest) if rest else None
    return Path(site, first, others=(0.4 if rest else 0.0, ", ".join(rest)), made=60 if rest else 40, next=after)


def _test(function: Function, call: str, argument: str, value: str) -> tuple[str, Expected]:
    """What is tested at the first, second, … call, of which that is true nine times of ten."""
    return _site(function, int(call)), Expected(int(argument), int(value, 0), 0.9)


def _site(function: Function, number: int) -> str:
    """The block that ends with the first, second, … call."""
    calls = [b.label for b in function.blocks if b.insns and b.insns[-1].raw[0] in (0xE8, 0xFF)]
    return calls[number - 1]
