"""Effects never say less than the truth (§5.6): hand-picked forms, perturbation under Unicorn, and iced-x86."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rewriter.ir import Insn, Ref, RefKind
from rewriter.x86.anatomy import anatomy
from rewriter.x86.decode import DecodeError, Mem, decode, text
from rewriter.x86.effects import ANYWHERE, UNKNOWN, Access, Effects, effects, names, register_mask
from rewriter.x86.encode import assemble
from rewriter.x86.flow import Flow, flow
from rewriter.x86.state import ALL_REGISTERS, CF, ESP, FLAGS, SEG
from tests.x86.emulated import Unicorn
from tests.x86.forms import generated, in_images
from tests.x86.host import Host, Unavailable
from tests.x86.perturb import Bench


def of(line: str) -> Effects:
    (insn,) = assemble([line])
    return effects(insn)


def words(mask: int) -> str:
    return " ".join(names(mask))


ALL_FLAGS = "CF PF AF ZF SF OF"


@pytest.mark.parametrize(
    ("line", "reads", "writes", "also_may_write"),
    [
        ("mov al, bh", "bh", "al", ""),
        ("movzx ecx, dl", "dl", "ecx", ""),
        ("lea eax, [ebx + ecx*2 + 4]", "ecx ebx", "eax", ""),
        ("xor eax, eax", "", "eax CF PF ZF SF OF", "AF"),
        ("sbb eax, eax", "CF", f"eax {ALL_FLAGS}", ""),
        ("or eax, -1", "", "eax CF PF ZF SF OF", "AF"),
        ("and eax, 0", "", "eax CF PF ZF SF OF", "AF"),
        ("adc eax, ebx", "eax ebx CF", f"eax {ALL_FLAGS}", ""),
        ("inc eax", "eax", "eax PF AF ZF SF OF", ""),
        ("not eax", "eax", "eax", ""),
        ("shl eax, cl", "eax cl", "eax", ALL_FLAGS),
        ("shl eax, 0", "eax", "eax", ""),
        ("shl eax, 32", "eax", "eax", ""),
        ("shl eax, 1", "eax", "eax CF PF ZF SF OF", "AF"),
        ("shl eax, 4", "eax", "eax CF PF ZF SF", "AF OF"),
        ("shl al, 9", "al", "al PF ZF SF", "CF AF OF"),
        ("rcl eax, 1", "eax CF", "eax CF OF", ""),
        ("ror eax, 8", "eax", "eax CF", "OF"),
        ("shld ax, bx, 20", "ax bx", "ax", ALL_FLAGS),
        ("imul eax, ebx, 5", "ebx", "eax CF OF", "PF AF ZF SF"),
        ("imul eax, ebx", "eax ebx", "eax CF OF", "PF AF ZF SF"),
        ("mul cl", "al cl", "ax CF OF", "PF AF ZF SF"),
        ("div ecx", "eax ecx edx", "eax edx", ALL_FLAGS),
        ("cdq", "eax", "edx", ""),
        ("cmove eax, ebx", "eax ebx ZF", "", "eax"),
        ("setg cl", "ZF SF OF", "cl", ""),
        ("bsf eax, ebx", "eax ebx", "ZF", "eax CF PF AF SF OF"),
        ("bt eax, ebx", "eax ebx", "CF", "PF AF SF OF"),
        ("cmpxchg ecx, ebx", "eax ecx ebx", ALL_FLAGS, "eax ecx"),
        ("xadd ecx, ebx", "ecx ebx", f"ecx ebx {ALL_FLAGS}", ""),
        ("bswap esi", "esi", "esi", ""),
        ("lahf", "CF PF AF ZF SF", "ah", ""),
        ("sahf", "ah", "CF PF AF ZF SF", ""),
        ("cld", "", "DF", ""),
        ("pushf", f"esp {ALL_FLAGS} DF IF SYSTEM", "esp", ""),
        ("popf", "esp SYSTEM", f"esp {ALL_FLAGS} DF", "IF SYSTEM"),
        ("leave", "ebp", "esp ebp", ""),
        ("pushal", "eax ecx edx ebx esp ebp esi edi", "esp", ""),
        ("popal", "esp", "eax ecx edx ebx esp ebp esi edi", ""),
        ("xlat", "al ebx", "al", ""),
        ("rep movsd", "ecx esi edi DF", "", "ecx esi edi"),
        ("movsb", "esi edi DF", "esi edi", ""),
        ("repne scasb", "al ecx edi DF", "", f"ecx edi {ALL_FLAGS}"),
        ("lodsb", "esi DF", "al esi", ""),
        ("jecxz {x}", "ecx", "", ""),
        ("loop {x}", "ecx", "ecx", ""),
        ("jbe {x}", "CF ZF", "", ""),
        ("mov ds, eax", "eax", "", "SEG"),
        ("mov eax, fs:[ebx]", "ebx SEG", "eax", ""),
    ],
)
def test_registers_and_flags(line: str, reads: str, writes: str, also_may_write: str) -> None:
    found = of(line)
    assert words(found.reads) == reads
    assert words(found.writes) == writes
    assert words(found.may_write & ~found.writes) == also_may_write


def esp(disp: int, size: int) -> Access:
    return Access(Mem("esp", disp=disp, size=size), size)


@pytest.mark.parametrize(
    ("line", "loads", "stores", "esp_change"),
    [
        ("mov ax, [esp + 4]", [esp(4, 2)], [], 0),
        ("inc dword ptr [esp]", [esp(0, 4)], [esp(0, 4)], 0),
        ("cmp byte ptr [esp - 1], 0", [esp(-1, 1)], [], 0),
        ("push eax", [], [esp(-4, 4)], -4),
        ("push ax", [], [esp(-2, 2)], -2),
        ("push esp", [], [esp(-4, 4)], -4),
        ("push dword ptr [esp + 8]", [esp(8, 4)], [esp(-4, 4)], -4),
        ("pop eax", [esp(0, 4)], [], 4),
        ("pop esp", [esp(0, 4)], [], None),
        ("pop dword ptr [esp + 4]", [esp(0, 4)], [esp(8, 4)], 4),  # addressed by the new esp
        ("pop dword ptr [esp]", [esp(0, 4)], [esp(4, 4)], 4),
        ("push ds", [esp(-4, 4)], [esp(-4, 4)], -4),  # two bytes may stay what they were
        ("call {f}", [], [esp(-4, 4)], -4),
        ("call dword ptr [esp + 8]", [esp(8, 4)], [esp(-4, 4)], -4),
        ("ret", [esp(0, 4)], [], 4),
        ("ret 8", [esp(0, 4)], [], 12),
        ("leave", [Access(Mem("ebp"), 4)], [], None),
        ("enter 16, 0", [], [esp(-4, 4)], -20),
        ("pushal", [], [esp(-32, 32)], -32),
        ("popal", [esp(0, 32)], [], 32),
        ("add esp, 12", [], [], 12),
        ("sub esp, 12", [], [], -12),
        ("lea esp, [esp - 12]", [], [], -12),
        ("inc esp", [], [], 1),
        ("and esp, -16", [], [], None),
        ("sub esp, eax", [], [], None),
        ("mov esp, ebp", [], [], None),
        ("add sp, 4", [], [], None),
        ("xchg eax, esp", [], [], None),
        ("bts dword ptr [esp], eax", [Access(Mem("esp"), None)], [Access(Mem("esp"), None)], 0),
        ("bts dword ptr [esp], 5", [esp(0, 4)], [esp(0, 4)], 0),
        ("rep stosd", [], [Access(Mem("edi"), None)], 0),
        ("cmpxchg8b qword ptr [esp]", [esp(0, 8)], [esp(0, 8)], 0),
        ("xlat", [Access(Mem("ebx", size=256), 256)], [], 0),
        ("lea eax, [esp + 4]", [], [], 0),
        ("nop dword ptr [esp]", [], [], 0),
        ("int 0x80", [ANYWHERE], [ANYWHERE], 0),
        ("fstp qword ptr [esp]", [], [esp(0, 8)], 0),
        ("fnsave [esp]", [], [esp(0, 108)], 0),
        ("mov cr3, eax", [ANYWHERE], [ANYWHERE], 0),
    ],
)
def test_memory_and_esp(line: str, loads: list[Access], stores: list[Access], esp_change: int | None) -> None:
    found = of(line)
    assert (list(found.loads), list(found.stores), found.esp_change) == (loads, stores, esp_change)


@pytest.mark.parametrize(
    ("line", "fixed", "faults"),
    [
        ("mov eax, [ebx]", None, False),
        ("div ecx", None, True),
        ("xchg [ebx], eax", "locked", False),
        ("lock inc dword ptr [ebx]", "locked", False),
        ("rep movsd", "repeated", False),
        ("movsd", None, False),
        ("cli", "interrupt flag", True),
        ("out 0x80, al", "port", True),
        ("insb", "port", True),
        ("hlt", "waits for an interrupt", True),
        ("rdtsc", "time stamp counter", True),
        ("cpuid", "serializes", True),
        ("mov eax, cr0", "control register", True),
        ("mov eax, ds", None, False),
        ("mov ds, eax", "segment register", True),
        ("mov eax, gs:[0]", "segment override", False),
        ("lgdt [eax]", "descriptor table", True),
        ("invlpg [eax]", "privileged", True),
        ("popf", "system flags", True),
        ("int 0x80", "software interrupt", True),
        ("ud2", "trap", True),
        ("fld dword ptr [eax]", "floating point", True),
        ("movaps xmm0, [eax]", "vector", True),
        ("mfence", "fence", False),
        ("iret", "unknown instruction", True),
        ("ret", "control flow", False),
    ],
)
def test_what_stays_in_its_place_and_what_traps(line: str, fixed: str | None, faults: bool) -> None:
    assert (of(line).fixed, of(line).faults) == (fixed, faults)


@pytest.mark.parametrize(
    "code", ["", "ff ff", "0f", "66 e8 00 00", "67 8b 07", "c5 f8 77", "c8 00 00 01", "66 60", "9a"]
)
def test_what_is_not_understood_does_everything(code: str) -> None:
    assert effects(Insn(bytes.fromhex(code))) == UNKNOWN


def test_a_relocated_constant_is_not_taken_at_its_word() -> None:
    raw = bytes.fromhex("83 e4 00"), bytes.fromhex("25 00 00 00 00"), bytes.fromhex("81 c4 00 00 00 00")
    assert words(effects(Insn(raw[1])).reads) == ""
    assert words(effects(Insn(raw[1], (Ref(1, RefKind.ABS32, "x"),))).reads) == "eax"
    assert effects(Insn(raw[2])).esp_change == 0
    assert effects(Insn(raw[2], (Ref(2, RefKind.ABS32, "x"),))).esp_change is None
    lea = bytes.fromhex("8d a4 24 00 00 00 00")
    assert effects(Insn(lea)).esp_change == 0
    assert effects(Insn(lea, (Ref(3, RefKind.ABS32, "x"),))).esp_change is None


def test_masks_and_their_names() -> None:
    assert register_mask("ax") == register_mask("al") | register_mask("ah")
    assert (
        sum(register_mask(name) for name in ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")) == ALL_REGISTERS
    )
    assert names(register_mask("ch") | register_mask("si") | CF) == ("ch", "si", "CF")
    assert names(register_mask("eax") & ~register_mask("ax")) == ("eax[2,3]",)
    assert names(0) == ()
    with pytest.raises(KeyError):
        register_mask("ds")


def shapes(codes: tuple[bytes, ...]) -> list[bytes]:
    """One instruction of every prefix, opcode, ModRM and whether its immediate is 0, 1 or another."""
    found: dict[tuple[object, ...], bytes] = {}
    for raw in codes:
        try:
            parts = anatomy(raw)
            decode(raw)
        except (DecodeError, NotImplementedError, IndexError):
            continue
        constant = min(2, int.from_bytes(raw[parts.imm_offset :], "little"))
        found.setdefault((parts.prefixes, parts.opcode, parts.modrm, constant, parts.disp_size), raw)
    return list(found.values())


def test_every_form_keeps_the_rules_of_effects() -> None:
    for raw in generated()[::4]:
        found = effects(Insn(raw))
        assert found.writes & ~found.may_write == 0, text(raw)
        if found.may_write & ~(ALL_REGISTERS | FLAGS):
            assert found.fixed, text(raw)  # nobody follows what is in the lumps
        if found.esp_change != 0:
            assert found.may_write & ESP, text(raw)
        if not found.may_write & ESP:
            assert found.esp_change == 0, text(raw)


def is_tried(raw: bytes) -> bool:
    """Not what Unicorn cannot show: everything at once, time, another page table; nor `test` by F6 /1, F7 /1, which
    it does not know."""
    parts = anatomy(raw)
    if parts.opcode in (0xF6, 0xF7) and parts.extension == 1:
        return False
    return effects(Insn(raw)).fixed not in (
        *("unknown instruction", "software interrupt", "control register", "time stamp counter"),
    )


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(Unicorn())


def test_every_form_of_the_images_does_what_its_effects_say(bench: Bench) -> None:
    tried = [raw for raw in shapes(in_images()) if is_tried(raw)]
    assert len(tried) > 500
    wrong = {f"{raw.hex()} {text(raw)}": found for raw in tried[::2] if (found := bench.complaints(raw))}
    assert wrong == {}


def test_generated_forms_do_what_their_effects_say(bench: Bench) -> None:
    tried = [raw for raw in shapes(generated()) if is_tried(raw)]
    assert len(tried) > 5000
    wrong = {f"{raw.hex()} {text(raw)}": found for raw in tried[::23] if (found := bench.complaints(raw))}
    assert wrong == {}


def is_harmless(raw: bytes) -> bool:
    """Whether the host may execute it: nothing that leaves, or changes segments, the system flags or nobody knows what;
    fs and gs belong to the process."""
    found = effects(Insn(raw))
    if not is_tried(raw) or flow(raw) is not Flow.NEXT or found.reads & SEG:
        return False
    return found.fixed not in ("segment register", "segment override", "system flags", "descriptor table")


def test_forms_do_what_their_effects_say_on_this_machine(tmp_path: Path) -> None:
    try:
        host = Host(tmp_path)
    except Unavailable as why:
        pytest.skip(str(why))
    tried = [raw for raw in shapes((*in_images(), *generated())) if is_harmless(raw)]
    assert len(tried) > 4000
    wrong = {f"{raw.hex()} {text(raw)}": found for raw in tried[::16] if (found := Bench(host).complaints(raw))}
    host.close()
    assert wrong == {}


LIES = {
    "rcl eax, 1": {"reads": "CF"},
    "adc eax, ebx": {"reads": "CF"},
    "cmovb eax, ebx": {"reads": "CF"},
    "setle al": {"reads": "ZF"},
    "cmpxchg ecx, ebx": {"reads": "al"},
    "xlat": {"reads": "al"},
    "pushf": {"reads": "DF"},
    "lahf": {"reads": "SF"},
    "mul cl": {"may_write": "ah"},
    "cdq": {"may_write": "edx"},
    "inc eax": {"may_write": "OF"},
    "shl eax, cl": {"may_write": "CF"},
    "neg eax": {"may_write": "CF"},
    "test eax, ebx": {"may_write": "ZF"},
    "sahf": {"may_write": "AF"},
    "bt eax, ebx": {"may_write": "CF"},
    "enter 16, 0": {"may_write": "ebp"},
    "loop {x}": {"may_write": "ecx"},
    "lodsb": {"may_write": "esi"},
}


@pytest.mark.parametrize(("line", "lie"), LIES.items())
def test_the_bench_sees_what_is_left_out(bench: Bench, line: str, lie: dict[str, str]) -> None:
    (insn,) = assemble([line])
    truth = effects(insn)
    ((place, left_out),) = lie.items()
    bits = CF if left_out == "CF" else mask_of(left_out)
    told = replace(truth, **{place: getattr(truth, place) & ~bits})
    if place == "may_write":
        told = replace(told, writes=truth.writes & ~bits)
    assert bench.complaints(insn.raw) == []
    assert bench.complaints(insn.raw, told) != []


@pytest.mark.parametrize(
    ("line", "lie"),
    [
        ("shl eax, cl", {"writes": FLAGS}),  # by zero it keeps them
        ("inc eax", {"writes": FLAGS}),  # CF stays
        ("bsf eax, ebx", {"writes": register_mask("eax"), "reads": register_mask("ebx")}),
        ("rep movsd", {"stores": ()}),
        ("push eax", {"stores": ()}),
        ("push eax", {"stores": (Access(Mem("esp", disp=-4), 3),)}),
        ("mov byte ptr [esp], 1", {"stores": (Access(Mem("esp"), 4),)}),  # does not write them all
        ("pop dword ptr [esp + 4]", {"stores": (Access(Mem("esp", disp=4), 4),)}),
        ("popal", {"loads": (Access(Mem("esp"), 28),)}),
        ("bts dword ptr [ebx], eax", {"loads": (Access(Mem("ebx"), 4),), "stores": (Access(Mem("ebx"), 4),)}),
        ("ret 8", {"esp_change": 4}),
        ("div ecx", {"faults": False}),
    ],
)
def test_the_bench_sees_what_is_wrong(bench: Bench, line: str, lie: dict[str, object]) -> None:
    (insn,) = assemble([line])
    told = replace(effects(insn), **lie)  # type: ignore[arg-type]
    if "writes" in lie:
        told = replace(told, may_write=told.may_write | told.writes)
    assert bench.complaints(insn.raw, told) != []


def mask_of(name: str) -> int:
    return next((1 << bit for bit in range(32, 45) if names(1 << bit) == (name,)), 0) or register_mask(name)


@pytest.mark.parametrize("offset", [15, 16, 40])
def test_bytes_that_were_not_understood_may_do_anything(offset: int) -> None:
    """They are kept as one instruction, longer than any."""
    assert effects(Insn(bytes(64), (Ref(offset, RefKind.ABS32, "f"),))) == UNKNOWN
