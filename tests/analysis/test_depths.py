"""What callers see of a function: use depth, kill depth, registers, returns; and of an indirect call."""

from __future__ import annotations

import pytest

from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.summary import FRAME, Summary
from rewriter.contract import Contract
from rewriter.x86.effects import FLAGS, names, register_mask
from tests.passes.assembly import program


def summary(text: str, name: str = "f", contract: Contract | None = None, facts: bool = True) -> Summary:
    return Depths(Index(program(text)), contract or Contract(), facts).of(name)


@pytest.mark.parametrize(
    ("body", "use", "kill"),
    [
        ("ret", 4, 4),
        ("mov eax, [esp + 4]\n ret", 8, 4),
        ("push ebx\n mov eax, [esp + 16]\n pop ebx\n ret", 16, 4),
        ("movzx eax, byte ptr [esp + 8]\n ret", 9, 4),
        ("mov dword ptr [esp + 8], 1\n ret", 4, 12),
        ("inc dword ptr [esp + 4]\n ret", 8, 8),
        ("push ebp\n mov ebp, esp\n mov eax, [ebp + 12]\n leave\n ret", 12, 4),
        ("mov eax, [esp + ecx*4]\n ret", None, None),
        ("lea eax, [esp + 8]\n mov [ecx], eax\n ret", FRAME, FRAME),
    ],
)
def test_own_depths(body: str, use: int | None, kill: int | None) -> None:
    found = summary(f"f:\n {body}\n")
    assert (found.use_depth, found.kill_depth) == (use, kill)


def test_a_callee_reaches_through_its_caller() -> None:
    found = summary("""
    f:
        push ebx
        push 1
        call g
        add esp, 4
        pop ebx
        ret
    g:
        mov eax, [esp + 20]
        ret
    """)
    assert found.use_depth == 12  # g's fifth word is f's second argument


def test_depths_of_recursion_are_found() -> None:
    found = summary("""
    f:
        mov eax, [esp + 8]
        test eax, eax
        je .end
        push eax
        push eax
        call f
        add esp, 8
    .end:
        ret
    """)
    assert found.use_depth == 12
    assert found.returns


def test_saving_is_not_reading() -> None:
    found = summary("f:\n push ebx\n push ecx\n mov ebx, edx\n mov eax, ebx\n add esp, 4\n pop ebx\n ret\n")
    assert names(found.reads) == ("edx",)
    assert "ebx" not in names(found.clobbers)
    assert {"eax", *names(FLAGS)} <= set(names(found.writes))


def test_a_result_reads_what_it_is_made_of() -> None:
    """Else whoever calls f for its result would throw ecx away."""
    assert "ecx" in names(summary("f:\n mov eax, ecx\n ret\n").reads)
    assert "CF" in names(summary("f:\n sbb eax, eax\n ret\n").reads)


def test_what_passes_through_matters_where_it_matters_afterwards() -> None:
    found = summary("f:\n test ecx, ecx\n je .end\n xor edx, edx\n.end:\n ret\n")
    before = names(found.before(_mask("edx")))
    assert "edx" in before
    assert "edx" not in names(found.reads)


def _mask(name: str) -> int:
    from rewriter.x86.effects import register_mask

    return register_mask(name)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("add esp, 4\n ret", "esp at a return"),
        ("mov dword ptr [esp], 5\n ret", "its own return address"),
        ("push 1\n ret", "esp at a return"),
        ("iretd", "iret"),
        ("and esp, -16\n call g\n ret\ng:\n ret", "esp is not known"),
    ],
)
def test_nothing_is_known_of_what_plays_with_its_return(body: str, reason: str) -> None:
    found = summary(f"f:\n {body}\n")
    assert found.pops is None
    assert reason in found.reason


def test_reasons_name_the_function_at_the_root() -> None:
    found = summary("f:\n call g\n ret\ng:\n call switch\n ret\nswitch:\n mov esp, [{data}]\n ret\n")
    assert "switch: esp at a return" in found.reason


def test_tail_calls_return_for_their_caller() -> None:
    found = summary("f:\n mov dword ptr [esp + 4], 1\n jmp g\ng:\n mov eax, [esp + 12]\n inc ebx\n ret\n")
    assert (found.use_depth, found.kill_depth) == (16, 8)
    assert "ebx" in names(found.clobbers)


def test_who_stops_does_not_return() -> None:
    assert not summary("f:\n call g\n inc ebx\n ret\ng:\n.on:\n hlt\n jmp .on\n").returns


INDIRECT = """
    f:
        push ebx
        mov ebx, 1
        push 5
        call [{data}]
        add esp, 4
        pop ebx
        ret
    good:
        mov eax, [esp + 4]
        ret
"""


def test_an_indirect_call_keeps_what_all_its_targets_keep() -> None:
    good = Depths(Index(program(INDIRECT, ["good"])), Contract())
    assert good.graph.targets == ("good",)
    assert "ebx" not in names(good.indirect.clobbers)
    assert "ebx" not in names(good.of("f").clobbers)
    bad = Depths(Index(program(INDIRECT + "bad:\n inc ebx\n ret\n", ["good", "bad"])), Contract())
    assert "ebx" in names(bad.indirect.clobbers)
    assert "ebx" not in names(bad.of("f").clobbers)  # it saved it


def test_arguments_end_where_saved_registers_begin() -> None:
    """The pushed 5 may be changed by the callee, the saved ebx may not; a pushed ebx that nobody restores may."""
    depths = Depths(Index(program(INDIRECT, ["good"])), Contract())
    assert depths.of("f").pops == 0
    passed = "f:\n push ebx\n call [{data}]\n pop eax\n ret\ngood:\n mov eax, [esp + 4]\n ret\n"
    assert "ebx" in names(Depths(Index(program(passed, ["good"])), Contract()).of("f").reads)


SCHEDULE = """
    f:
        push ebx
        mov ebx, 2
        call schedule
        pop ebx
        ret
    schedule:
        push ebx
        push 1
        call switch
        add esp, 4
        pop ebx
        ret
    switch:
        push esi
        mov [{data}], esp
        mov esp, [{data + 4}]
        pop esi
        ret
"""
PROMISE = Contract(facts=("schedule returns with the caller's frame intact",))


def test_a_fact_of_the_contract_bounds_the_scheduler() -> None:
    assert summary(SCHEDULE).pops is None
    found = summary(SCHEDULE, contract=PROMISE)
    assert (found.pops, found.kill_depth) == (0, 4)
    assert "ebx" not in names(found.clobbers)
    assert summary(SCHEDULE, contract=PROMISE, facts=False).pops is None


def test_where_esp_gets_lost_the_way_there_is_still_known() -> None:
    """`f` overwrites eax, ecx and the flags before the scheduler is called; edx goes with it to another stack."""
    found = summary("g:\n mov eax, ebx\n xor ecx, ecx\n call schedule\n ret\n" + SCHEDULE, "g")
    assert found.pops is None
    assert {"edx", "ebx"} <= set(names(found.reads))
    assert not {"eax", "ecx", "CF", "ZF"} & set(names(found.reads))


JUMPS = "f:\n push 1\n push ebx\n call g\n add esp, 8\n ret\ng:\n push ebx\n mov ebx, [esp + 8]\n jmp ebx\n"


def test_a_promise_says_what_a_computed_jump_hides() -> None:
    """`g` cannot be understood; by the contract it reaches its two arguments, and its caller needs no eax for it."""
    promise = Contract(facts=("g keeps the C convention, with 2 arguments",))
    found = summary(JUMPS, contract=promise)
    assert (found.use_depth, found.kill_depth, found.pops) == (4, 4, 0)
    assert names(found.before(register_mask("eax"))) == ("ebx",)
    for unknown in (summary(JUMPS), summary(JUMPS, contract=promise, facts=False)):
        assert unknown.pops is None
        assert "eax" in names(unknown.reads)


@pytest.mark.parametrize("place", ["[esp + ecx*4]", "[esp + ecx*4 - 4]", "[esp + ecx*4 + 12]", "[ecx + esp + 8]"])
def test_an_index_into_an_array_of_the_frame_stays_in_it(place: str) -> None:
    found = summary(
        f"f:\n push ebx\n sub esp, 16\n mov dword ptr {place}, 5\n mov ebx, {place}\n add esp, 16\n pop ebx\n ret\n"
    )
    assert (found.use_depth, found.kill_depth) == (4, 4)
    assert "ebx" not in names(found.clobbers | found.reads)


@pytest.mark.parametrize(
    "body",
    [
        "mov dword ptr [esp + ecx*4 + 16], 5",  # among the arguments
        "mov dword ptr [esp + ecx*4 - 4096], 5",  # far below
        "mov eax, esp\n mov dword ptr [esp + eax], 5",  # two addresses
    ],
)
def test_elsewhere_an_index_may_lead_anywhere(body: str) -> None:
    found = summary(f"f:\n push ebx\n sub esp, 8\n {body}\n add esp, 8\n pop ebx\n ret\n")
    assert found.kill_depth is None or "ebx" in names(found.clobbers)


def test_what_fills_an_array_is_no_address() -> None:
    """`rep stosd` moves edi, which is one, and stores eax."""
    fill = "f:\n push ebx\n push edi\n sub esp, 80\n mov edi, esp\n xor eax, eax\n mov ecx, 20\n rep stosd\n"
    found = summary(f"{fill} add esp, 80\n pop edi\n pop ebx\n ret\n")
    assert (found.use_depth, found.kill_depth, found.leaks) == (4, 4, False)


def test_another_address_space_has_the_same_stack() -> None:
    found = summary("f:\n push ebx\n mov ebx, 1\n mov cr3, eax\n pop ebx\n ret\n")
    assert (found.use_depth, found.kill_depth) == (4, 4)
    assert "ebx" not in names(found.clobbers | found.reads)


SECOND_ENTRY = """
    f:
        push dword ptr [esp + 8]
        call first.second
        add esp, 4
        ret

    first:
        xor ecx, ecx
        jmp .inside
    .second:
        mov ecx, [esp + 4]
    .inside:
        push ebx
        mov ebx, ecx
        {more}
        lea eax, [ebx + 1]
        pop ebx
        ret
"""


def test_a_second_entry_has_depths_of_its_own() -> None:
    found = summary(SECOND_ENTRY.format(more=""))
    assert (found.pops, found.use_depth, found.kill_depth) == (0, 12, 4)
    assert set(names(found.clobbers)) & {"eax", "ecx", "ebx", "esi"} == {"eax", "ecx"}
    assert summary(SECOND_ENTRY.format(more="call f")).pops == 0


def test_a_second_entry_is_known_by_what_lies_behind_it() -> None:
    """f calls into the middle of g, behind where g reads its second argument."""
    text = """
    f:
        push 1
        call g.second
        add esp, 4
        ret
    g:
        mov ecx, [esp + 8]
        jmp .rest
    .second:
        xor ecx, ecx
    .rest:
        push ebx
        mov ebx, [esp + 8]
        lea eax, [ebx + ecx]
        pop ebx
        ret
    """
    found = Depths(Index(program(text)), Contract())
    assert (found.of("f").pops, found.of("f").use_depth) == (0, 4)
    assert (found.of("g.second").use_depth, found.of("g").use_depth) == (8, 12)
    assert "ecx" not in names(found.of("f").reads)


def test_second_entries_may_call_each_other() -> None:
    text = """
    f:
        test eax, eax
        je .end
    .again:
        dec eax
        call f.again
    .end:
        ret
    """
    found = Depths(Index(program(text)), Contract())
    assert found.of("f").pops == found.of("f.again").pops == 0
