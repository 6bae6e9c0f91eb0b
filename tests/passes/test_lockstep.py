"""Specialized system calls of random programs against the originals, through the gate, from random states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest

from rewriter.analysis.graph import Index
from rewriter.contract import Contract, SystemCalls
from rewriter.edit import cut
from rewriter.ir import Program, Ref, RefKind, Symbol
from rewriter.passes.paths import Path
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.passes.transform import NAMES
from rewriter.profile import Profile
from rewriter.verify import verify
from rewriter.x86.flow import Flow, flow

from .assembly import program
from .lockstep import End, Linked, Start, link, random_start, run, word
from .operations import always_the_first
from .random_frames import CLEANING, TABLE_WORDS
from .random_programs import Writer, text_and_words

CONTRACT = Contract(SystemCalls("table", "sys_none", "gate", TABLE_WORDS))
ARGUMENTS = ("ebx", "ecx", "edx", "esi", "edi", "ebp")
NUMBER, NEW = 0, 1
Pointers = Mapping[str, Collection[str]]  # the targets of indirect calls, by block


def made(seed: int, writer: type[Writer] | None = None) -> Program:
    text, words = text_and_words(Random(seed), writer=writer)
    fixed = writer.read_only if writer is not None else ()
    found = program(text, words, 4096 if fixed else 256, fixed)
    found.symbols.append(Symbol("table", "data"))
    assert verify(found) == []
    return found


def starts(random: Random, count: int, known: dict[int, int]) -> list[Start]:
    """Random states at the gate, most of them with the known arguments."""
    found = []
    for n in range(count):
        start = random_start(random, eax=NUMBER)
        if n % 4:
            start = Start({**start.registers, **{ARGUMENTS[i]: v for i, v in known.items()}}, start.stack)
        found.append(start)
    return found


def profile_of(linked: Linked, states: list[Start]) -> Profile:
    blocks: dict[str, int] = {}
    edges: dict[tuple[str, str], int] = {}
    for start in states:
        end = run(linked, "gate", start)
        for label, count in end.blocks.items():
            blocks[label] = blocks.get(label, 0) + count
        for edge, count in end.edges.items():
            edges[edge] = edges.get(edge, 0) + count
    return Profile("0" * 64, blocks=blocks, edges=edges)


def all_paths(index: Index, name: str, pointers: Pointers, depth: int = 3) -> tuple[Path, ...]:
    """Every call below a function, indirect ones to all targets that they have."""
    found = []
    for block in index.functions[name].blocks if depth else ():
        last = block.insns[-1] if block.insns else None
        kind = flow(last.raw) if last else Flow.NEXT
        callee = index.callee(last) if last and kind is Flow.CALL else None
        callees = pointers.get(block.label, ()) if kind is Flow.CALL_INDIRECT else (callee,) if callee else ()
        if callees:
            found.append(_to_all(index, block.label, tuple(callees), pointers, depth))
    return tuple(found)


def _to_all(index: Index, site: str, callees: tuple[str, ...], pointers: Pointers, depth: int) -> Path:
    """Guards for all of the callees, one behind the other."""
    first, *rest = callees
    after = _to_all(index, site, tuple(rest), pointers, depth) if rest else None
    others = len(rest) / len(callees), ", ".join(rest)
    return Path(site, first, all_paths(index, first, pointers, depth - 1), others, 1, next=after)


def some(paths: tuple[Path, ...], random: Random) -> tuple[Path, ...]:
    """Most of these calls."""
    return tuple(_some_below(path, random) for path in paths if random.random() < 0.7)


def _some_below(path: Path, random: Random) -> Path:
    after = _some_below(path.next, random) if path.next is not None and random.random() < 0.8 else None
    return replace(path, inner=some(path.inner, random), next=after)


def pointed(linked: Linked, program: Program, states: list[Start]) -> Pointers:
    """What each indirect call calls in these runs, by block."""
    index = Index(program)
    found: dict[str, dict[str, None]] = {}
    for start in states:
        for source, target in run(linked, "gate", start).edges:
            if index.is_entry(target) and source in index.blocks and index.blocks[source].insns:
                found.setdefault(source, {}).setdefault(target)
    return found


def _first_targets(path: Path, count: int) -> Path:
    after = _first_targets(path.next, count - 1) if path.next is not None and count > 1 else None
    return replace(path, inner=tuple(_first_targets(each, count) for each in path.inner), next=after)


def difference(originals: Sequence[End], new: End, given: dict[str, int]) -> str | None:
    """What somebody could see; `given`: registers in which the states were different on purpose.  What the original
    makes of its stack's addresses depends on how deep that is: each word is as one of the `originals` has it."""
    if any(original.trouble for original in originals) or new.trouble:
        return None if any(original.trouble for original in originals) else f"the new call {new.trouble}"
    for name, value in new.registers.items():
        # The handler may overwrite its own argument, which is the saved register.
        expected = {original.registers[name] for original in originals} | ({given[name]} if name in given else set())
        if value not in expected:
            return f"{name} is {value:#x}, expected {' or '.join(f'{each:#x}' for each in expected)}"
    for what, found, wanted in (
        ("data", new.data, [original.data for original in originals]),
        ("the stack", new.stack, [original.stack for original in originals]),
    ):
        for at in range(0, len(found), 4):
            if all(found[at : at + 4] != raw[at : at + 4] for raw in wanted):
                return f"{what} differs at {at}"
    return None


def deeper(new: Specialized) -> tuple[int, ...]:
    """How much lower the stack may be in the new call than in the original: what its wrapper pushes."""
    return (4 * len(new.wrapper.blocks[0].insns),) if new.wrapper else ()


def check(program: Program, new: Specialized, random: Random, count: int = 24) -> tuple[int, int]:
    """Run both; instructions of all original and all new runs."""
    data = program.data[0]
    data.refs[4 * NEW] = Ref(4 * NEW, RefKind.ABS32, new.function.name)
    cut(program, new.entries)
    linked = link(program, [new.function, *([new.wrapper] if new.wrapper else [])], new.data)
    executed = [0, 0]
    for start in starts(random, count, {**new.implied, **new.guarded}):
        start = Start({**start.registers, **_values(new.implied)}, start.stack)
        before = run(linked, "gate", start)
        garbage = {ARGUMENTS[i]: word(random) for i in new.implied}
        after = run(linked, "gate", Start({**start.registers, **garbage, "eax": NEW}, start.stack))
        why = difference([before], after, garbage)
        if why is not None:
            why = difference([before, *(run(linked, "gate", start, lower) for lower in deeper(new))], after, garbage)
        assert why is None, why
        executed[0] += before.executed
        executed[1] += after.executed
    return executed[0], executed[1]


def _values(known: object) -> dict[str, int]:
    assert isinstance(known, dict)
    return {ARGUMENTS[i]: v for i, v in known.items()}


class Asking(Writer):
    """Results that say how it went, and callers who ask at once: what one way decides and another does not.  Pointers
    that are there before the arguments are pushed, and lead to one of two functions."""

    def call(self) -> None:
        callees = [name for name in self.callees if not name.startswith(CLEANING)]
        if not callees or self.random.random() < 0.3:
            super().call()
            return
        slot, end = f"dword ptr [{{data + {4 * TABLE_WORDS}}}]", self.label()
        self.put(f"mov {slot}, {{{self.random.choice(callees)}}}", f"cmp {self.register()}, {self.place()}")
        self.put(f"jb {end}", f"mov {slot}, {{{self.random.choice(callees)}}}")
        self.lines.append(f"{end}:")
        for _ in range(3):
            self.put(f"push {self.random.choice((self.other(), '3', self.argument(), self.other()))}")
            self.depth += 4
        self.put(f"call {slot}")
        self.depth -= 12
        self.ask()
        self.put("add esp, 12")

    def target(self, callee: str) -> None:
        super().target(callee)
        self.ask()

    def ask(self) -> None:
        end, other = self.label(), self.label()
        choice = self.random.random()
        self.put(self.random.choice(("test eax, eax", "cmp eax, -22", "cmp eax, 5")))
        self.put(f"j{self.random.choice(('e', 'ne', 's', 'l', 'ae'))} {other}")
        if choice < 0.5:
            self.put("mov ecx, eax", "mov edx, eax", "sar ecx, 31", "sar edx, 31", f"jmp {end}")
        else:
            self.put("mov ecx, -1", f"mov edx, {self.random.choice((-1, 0, 3))}", f"jmp {end}")
        self.lines.append(f"{other}:")
        self.put("mov ecx, eax", f"sar ecx, {self.random.choice((31, 31, 1))}", "cdq")
        self.lines.append(f"{end}:")
        self.put("xor ecx, edx", "mov ecx, -75", f"cmov{self.random.choice(('e', 'ne', 's'))} ecx, eax")
        if "edx" in self.registers:
            self.put(f"mov {self.register()}, ecx")

    def early_return(self) -> None:
        self.put(f"mov eax, {self.random.choice((0, -22, 5))}")
        super().early_return()


def specialized(
    seed: int,
    *,
    published: bool = False,
    without: frozenset[str] = frozenset(),
    writer: type[Writer] | None = None,
    targets: int = 4,
    prepare: Callable[[Specializer], None] | None = None,
) -> tuple[Program, Specialized]:
    """`targets`: of one indirect call, the first that are inlined."""
    random, found = Random(seed + 1), made(seed, writer)
    known = {n: random.choice((0, 1, 2, 0x1000)) for n in range(3) if random.random() < 0.6}
    implied = {n: v for n, v in known.items() if random.random() < 0.6}
    guarded = {n: v for n, v in known.items() if n not in implied}
    linked, states = link(found), starts(random, 12, known)
    profile = profile_of(linked, states[1:4])
    if found.data[1:]:
        profile = always_the_first(profile, found)
    maker = Specializer(found, CONTRACT, profile, as_published=published)
    if prepare is not None:
        prepare(maker)
    paths = some(all_paths(Index(found), "sys_call", pointed(linked, found, states)), random)
    paths = tuple(_first_targets(path, 1 if published else targets) for path in paths)
    reason = maker.obstacle("sys_call", NUMBER)
    if reason:
        pytest.skip(f"refused, as it must be: {reason}")
    new = maker.specialize(
        "sys_call", "sys_call$0", paths, number=NUMBER, implied=implied, guarded=guarded, without=without
    )
    return found, new


@pytest.mark.parametrize("seed", range(24))
def test_nobody_sees_a_difference(seed: int) -> None:
    found, new = specialized(seed)
    check(found, new, Random(seed))


@pytest.mark.parametrize("seed", range(24, 32))
def test_as_published(seed: int) -> None:
    found, new = specialized(seed, published=True)
    check(found, new, Random(seed))


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("seed", [26, 61, 63, 68, 75, 76, 79, 105])
def test_results_that_are_asked_for_at_once(seed: int, published: bool) -> None:
    found, new = specialized(seed, published=published, writer=Asking)
    check(found, new, Random(seed))


@pytest.mark.parametrize("name", NAMES)
def test_without_one_pass(name: str) -> None:
    seed = 32 + NAMES.index(name)
    found, new = specialized(seed, without=frozenset({name}))
    check(found, new, Random(seed))


def test_the_programs_are_worth_it() -> None:
    """Random programs exercise every pass, and lose instructions."""
    passed, executed = Counter[str](), [0, 0]
    for seed, published in ((3, False), (7, False), (16, False), (32, False), (3, True)):
        found, new = specialized(seed, published=published)
        before, after = check(found, new, Random(seed))
        executed = [executed[0] + before, executed[1] + after]
        passed.update(r.pass_name for r in new.outcome.remarks if r.kind == "passed")
    assert set(NAMES) - {"straighten", "tables"} <= set(passed)
    assert executed[1] < executed[0]
