"""Small kernels of other makes: rewritten with contracts that say what their bytes do not, they do the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from rewriter.contract import Contract
from rewriter.elf import ElfError, emit, load
from rewriter.elf.exceptions import FORMATS, Fixup
from rewriter.ir import Program
from rewriter.probes.counters import insert_counters
from rewriter.verify import verify
from tests.random_c import native
from tests.random_c.shuffle import shuffle
from toykernel.machine import Machine, Qemu, Workload

SOURCES = Path(__file__).with_name("sources")
REWRITES: dict[str, Callable[[bytes, Contract], bytes]] = {
    "identity": lambda image, contract: emit(load(image, contract)),
    "moved": lambda image, contract: emit(load(image, contract), move=True),
    "moved twice": lambda image, contract: emit(load(emit(load(image, contract), move=True), contract), move=True),
    "counted": lambda image, contract: counted(image, contract, move=False),
    "counted and moved": lambda image, contract: counted(image, contract, move=True),
    "shuffled": lambda image, contract: emit(shuffle(load(image, contract), 1)),
}
TABLES = tuple(FORMATS)
pytestmark = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))


def counted(image: bytes, contract: Contract, move: bool) -> bytes:
    program = load(image, contract)
    insert_counters(program, contract)
    assert verify(program) == []
    return emit(program, move=move)


@cache
def build(name: str, *flags: str, script: str = "kernel.ld") -> bytes:
    """One of the kernels."""
    sources = {path: (SOURCES / path).read_text(encoding="utf-8") for path in (name, "start.h", script)}
    return native.build(sources, flags, (f"-Wl,-T,{script}", "-Wl,-z,max-page-size=4096", "-Wl,-z,noexecstack"))


def boot(kernel: bytes) -> bytes:
    """What it says.  Raises MachineError where it does not power off with status 0."""
    return Machine(budget=1_000_000, slice_size=100_000).run(kernel, Workload([])).console


def promises(form: str, plain: tuple[str, ...] = ("handle_plain", "1"), stay: str = '"_start"') -> Contract:
    """A contract as these kernels have it."""
    table = f'start = "__start___ex_table"\nend = "__stop___ex_table"\nformat = "{form}"\nplain = {list(plain)}'
    return Contract.parse(f"stay = [{stay}]\n[exception_table]\n{table}")


def tables(form: str) -> bytes:
    return build("tables.S", f"-DFORMAT={TABLES.index(form)}")


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("form", TABLES)
def test_faults_reach_their_fixups(form: str, rewrite: str) -> None:
    image, contract = tables(form), promises(form)
    marked = 77 if FORMATS[form].third else 0
    words = (-14, 0x33323130, -14, 12, marked)
    assert boot(image) == b"".join(b"%08x\n" % (word & 0xFFFFFFFF) for word in words)
    assert boot(REWRITES[rewrite](image, contract)) == boot(image)


def entries(image: bytes, contract: Contract) -> list[Fixup]:
    """The exception table as it lies in an image."""
    program = load(image, contract)
    section = next(s for s in program.sections if s.name == program.exception_table)
    from rewriter.elf.image import read

    raw = next(s.raw for s in read(image).sections if s.name == section.name)
    return list(FORMATS[program.exception_format].read(raw, section.address))


@pytest.mark.parametrize("form", TABLES)
def test_written_tables_are_sorted(form: str) -> None:
    """Functions lie in another order than before; the search by halves would not find them."""
    contract = promises(form)
    shuffled = entries(emit(shuffle(load(tables(form), contract), 1)), contract)
    assert [each.insn for each in shuffled] == sorted(each.insn for each in shuffled)
    original = entries(tables(form), contract)
    assert len(shuffled) == len(original)
    assert [each.insn for each in shuffled] != [each.insn for each in original]


@pytest.mark.parametrize(("form", "name"), [("relative-handlers", "handle_mark"), ("relative-numbers", "2")])
def test_who_knows_not_what_a_fault_does_leaves_its_function_alone(form: str, name: str) -> None:
    reason = f"what {name} does to a fault in it is not known"
    pins = {f.name: f.pins for f in load(tables(form), promises(form)).functions}
    assert pins["marked"] == (reason,)
    assert pins["read_word"] == ()
    assert load(tables(form), promises(form, (name, "handle_plain", "1"))).function("marked").pins == ()


def test_without_its_contract_a_function_with_fixups_stays() -> None:
    for form in TABLES:
        assert "data that is no jump table names a place in it" in load(tables(form)).function("read_word").pins


def test_a_table_of_another_format_is_refused() -> None:
    for form, other in (("relative-pairs", "absolute-pairs"), ("absolute-pairs", "relative-pairs")):
        with pytest.raises(ElfError, match="the exception table names"):
            load(tables(form), promises(other))
    with pytest.raises(ElfError, match="bytes, which are no entries of 12"):
        load(tables("absolute-pairs"), promises("relative-numbers"))


def test_a_new_instruction_that_may_fault_needs_a_third_word() -> None:
    from dataclasses import replace

    program: Program = load(tables("relative-handlers"), promises("relative-handlers"))
    block = next(b for f in program.functions for b in f.blocks if b.insns[-1].faults_to)
    block.insns[-1] = replace(block.insns[-1], origin=None)
    assert "of which the exception table knows nothing" in verify(program)[0]


STAYS = Contract.parse('stay = ["_start"]')


@pytest.mark.parametrize("rewrite", REWRITES)
def test_symbols_of_the_linker_script_mean_what_they_meant(rewrite: str) -> None:
    """The text is all of the text, and free memory begins behind everything."""
    image = build("layout.S")
    assert boot(image) == b"00001111\n00000001\n00002222\n00000001\n"
    assert boot(REWRITES[rewrite](image, STAYS)) == boot(image)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_code_behind_the_text(rewrite: str) -> None:
    """It moves up as a whole, as data does."""
    image = build("layout.S", "-DBEHIND")
    assert boot(image).startswith(b"00001112\n")
    assert boot(REWRITES[rewrite](image, STAYS)) == boot(image)


def test_code_behind_the_text_that_stays_keeps_the_text_from_growing() -> None:
    """What is new would lie behind the image, where the kernel takes its memory."""
    image, contract = build("layout.S", "-DBEHIND"), Contract.parse('stay = ["_start", "early"]')
    assert boot(REWRITES["identity"](image, contract)) == boot(image)
    for rewrite in ("moved", "counted"):
        with pytest.raises(
            ElfError, match=r"^\.text cannot grow: behind it, early may not move: the contract says so \(link"
        ):
            REWRITES[rewrite](image, contract)


@pytest.mark.skipif(not Qemu.available(), reason="qemu-system-i386 is not installed")
@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_kernel_that_is_started_by_a_note(rewrite: str) -> None:
    """As QEMU and Xen do it (PVH): the note holds a physical address, and nothing else names the first function."""
    image = build("layout.S", "-DPVH", script="pvh.ld")
    rewritten = REWRITES[rewrite](image, STAYS)
    assert Qemu().console(rewritten, Workload([])) == b"00001111\n00000001\n00002222\n00000001\n"


def test_a_note_moves_with_what_it_names() -> None:
    image = build("layout.S", "-DPVH", script="pvh.ld")
    again = load(emit(load(image), move=True))
    notes = [segment for segment in again.segments if segment.kind == 4]
    assert [segment.sections for segment in notes] == [(".note.pvh",)]
    assert [(ref.target, ref.addend) for ref in again.datum(".note.pvh").refs.values()] == [("_start", -0xC0000000)]
