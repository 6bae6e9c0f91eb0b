"""The kernel's assembly routines, each called alone on a bare processor: as built, moved, and with counters."""

from __future__ import annotations

import io
import random
import struct
from functools import lru_cache

import pytest
import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import x86_const as x86

import toykernel.image
from rewriter.contract import Contract
from rewriter.elf import emit, load
from rewriter.probes.counters import insert_counters

STACK, STACK_SIZE, STOP = 0x10000000, 8192, 0x20000000
MEMORY, PAGE = 0x30000000, 4096  # two pages, and nothing around them
LIMIT = MEMORY + PAGE  # of the running task
EFAULT = 14
REGISTERS = ("ebx", "esi", "edi", "ebp", "esp")
FORMS = ("built", "moved", "counted")


@lru_cache
def image(form: str) -> bytes:
    if form == "built":
        return toykernel.image.kernel()
    contract = Contract.parse(toykernel.image.contract())
    program = load(toykernel.image.kernel(), contract)
    if form == "counted":
        insert_counters(program, contract)
    return emit(program, move=True)


class Kernel:
    """Its segments in memory, a stack whose lowest words are a task, and two pages for data."""

    def __init__(self, raw: bytes) -> None:
        elf = ELFFile(io.BytesIO(raw))
        self.symbols = {s.name: s["st_value"] for s in elf.get_section_by_name(".symtab").iter_symbols()}
        self.uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
        for segment in elf.iter_segments("PT_LOAD"):
            start, end = segment["p_vaddr"] & -PAGE, segment["p_vaddr"] + segment["p_memsz"]
            self.uc.mem_map(start, (end - start + PAGE - 1) & -PAGE)
            self.uc.mem_write(segment["p_vaddr"], segment.data())
        self.uc.mem_map(STACK - STACK_SIZE, STACK_SIZE)
        self.uc.mem_write(STACK - STACK_SIZE, struct.pack("<4I", 0, 0, 0, LIMIT))
        self.uc.mem_map(STOP, PAGE)
        self.uc.mem_map(MEMORY, 2 * PAGE)

    def call(self, name: str, *arguments: int, **registers: int) -> int:
        """Call a function by the C convention, which it must keep; returns eax."""
        esp = STACK - 64
        self.uc.mem_write(esp, struct.pack(f"<{1 + len(arguments)}I", STOP, *arguments))
        before = {"ebx": 1, "esi": 2, "edi": 3, "ebp": 4, "esp": esp, **registers}
        for register, value in before.items():
            self.uc.reg_write(getattr(x86, f"UC_X86_REG_{register.upper()}"), value)
        self.uc.reg_write(x86.UC_X86_REG_EFLAGS, 2 | random.getrandbits(1))  # carry, or not
        self.uc.emu_start(self.symbols[name], STOP)
        after = {register: self.register(register) for register in REGISTERS}
        assert after == {register: before[register] for register in REGISTERS} | {"esp": esp + 4}
        return self.register("eax")

    def register(self, name: str) -> int:
        return self.uc.reg_read(getattr(x86, f"UC_X86_REG_{name.upper()}"))


@pytest.fixture(scope="module", params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return Kernel(image(request.param))


def checksum(data: bytes, total: int) -> int:
    """RFC 1071 with words of 32 bits."""
    for (word,) in struct.iter_unpack("<I", data + bytes(-len(data) % 4)):
        total += word
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def test_checksum_is_that_of_the_words(kernel: Kernel) -> None:
    """Data ends where memory ends: nothing behind it is read."""
    source = random.Random(1)
    for size in [*range(100), 128, 1000, 1023, 1024, PAGE]:
        data = source.choice([source.randbytes(size), bytes(size), b"\xff" * size])
        begin = source.choice([0, 1, 0xFFFFFFFF, source.getrandbits(32)])
        kernel.uc.mem_write(MEMORY + 2 * PAGE - size, data)
        found = kernel.call("checksum", MEMORY + 2 * PAGE - size, size, begin)
        assert found == checksum(data, begin), (size, begin)


def test_checksum_of_parts_is_that_of_the_whole(kernel: Kernel) -> None:
    kernel.uc.mem_write(MEMORY, bytes(range(200)))
    first = kernel.call("checksum", MEMORY, 120, 0)
    assert kernel.call("checksum", MEMORY + 120, 80, first) == kernel.call("checksum", MEMORY, 200, 0)


def clear_bit(words: list[int], bits: int, start: int) -> int:
    return next((n for n in range(start, bits) if not words[n // 32] >> n % 32 & 1), bits)


def test_finds_the_first_zero_bit(kernel: Kernel) -> None:
    """The map ends where memory ends."""
    source = random.Random(2)
    for _ in range(300):
        bits = source.randrange(1, 130)
        words = [source.choice([0xFFFFFFFF, 0xFFFFFFFF, source.getrandbits(32), 0]) for _ in range((bits + 31) // 32)]
        at, start = MEMORY + 2 * PAGE - 4 * len(words), source.randrange(bits + 1)
        kernel.uc.mem_write(at, struct.pack(f"<{len(words)}I", *words))
        assert kernel.call("find_first_zero_bit", at, bits) == clear_bit(words, bits, 0)
        assert kernel.call("find_next_zero_bit", at, bits, start) == clear_bit(words, bits, start)


@pytest.mark.parametrize(("size", "name"), [(1, "__get_user_1"), (4, "__get_user_4")])
def test_reads_a_word_of_a_program(kernel: Kernel, size: int, name: str) -> None:
    kernel.uc.mem_write(MEMORY, bytes(range(1, 255)))
    for address in (MEMORY, MEMORY + 3, MEMORY + 100):
        assert kernel.call(name, eax=address, edx=0xDEAD, ecx=5) == 0
        expected = kernel.uc.mem_read(address, size)
        assert kernel.register("edx") == int.from_bytes(expected, "little")
        assert kernel.register("ecx") == 5
    assert kernel.call(name, eax=LIMIT - size) == 0


def test_writes_a_word_of_a_program(kernel: Kernel) -> None:
    for address in (MEMORY + 1, LIMIT - 4):
        assert kernel.call("__put_user_4", eax=address, edx=0x12345678) == 0
        assert kernel.uc.mem_read(address, 4) == b"\x78\x56\x34\x12"


@pytest.mark.parametrize(("size", "name"), [(1, "__get_user_1"), (4, "__get_user_4"), (4, "__put_user_4")])
def test_touches_nothing_beyond_the_limit(kernel: Kernel, size: int, name: str) -> None:
    """Above it lies memory of the kernel's."""
    kernel.uc.mem_write(LIMIT - PAGE, bytes(2 * PAGE))
    for address in (LIMIT - size + 1, LIMIT, LIMIT + 8, 0xFFFFFFFF, 0xFFFFFFFE, 0x100000000 - size):
        assert kernel.call(name, eax=address, edx=0xDEAD) == 0x100000000 - EFAULT
        assert name == "__put_user_4" or kernel.register("edx") == 0
    assert kernel.uc.mem_read(LIMIT - PAGE, 2 * PAGE) == bytes(2 * PAGE)
