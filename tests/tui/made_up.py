"""Nine results that no pipeline made: the walkthrough and the command are tested without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rewriter.report import STAGES, Listing, PhaseResult, Table

BEFORE = """\
sys_lseek:
push    ebx
mov     eax, dword ptr [esp + 8]
push    eax
call    fget
add     esp, 4
test    eax, eax
je      sys_lseek.7
cmp     dword ptr [esp + 16], 2
ja      sys_lseek.6
mov     eax, dword ptr [eax*4 + sys_call_table]
call    dword ptr [eax + 8]
pop     ebx
ret"""
AFTER = """\
sys_lseek$0:
push    ebx
mov     eax, dword ptr [esp + 8]
push    eax
call    fget
add     esp, 4
test    eax, eax
je      sys_lseek$0.7
cmp     dword ptr [eax + 8], generic_file_llseek
jne     sys_lseek$0.6
pop     ebx
ret"""
HOT = Table(
    "Hot functions",
    ("function", "instructions", "share", "covered"),
    (
        ("do_generic_file_read", 41235, 0.521, 0.521),
        ("__copy_to_user [rep movsl]", 20000, 0.25, 0.771),
        ("system_call", 7000, 0.0875, 0.8585),
        *((f"a_function_with_a_long_name_{i}", 10 - i, 0.001, 0.9) for i in range(10)),
    ),
)
CALLS = Table(
    "Kernel instructions of a call, from the gate to the iret",
    ("call", "result", "calls", "before", "after", "change", "one unit", "cycles before", "cycles after"),
    (
        ("lseek", "zero", 25, 178.0, 101.5, "-43.0%", 150.0, 700.25, 512.0),
        ("read", "full", 400, 460.0, 460.0, "+0.0%", 410.0, 2210.0, 2210.0),
        ("write", "partial", 1, 100.0, 110.0, "+10.0%", "", 400.0, 430.0),
    ),
)
SUMMARIES: dict[str, dict[str, object]] = {
    "count": {"instructions": 79000, "hot_functions": ["do_generic_file_read"]},
    "traces": {"hot_traces": [{"function": "fput", "trace": ["sys_lseek.3"], "count": 25}]},
    "layout": {"static": {"functions": [126, 127]}},
    "measure": {"syscalls": {"lseek": {"number": 19}}, "behavior": {"same": True, "checked": ["console"]}},
}
TABLES = {"count": (HOT, Table("Nothing", ("a",), ())), "measure": (CALLS, HOT)}
LISTINGS = {
    "specialize": (Listing("sys_lseek", BEFORE, AFTER),),
    "inline": (Listing("the wrapper of sys_lseek$0", "", AFTER), Listing("sys_lseek", BEFORE, AFTER)),
}


def result(name: str, seconds: float = 0.25, **changes: object) -> PhaseResult:
    """A made-up result of that phase."""
    stage = next(stage for stage in STAGES if stage.name == name)
    fields: dict[str, object] = {
        "name": name,
        "section": stage.section,
        "sentence": f"{stage.title}: [this] is what {name} has to say of 126 functions, in one long sentence.",
        "seconds": seconds,
        "handled": 124,
        "refused": {"the exception table names it": 1, "…, which moves [esp]": 3},
        "summary": SUMMARIES.get(name, {}),
        "tables": TABLES.get(name, (HOT,)),
        "listings": LISTINGS.get(name, ()),
        "files": {f"{name}.json": b"{}"},
        **changes,
    }
    return PhaseResult(**fields)  # type: ignore[arg-type]


def pipeline(
    progress: Callable[[str], None] = lambda _: None, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[PhaseResult]:
    """All nine, at once."""
    for stage in STAGES:
        progress(f"{stage.name}: making it up")
        yield result(stage.name)
