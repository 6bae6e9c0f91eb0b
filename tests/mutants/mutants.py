"""Broken rewriters, each with one plausible mistake, and the tests that must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from tests.mutants import gate, region


@dataclass(frozen=True)
class Mutant:
    """`breaks` changes the loaded modules; `killers` are test files, one of which has to fail."""

    mistake: str
    breaks: Callable[[], None]
    killers: tuple[str, ...]


def no_fault_edge() -> None:
    from rewriter.analysis.graph import Index, Way

    edges = Index.edges
    Index.edges = lambda self, block: [e for e in edges(self, block) if e.way is not Way.FAULT]  # type: ignore[method-assign]


def unsorted_exception_table() -> None:
    exceptions = import_module("rewriter.elf.exceptions")
    write = exceptions.Format.write

    def reversed_table(self: Any, fixups: Any, address: int) -> bytes:
        rows = sorted(fixups, key=lambda f: -f.insn)
        return b"".join(write(self, [row], address + self.size * i) for i, row in enumerate(rows))

    exceptions.Format.write = reversed_table  # type: ignore[attr-defined]


def entries_count_from_the_table() -> None:
    exceptions = import_module("rewriter.elf.exceptions")
    write = exceptions.Format.write

    def careless(self: Any, fixups: Any, address: int) -> bytes:
        return b"".join(write(self, [row], address) for row in sorted(fixups, key=lambda f: f.insn))

    exceptions.Format.write = careless  # type: ignore[attr-defined]


def carry_across_inc() -> None:
    from rewriter.x86 import effects, state

    honest = effects._effects

    def dishonest(raw: bytes, refs: frozenset[int]) -> Any:
        found = honest(raw, refs)
        counts = len(raw) == 1 and 0x40 <= raw[0] < 0x50  # inc and dec of a register
        return replace(found, writes=found.writes | state.CF, may_write=found.may_write | state.CF) if counts else found

    effects._effects = dishonest  # type: ignore[assignment]


def short_branches_stay_short() -> None:
    from rewriter.elf import place

    place.widen = lambda units, addresses: False  # type: ignore[assignment]


def patterns_pass_everything() -> None:
    from rewriter.passes import peephole

    peephole._Window._passes = lambda self, upper, lower: True  # type: ignore[method-assign]


def the_next_target_needs_no_test() -> None:
    from rewriter.passes.inline import Inliner

    honest = Inliner._guard

    def careless(self: Any, block: Any, *arguments: Any) -> Any:
        behind_another = block.label in self.result.failing
        cold = honest(self, block, *arguments)
        if behind_another:
            del block.insns[-2:]
        return cold

    Inliner._guard = careless  # type: ignore[method-assign]


def dead_is_not_asked() -> None:
    from rewriter.passes import peephole

    peephole.dead = lambda rule, found: 0


def nothing_is_pinned() -> None:
    import_module("rewriter.elf.load").pin = lambda program, contract: None  # type: ignore[attr-defined]


def promises_are_forgotten() -> None:
    import_module("rewriter.elf.load").Stubs.note = lambda self, promise: None  # type: ignore[attr-defined]


def noise_is_believed() -> None:
    from rewriter.probes import traces

    traces.plausible = lambda trace, calls: True


def shared_numbers_are_changed() -> None:
    from rewriter.analysis.sites import _Numbers

    def loaded_for(self: Any, site: Any) -> tuple[Any, str]:
        return next(iter(self.definitions.get(site, ())), None), ""

    _Numbers.loaded_for = loaded_for  # type: ignore[method-assign]


def evicted_traces_are_forgotten() -> None:
    from rewriter.probes import table

    honest = table.BoundedTable.note

    def forgetful(self: Any, *arguments: Any) -> Any:
        result = honest(self, *arguments)
        self.evicted = 0
        return result

    table.BoundedTable.note = forgetful  # type: ignore[method-assign]


def guard_inverted() -> None:
    from rewriter.passes import arguments
    from rewriter.x86.encode import branch

    arguments.branch = lambda condition, label: branch("e", label)  # type: ignore[attr-defined]


def threads_skip_what_leads_to_the_test() -> None:
    from rewriter.passes.thread import _Round

    lead = _Round._lead
    _Round._lead = lambda self, source, block, size, target: lead(self, source, block, 0, target)  # type: ignore[method-assign]


def one_way_decides_for_all() -> None:
    from rewriter.passes.thread import _Round

    into = _Round._into

    def only_one(self: Any, block: Any) -> Any:
        return {source: states[:1] for source, states in into(self, block).items()}

    def first(self: Any, block: Any, ways: Any) -> bool:
        known = next(iter(ways.values()), None)
        return branch(self, block, dict.fromkeys(ways, known))

    branch = _Round._branch
    _Round._into, _Round._branch = only_one, first  # type: ignore[method-assign]


def arguments_are_passed_to_the_inlined_body_alone() -> None:
    from rewriter.passes import general

    first = general._first

    def forgetful(work: Any, call: Any) -> None:
        before = list(call.insns)
        first(work, call)
        call.insns = before

    general._first = forgetful


def signs_are_words() -> None:
    from rewriter.analysis import rules

    rules.sign_of = lambda word: word


def branch_turned_without_its_target() -> None:
    from rewriter.passes import layout
    from rewriter.x86.encode import invert

    honest = layout._turn

    def careless(block: Any, after: Any) -> None:
        last = block.insns[-1] if block.insns else None
        honest(block, after)
        if last is not None and block.insns[-1] is not last:
            block.insns[-1] = invert(block.insns[-1])

    layout._turn = careless


def still_read_but_implied() -> None:
    from rewriter.passes import arguments

    arguments._read = lambda work, argument: None


def fixups_are_tail_calls() -> None:
    from rewriter.analysis.body import Body
    from rewriter.analysis.graph import Way

    honest = Body.leaves
    Body.leaves = lambda self, edge: (  # type: ignore[method-assign]
        (edge.way is Way.FAULT and self.index.is_entry(edge.target)) or honest(self, edge)
    )


def old_number_is_forgotten() -> None:
    import_module("rewriter.passes.specialize").renumber = lambda work, number: None  # type: ignore[attr-defined]


def calls_change_no_slots() -> None:
    from rewriter.analysis.state import State

    State.kill_escaped = lambda self: None  # type: ignore[method-assign]


def stores_change_no_slots() -> None:
    from rewriter.analysis.step import Step

    honest = Step.store

    def hopeful(self: Any, mem: Any, size: Any, value: Any, stack: bool) -> None:
        known = dict(self.state.places)
        honest(self, mem, size, value, stack)
        if self.touched(mem, size) is None:
            self.state.places = known

    Step.store = hopeful  # type: ignore[method-assign]


def copies_cannot_fault() -> None:
    from rewriter.passes.inline import Inliner

    honest = Inliner._copy

    def careless(self: Any, *arguments: Any, **named: Any) -> Any:
        made = honest(self, *arguments, **named)
        for block in self.blocks:
            block.insns = [replace(insn, faults_to=None) for insn in block.insns]
        return made

    Inliner._copy = careless  # type: ignore[method-assign]


def dead_means_unread_registers() -> None:
    from rewriter.analysis.liveness import Liveness

    touches = Liveness.touches
    Liveness.touches = lambda self, label: [  # type: ignore[method-assign]
        replace(touch, keep=False) if touch.results else touch for touch in touches(self, label)
    ]


def copies_call_themselves() -> None:
    from rewriter.passes import inline

    honest = inline.Inliner._copy

    def copy(self: Any, body: Any, *arguments: Any) -> Any:
        made = honest(self, body, *arguments)
        mine = set(made.labels.values())
        for block in self.blocks:
            if block.label in mine and block.insns:
                insn = block.insns[-1]
                refs = tuple(replace(ref, target=made.labels.get(ref.target, ref.target)) for ref in insn.refs)
                block.insns[-1] = replace(insn, refs=refs)
        return made

    inline.Inliner._copy = copy  # type: ignore[method-assign]


def return_without_its_slot() -> None:
    from rewriter.passes import inline

    inline._UP = "lea esp, [esp + 8]"  # type: ignore[misc]


def what_is_dead_needs_no_address() -> None:
    from rewriter.analysis.liveness import Touch

    honest = Touch.before
    Touch.before = lambda self, after, *, stays=True: honest(self, after, stays=False)  # type: ignore[method-assign]


def stored_addresses_are_unused() -> None:
    from rewriter.passes import unused

    honest = unused._reached

    def dishonest(program: Any, contract: Any) -> set[str]:
        return honest(replace(program, data=[]), contract)

    unused._reached = dishonest


LOCKSTEP = ("tests/passes/test_lockstep.py",)
GOLDEN = ("tests/passes/test_golden.py",)

REGION_GOLDEN = ("tests/region/test_golden.py",)
MEETING = ("tests/region/test_lockstep.py::test_nor_where_paths_meet",)
REGION = ("tests/region/test_handlers.py",)
TAILS = ("tests/region/test_tails.py::test_nobody_sees_what_is_shared",)
ENTRY = ("tests/region/test_entry.py",)
HOME = ("tests/region/test_home.py",)

MUTANTS = {
    "stored_addresses_are_unused": Mutant(
        "a function is dropped whose address lies in memory",
        stored_addresses_are_unused,
        ("tests/passes/test_unused.py",),
    ),
    "return_addresses_stay_holes": Mutant(
        "an exit to the original program does not push return addresses", region.return_addresses_stay_holes, HOME
    ),
    "frames_lose_a_word": Mutant("an exit pushes a frame that is a word too short", region.frames_lose_a_word, HOME),
    "exit_without_a_live_slot": Mutant(
        "an exit does not store a slot that matters", region.exit_without_a_live_slot, REGION
    ),
    "operands_are_evicted": Mutant(
        "a register is given away while an operand is in it", region.operands_are_evicted, REGION
    ),
    "words_that_are_read_are_overwritten": Mutant(
        "a register is spilled over the word that is about to be read",
        region.words_that_are_read_are_overwritten,
        ("tests/bisect/test_everywhere.py::test_no_word_is_spilled_over_one_that_is_about_to_be_read",),
    ),
    "nothing_is_half_done": Mutant(
        "a fault finds the registers from before the copy", region.nothing_is_half_done, REGION
    ),
    "flags_are_dead_at_exits": Mutant("an exit does not make flags anew", region.flags_are_dead_at_exits, REGION),
    "loads_pass_stores": Mutant("a load is written behind the store that follows it", region.loads_pass_stores, REGION),
    "memory_is_made_what_it_was": Mutant(
        "a loop gives a stack word in memory back what it held at the first round",
        region.memory_is_made_what_it_was,
        MEETING,
    ),
    "bytes_of_a_slot_are_counted_backwards": Mutant(
        "of a stack word other bytes are kept than those that matter",
        region.bytes_of_a_slot_are_counted_backwards,
        REGION_GOLDEN,
    ),
    "one_word_is_taken_for_another": Mutant(
        "exits whose states differ in one slot share the code that stores it",
        region.one_word_is_taken_for_another,
        TAILS,
    ),
    "a_tail_is_not_asked_for_its_home": Mutant(
        "an exit does not store a word where the code that it shares takes it from",
        region.a_tail_is_not_asked_for_its_home,
        TAILS,
    ),
    "one_of_two_conditions_is_forgotten": Mutant(
        "a path that either of two conditions leaves is left for one of them",
        region.one_of_two_conditions_is_forgotten,
        REGION_GOLDEN,
    ),
    "overwritten_words_are_still_there": Mutant(
        "an exit overwrites a stack word that another one needs", region.overwritten_words_are_still_there, REGION
    ),
    "clobbered_registers_survive": Mutant(
        "a value stays in a register that a call changes", region.clobbered_registers_survive, REGION
    ),
    "operations_are_the_same_after_a_sleep": Mutant(
        "what f_op was before a call that sleeps counts as what it is behind it",
        region.operations_are_the_same_after_a_sleep,
        REGION,
    ),
    "words_below_esp_stay": Mutant("a word below esp counts as still there", region.words_below_esp_stay, REGION),
    "popped_words_stay": Mutant(
        "an argument counts as still there when its callee popped it", region.popped_words_stay, REGION
    ),
    "what_is_dead_needs_no_address": Mutant(
        "an exit leads to a dead store without the register that says where", what_is_dead_needs_no_address, REGION
    ),
    "memory_is_never_brought_up_to_date": Mutant(
        "a callee does not find its arguments", region.memory_is_never_brought_up_to_date, REGION
    ),
    "segments_are_left_at_exits": Mutant(
        "an exit goes to the old code with the program's segments", gate.segments_are_left_at_exits, ENTRY
    ),
    "memory_by_the_programs_segment": Mutant(
        "memory is found by the ds that the program had", gate.memory_by_the_programs_segment, ENTRY
    ),
    "direction_is_believed": Mutant(
        "the direction flag is taken to be clear at the gate", gate.direction_is_believed, ENTRY
    ),
    "a_register_is_kept": Mutant("the program does not get a register back", gate.a_register_is_kept, ENTRY),
    "signals_are_not_asked_for": Mutant(
        "a new call goes back without the last test", gate.signals_are_not_asked_for, ENTRY
    ),
    "tracing_is_not_asked_for": Mutant("a new call is never traced", gate.tracing_is_not_asked_for, ENTRY),
    "the_next_target_needs_no_test": Mutant(
        "what is not the first target of a call is taken to be the second",
        the_next_target_needs_no_test,
        ("tests/passes/test_chains.py",),
    ),
    "guard_inverted": Mutant("the guard of an argument leads the wrong way", guard_inverted, GOLDEN),
    "threads_skip_what_leads_to_the_test": Mutant(
        "the way past a test does not do what the test's block does", threads_skip_what_leads_to_the_test, LOCKSTEP
    ),
    "one_way_decides_for_all": Mutant(
        "a test goes on all ways as it goes on one", one_way_decides_for_all, (*GOLDEN, *LOCKSTEP)
    ),
    "arguments_are_passed_to_the_inlined_body_alone": Mutant(
        "the call behind a failing guard finds no arguments", arguments_are_passed_to_the_inlined_body_alone, LOCKSTEP
    ),
    "signs_are_words": Mutant(
        "a sign is taken for the word that it is of", signs_are_words, ("tests/analysis/test_values.py",)
    ),
    "branch_turned_without_its_target": Mutant(
        "a branch falls to the next block under the old condition", branch_turned_without_its_target, LOCKSTEP
    ),
    "still_read_but_implied": Mutant("an implied argument is still read", still_read_but_implied, GOLDEN),
    "fixups_are_tail_calls": Mutant(
        "a fixup outside of its function is taken for another function",
        fixups_are_tail_calls,
        ("tests/passes/test_traps.py",),
    ),
    "old_number_is_forgotten": Mutant(
        "a handler that reads its number finds the new one", old_number_is_forgotten, ("tests/passes/test_traps.py",)
    ),
    "calls_change_no_slots": Mutant(
        "a callee writes through a pointer unseen", calls_change_no_slots, ("tests/analysis", *GOLDEN)
    ),
    "stores_change_no_slots": Mutant(
        "a slot is forwarded over a store through a pointer to it",
        stores_change_no_slots,
        ("tests/analysis", "tests/passes"),
    ),
    "copies_cannot_fault": Mutant("an inlined user access has no exception entry", copies_cannot_fault, LOCKSTEP),
    "dead_means_unread_registers": Mutant(
        "what has an effect of its own is removed", dead_means_unread_registers, LOCKSTEP
    ),
    "copies_call_themselves": Mutant(
        "a copy in another function's body calls itself, and never returns",
        copies_call_themselves,
        ("tests/passes/test_traps.py",),
    ),
    "return_without_its_slot": Mutant("an inlined return moves esp too far", return_without_its_slot, LOCKSTEP),
    "no_fault_edge": Mutant(
        "a load that may fault leads nowhere else",
        no_fault_edge,
        ("tests/passes", "tests/probes/test_counters_on_kernel.py"),
    ),
    "unsorted_exception_table": Mutant(
        "the exception table is written as it comes", unsorted_exception_table, ("tests/elf/test_boot.py",)
    ),
    "entries_count_from_the_table": Mutant(
        "a relative entry does not count from its own place",
        entries_count_from_the_table,
        ("tests/elf/test_exceptions.py",),
    ),
    "carry_across_inc": Mutant("inc is taken to write the carry", carry_across_inc, ("tests/x86/test_effects.py",)),
    "short_branches_stay_short": Mutant(
        "a branch is not widened when its target moves away",
        short_branches_stay_short,
        ("tests/probes/test_counters_on_kernel.py",),
    ),
    "patterns_pass_everything": Mutant(
        "a pattern's instructions move over what they depend on", patterns_pass_everything, GOLDEN
    ),
    "dead_is_not_asked": Mutant("a rule applies where its registers and flags matter", dead_is_not_asked, GOLDEN),
    "nothing_is_pinned": Mutant(
        "code that is not understood moves", nothing_is_pinned, ("tests/elf/test_roundtrip.py", "tests/native")
    ),
    "promises_are_forgotten": Mutant(
        "stubs that the contract names move apart", promises_are_forgotten, ("tests/native",)
    ),
    "noise_is_believed": Mutant(
        "a return address left over in a frame counts as a call",
        noise_is_believed,
        ("tests/probes/test_stack_walk.py",),
    ),
    "shared_numbers_are_changed": Mutant(
        "a number that two calls share is changed for one",
        shared_numbers_are_changed,
        ("tests/analysis/test_sites.py",),
    ),
    "evicted_traces_are_forgotten": Mutant(
        "cleaning loses counts silently", evicted_traces_are_forgotten, ("tests/probes/test_bounded_table.py",)
    ),
}
