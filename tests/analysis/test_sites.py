"""What is proved about a system call's number and arguments, and what is refused."""

from __future__ import annotations

from rewriter.analysis.sites import CallSite, call_sites, retargeted
from rewriter.ir import Program
from rewriter.probes.assembly import function


def sites(text: str) -> list[CallSite]:
    return call_sites(Program([function("main", text)], [], "main"))


def test_constants_and_the_load_of_the_number_are_found() -> None:
    (site,) = sites("""
        mov ebx, esi
        xor ecx, ecx
        mov edx, 4096
        mov eax, 3
        int 0x80
        ret
    """)
    assert (site.number, site.constants, site.number_at, site.refused) == (3, {1: 0, 2: 4096}, ("main", 3), "")


def test_other_registers_keep_their_values_over_a_system_call() -> None:
    first, second = sites("""
        mov edx, 4096
        mov eax, 3
        int 0x80
        mov eax, 3
        int 0x80
        ret
    """)
    assert first.constants[2] == second.constants[2] == 4096
    assert (first.number_at, second.number_at) == (("main", 1), ("main", 3))


def test_a_number_that_two_sites_share_is_refused() -> None:
    found = sites("""
        mov eax, 20
        test ebx, ebx
        jne other
        int 0x80
        ret
        other:
        int 0x80
        ret
    """)
    assert [s.refused for s in found] == ["its number is used elsewhere, too"] * 2


def test_a_number_that_is_read_beside_the_call_is_refused() -> None:
    (site,) = sites("""
        mov eax, 20
        mov ecx, eax
        int 0x80
        ret
    """)
    assert site.refused == "its number is used elsewhere, too"


def test_a_number_that_a_tail_call_may_read_is_refused() -> None:
    caller = function(
        "main",
        """
        mov eax, 3
        int 0x80
        mov eax, 20
        int 0x80
        mov eax, 4
        jmp {other}
    """,
    )
    other = function("other", "int 0x80\nret")
    first, second, third = call_sites(Program([caller, other], [], "main"))
    assert (first.refused, second.refused) == ("", "")
    assert third.refused == "its number is not loaded in this function"


def test_a_number_that_may_be_returned_is_refused() -> None:
    (site,) = sites("""
        mov eax, 20
        test ebx, ebx
        jne out
        int 0x80
        out:
        ret
    """)
    assert site.refused == "its number is used elsewhere, too"


def test_a_number_from_two_places_is_refused() -> None:
    (site,) = sites("""
        mov eax, 3
        test ebx, ebx
        jne go
        mov eax, 4
        go:
        int 0x80
        ret
    """)
    assert site.refused == "its number comes from 2 places"


def test_a_number_that_is_computed_is_refused() -> None:
    (site,) = sites("""
        push 20
        pop eax
        int 0x80
        ret
    """)
    assert (site.number, site.refused) == (20, "its number is not a constant")


def test_an_argument_that_differs_by_path_is_not_proved() -> None:
    (site,) = sites("""
        mov ecx, 1
        mov edx, 7
        test ebx, ebx
        jne go
        mov ecx, 2
        go:
        mov eax, 19
        int 0x80
        ret
    """)
    assert site.constants == {2: 7}


def test_a_retargeted_load_differs_in_its_number_alone() -> None:
    text = "mov eax, 19\nint 0x80\nret"
    insn = function("main", text).blocks[0].insns[0]
    assert retargeted(insn, 202).raw == b"\xb8\xca\x00\x00\x00"


def test_a_site_behind_a_block_that_others_enter_is_refused() -> None:
    shared = function("g", "mov ebx, 1\nmid:\nmov eax, 4\nint 0x80\nret")
    other = function("f", "mov ebx, 2\njmp {g.mid}")
    (site,) = call_sites(Program([shared, other], [], "g"))
    assert (site.constants, site.number_at, site.refused) == ({}, None, "a block is entered from elsewhere")
