"""Broken rewriters, each with one plausible mistake, and the tests that must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.mutants import analysis, gate, image, inlining, passes, probes, region


@dataclass(frozen=True)
class Mutant:
    """`breaks` changes the loaded modules; `killers` are test files, one of which has to fail."""

    mistake: str
    breaks: Callable[[], None]
    killers: tuple[str, ...]


LOCKSTEP = ("tests/passes/test_lockstep.py",)
GOLDEN = ("tests/passes/test_golden.py",)

REGION_GOLDEN = ("tests/region/test_golden.py",)
MEETING = ("tests/region/test_lockstep.py::test_nor_where_paths_meet",)
REGION = ("tests/region/test_handlers.py",)
TAILS = ("tests/region/test_tails.py::test_nobody_sees_what_is_shared",)
ENTRY = ("tests/region/test_entry.py",)
HOME = ("tests/region/test_home.py",)

TABLES = ("tests/passes/test_tables.py::test_nobody_sees_which_pointers_are_tested",)

MUTANTS = {
    "tables_are_not_tested": Mutant(
        "a pointer is taken for a table's address without a test", passes.tables_are_not_tested, TABLES
    ),
    "the_table_is_believed_where_the_test_fails": Mutant(
        "where the test of a pointer fails, it is taken for the table's address all the same",
        passes.the_table_is_believed_where_the_test_fails,
        TABLES,
    ),
    "parts_of_blocks_are_whole_ones": Mutant(
        "an exit takes the rest of a block that was cut for the whole block",
        region.parts_of_blocks_are_whole_ones,
        ("tests/passes/test_tables.py::test_nor_in_a_region",),
    ),
    "operands_at_home_are_forgotten": Mutant(
        "an exit leads to a call without what its target is read from",
        region.operands_at_home_are_forgotten,
        ("tests/passes/test_tables.py::test_nor_in_a_region",),
    ),
    "all_data_are_read_only": Mutant(
        "a table in data that may be written is believed",
        analysis.all_data_are_read_only,
        ("tests/analysis/test_readonly.py",),
    ),
    "stored_addresses_are_unused": Mutant(
        "a function is dropped whose address lies in memory",
        passes.stored_addresses_are_unused,
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
    "a_copy_may_be_cut_where_it_faults": Mutant(
        "the second word of a copy faults, and as many are left as before the first",
        passes.a_copy_may_be_cut_where_it_faults,
        GOLDEN,
    ),
    "every_word_faults_as_the_first": Mutant(
        "the second word of a copy faults, and the registers are those from before the first",
        region.every_word_faults_as_the_first,
        REGION,
    ),
    "calls_share_a_table": Mutant(
        "what one call passes counts for another", probes.calls_share_a_table, ("tests/probes/test_arguments.py",)
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
        "an exit leads to a dead store without the register that says where",
        analysis.what_is_dead_needs_no_address,
        REGION,
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
        inlining.the_next_target_needs_no_test,
        ("tests/passes/test_chains.py",),
    ),
    "guard_inverted": Mutant("the guard of an argument leads the wrong way", passes.guard_inverted, GOLDEN),
    "threads_skip_what_leads_to_the_test": Mutant(
        "the way past a test does not do what the test's block does",
        passes.threads_skip_what_leads_to_the_test,
        LOCKSTEP,
    ),
    "one_way_decides_for_all": Mutant(
        "a test goes on all ways as it goes on one", passes.one_way_decides_for_all, (*GOLDEN, *LOCKSTEP)
    ),
    "arguments_are_passed_to_the_inlined_body_alone": Mutant(
        "the call behind a failing guard finds no arguments",
        inlining.arguments_are_passed_to_the_inlined_body_alone,
        ("tests/passes/test_lockstep.py::test_results_that_are_asked_for_at_once",),
    ),
    "signs_are_words": Mutant(
        "a sign is taken for the word that it is of", analysis.signs_are_words, ("tests/analysis/test_values.py",)
    ),
    "branch_turned_without_its_target": Mutant(
        "a branch falls to the next block under the old condition", passes.branch_turned_without_its_target, LOCKSTEP
    ),
    "still_read_but_implied": Mutant("an implied argument is still read", passes.still_read_but_implied, GOLDEN),
    "fixups_are_tail_calls": Mutant(
        "a fixup outside of its function is taken for another function",
        analysis.fixups_are_tail_calls,
        ("tests/passes/test_traps.py",),
    ),
    "old_number_is_forgotten": Mutant(
        "a handler that reads its number finds the new one",
        passes.old_number_is_forgotten,
        ("tests/passes/test_traps.py",),
    ),
    "calls_change_no_slots": Mutant(
        "a callee writes through a pointer unseen", analysis.calls_change_no_slots, ("tests/analysis", *GOLDEN)
    ),
    "stores_change_no_slots": Mutant(
        "a slot is forwarded over a store through a pointer to it",
        analysis.stores_change_no_slots,
        ("tests/analysis/test_values.py",),
    ),
    "copies_cannot_fault": Mutant(
        "an inlined user access has no exception entry", inlining.copies_cannot_fault, LOCKSTEP
    ),
    "dead_means_unread_registers": Mutant(
        "what has an effect of its own is removed", analysis.dead_means_unread_registers, LOCKSTEP
    ),
    "copies_call_themselves": Mutant(
        "a copy in another function's body calls itself, and never returns",
        inlining.copies_call_themselves,
        ("tests/passes/test_traps.py",),
    ),
    "return_without_its_slot": Mutant(
        "an inlined return moves esp too far", inlining.return_without_its_slot, LOCKSTEP
    ),
    "no_fault_edge": Mutant(
        "a load that may fault leads nowhere else",
        analysis.no_fault_edge,
        ("tests/passes", "tests/probes/test_counters_on_kernel.py"),
    ),
    "unsorted_exception_table": Mutant(
        "the exception table is written as it comes", image.unsorted_exception_table, ("tests/elf/test_boot.py",)
    ),
    "entries_count_from_the_table": Mutant(
        "a relative entry does not count from its own place",
        image.entries_count_from_the_table,
        ("tests/elf/test_exceptions.py",),
    ),
    "carry_across_inc": Mutant(
        "inc is taken to write the carry", analysis.carry_across_inc, ("tests/x86/test_effects.py",)
    ),
    "short_branches_stay_short": Mutant(
        "a branch is not widened when its target moves away",
        image.short_branches_stay_short,
        ("tests/probes/test_counters_on_kernel.py",),
    ),
    "patterns_pass_everything": Mutant(
        "a pattern's instructions move over what they depend on", passes.patterns_pass_everything, GOLDEN
    ),
    "dead_is_not_asked": Mutant(
        "a rule applies where its registers and flags matter", passes.dead_is_not_asked, GOLDEN
    ),
    "nothing_is_pinned": Mutant(
        "code that is not understood moves", image.nothing_is_pinned, ("tests/native/test_programs.py",)
    ),
    "promises_are_forgotten": Mutant(
        "stubs that the contract names move apart", image.promises_are_forgotten, ("tests/native",)
    ),
    "noise_is_believed": Mutant(
        "a return address left over in a frame counts as a call",
        probes.noise_is_believed,
        ("tests/probes/test_stack_walk.py",),
    ),
    "shared_numbers_are_changed": Mutant(
        "a number that two calls share is changed for one",
        analysis.shared_numbers_are_changed,
        ("tests/analysis/test_sites.py",),
    ),
    "evicted_traces_are_forgotten": Mutant(
        "cleaning loses counts silently", probes.evicted_traces_are_forgotten, ("tests/probes/test_bounded_table.py",)
    ),
}
