"""New system calls with a way of their own from the gate to the `iret`, against the old ones, for any caller."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

import pytest

from rewriter.analysis.entrance import entrance
from rewriter.analysis.graph import Index
from rewriter.edit import clone, cut
from rewriter.ir import Function, Program, Ref, RefKind, Symbol
from rewriter.passes.dispatch import Door, dispatch
from rewriter.passes.entry import Entered, enter, wrapper
from rewriter.passes.outcome import Outcome
from rewriter.passes.specialize import Specialized, Specializer
from rewriter.profile import Profile
from rewriter.reasons import Reason
from rewriter.region.lift import Limits
from rewriter.region.region import region
from rewriter.verify import verify
from tests.passes.assembly import program
from tests.passes.lockstep import DATA, ROOM, STACK, STACK_SIZE, Start, link, word
from tests.passes.random_programs import GATE as PLAIN_GATE
from tests.passes.random_programs import text_and_words
from tests.passes.test_lockstep import ARGUMENTS, all_paths

from .gate import CONTRACT, FLAT_TOO, GATE, SLOTS, Call, Seen, random_call, run
from .random_programs import RegionWriter
from .test_handlers import HANDLERS, states

OLD, NEW = 0, 1
QUIET = (0, 0, 0)
WIDE = Limits(budget=400, least=0.0)


@dataclass
class Built:
    """A program, where it writes its records, and which calls it was profiled with."""

    program: Program
    log: int
    profiled: list[Start]


@dataclass
class Made:
    """What became of it."""

    program: Program
    new: Specialized
    entered: Entered | None
    refused: list[str]  # why it has no entry, or is not as it should be


def built(text: str, words: list[int | str], profiled: list[Start]) -> Built:
    log = 4 * len(words)
    text = text.replace("LOG", str(log)).replace("HALF", hex(DATA + ROOM - 4))
    found = program(text, [*words, 4], room=1024)
    found.symbols.append(Symbol("table", "data"))
    return Built(found, log, profiled)


def handler(title: str) -> Built:
    words: list[int | str] = ["sys_call", *[0] * (SLOTS - 1), *range(3, 19)]
    return built(GATE + HANDLERS[title], words, states(Random(3), 8, hot=True))


def random_handler(seed: int) -> Built:
    text, words = text_and_words(Random(seed), writer=RegionWriter)
    return built(GATE + text.removeprefix(PLAIN_GATE), words, states(Random(seed), 4, hot=False))


def profile(found: Built) -> Profile:
    linked = link(found.program)
    blocks, edges = Counter[str](), Counter[tuple[str, str]]()
    for start in found.profiled:
        seen = run(linked, numbered(Call(start, FLAT_TOO, FLAT_TOO, 2, QUIET), OLD))
        blocks.update(seen.blocks)
        edges.update(seen.edges)
    return Profile("0" * 64, blocks=blocks, edges=edges)


def made(
    found: Built, implied: Mapping[int, int] | None = None, limits: Limits = WIDE, *, wrapped: bool = True
) -> Made:
    """With the new call, and its entry; the table's slot has what it has in a kernel, or (not `wrapped`) the whole
    call, whose frame lies where the old one's did."""
    known = profile(found)
    maker = Specializer(found.program, CONTRACT, known)
    if (reason := maker.obstacle("sys_call")) is not None:
        pytest.skip(f"refused, as it must be: {reason}")
    paths = all_paths(Index(found.program), "sys_call", {})
    beyond = (("region", partial(region, always=True, limits=limits)),)
    new = maker.specialize("sys_call", "sys_call$1", paths, implied=implied or {}, beyond=beyond)
    way = entrance(found.program, CONTRACT, maker.depths, known.edges)
    outcome = Outcome()
    if new.plain is None:
        pytest.skip("its arguments cannot be passed again")
    entered = enter(new.plain.copy(), "sys_call", way, NEW, outcome, limits=limits)
    after = found.program.copy()
    slot = wrapper(new.plain, "sys_call", None) if wrapped else new.function
    after.functions += [new.wrapper] if new.wrapper is not None else []
    cut(after, {**new.entries, **(entered.entries if entered is not None else {})})
    after.functions.append(slot)
    after.data += new.data if slot is new.function else ()
    after.data[0].refs[4 * NEW] = Ref(4 * NEW, RefKind.ABS32, slot.name)
    if entered is not None:
        after.functions.append(entered.function)
        dispatch(after, way, {NEW: Door(entered.function.name, 1.0)})
    after.functions.append(old_gate(found.program))
    assert verify(after) == []
    missed = [r for r in outcome.remarks if r.kind == "missed" and r.label == r.function]
    return Made(after, new, entered, [f"{r.reason}: {r.detail}" for r in missed if r.reason is not Reason.CALL])


def old_gate(found: Program) -> Function:
    """The gate as it was, for the same program: addresses of code are words in data, too."""
    gate = found.function("gate")
    return Function("old", clone(gate.blocks, {b.label: b.label.replace("gate", "old", 1) for b in gate.blocks}))


def difference(before: Seen, after: Seen, log: int, given: Mapping[str, int]) -> str | None:
    """What somebody could see; `given`: registers in which they began differently.  The records have the number in
    them."""
    if before.trouble or after.trouble:
        return None if before.trouble else after.trouble
    for name, value in before.registers.items():
        if after.registers[name] not in (value, given.get(name, value)):
            return f"{name} is {after.registers[name]:#x}, not {value:#x}"
    for name in ("segments", "flags", "stack", "task"):
        if getattr(before, name) != getattr(after, name):
            return f"{name}: {getattr(before, name)} became {getattr(after, name)}"
    was, now = (without_stack(unnumbered(seen.data, log)) for seen in (before, after))
    return "data differs" if was != now else None


def unnumbered(data: bytes, log: int) -> bytes:
    """Without the table, and the numbers of the calls in the records."""
    words = bytearray(data)
    for at in range(log + 4, len(data) - 60, 60):
        words[at + 36 : at + 40] = bytes(4)
    words[: 4 * SLOTS] = bytes(4 * SLOTS)
    return bytes(words)


def without_stack(data: bytes) -> bytes:
    """Without addresses of the stack, which lies deeper below a wrapper."""
    found = array("I", data[: len(data) & -4])
    return array("I", [0 if STACK <= word < STACK + STACK_SIZE else word for word in found]).tobytes()


def numbered(call: Call, number: int, **registers: int) -> Call:
    start = Start({**call.start.registers, "eax": number, **registers}, call.start.stack)
    return Call(start, call.ds, call.es, call.flags, call.task)


def calls(random: Random, count: int) -> list[Call]:
    return [random_call(random, start) for start in states(random, count, hot=False)]


def compared(found: Built, after: Made, random: Random, count: int = 40) -> Counter[str]:
    """Run both; how often each block of the new program ran."""
    ran = Counter[str]()
    implied = after.new.implied
    linked = link(after.program)
    for n, call in enumerate(calls(random, count)):
        call = numbered(call, OLD, **{ARGUMENTS[i]: value for i, value in implied.items()})
        given = {ARGUMENTS[i]: word(random) for i in implied} if n % 2 else {}
        if given:  # they would be in the records
            call = Call(call.start, call.ds, call.es, call.flags, QUIET)
        was, now = run(linked, call, "old"), run(linked, numbered(call, NEW, **given))
        assert difference(was, now, found.log, given) is None
        ran.update(now.blocks)
    return ran


NO_REGION = {"a stack address that the callee may leave alone"}


@pytest.mark.parametrize("title", sorted(HANDLERS.keys() - NO_REGION))
def test_nobody_sees_a_difference(title: str) -> None:
    found = handler(title)
    after = made(found, limits=Limits())
    assert after.entered is not None, after.refused
    ran = compared(found, after, Random(4), 60)
    mine = [block.label for block in after.entered.function.blocks]
    assert sum(label in ran for label in mine) > len(mine) / 2, "most of it has run"
    assert "gate.traced" in ran


@pytest.mark.parametrize("seed", range(3000, 3016))
def test_nobody_sees_a_difference_in_random_programs(seed: int) -> None:
    found, random = random_handler(seed), Random(seed)
    after = made(found, {n: random.choice((0, 1, 2)) for n in range(3) if random.random() < 0.4}, wrapped=False)
    compared(found, after, random)


def test_most_random_programs_have_an_entry() -> None:
    refused = [why for seed in range(3000, 3008) for why in made(random_handler(seed)).refused]
    assert len(refused) < 4, refused


def test_other_numbers_execute_as_many_instructions() -> None:
    found = handler("a default, and what is selected")
    after = made(found)
    linked = link(after.program)
    for call in calls(Random(5), 20):
        was, now = run(linked, numbered(call, OLD), "old"), run(linked, numbered(call, OLD))
        assert difference(was, now, found.log, {}) is None
        assert now.executed == was.executed + 1  # a jump that `link` puts behind every block
    for number in (SLOTS, SLOTS + 1, 0x80000000, 0xFFFFFFFF):
        call = numbered(calls(Random(6), 1)[0], number)
        assert difference(run(linked, call, "old"), run(linked, call), found.log, {}) is None
