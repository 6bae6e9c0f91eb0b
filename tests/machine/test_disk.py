"""The disk: a second module that the kernel changes in place, and the power that fails while it does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.machine.guest import KERNEL, guest
from toykernel import disk
from toykernel.machine import Machine, Run, Store, Workload

WORDS = 8
DISK = bytes(4096)
SOURCE = KERNEL + 0x6000
# The archive is behind the kernel, on a page of its own, and the disk on the next; ebx leads to both.
WRITES = f"""
    mov ebx, dword ptr [ebx + 24]; mov edi, dword ptr [ebx + 16]; add edi, 0xc0000000; mov edx, edi
    mov al, 0x61; push edx; mov edx, 0x3f8; out dx, al; pop edx
    mov esi, {SOURCE}; mov ecx, {WORDS}
    rep_movsd
    mov al, 0x62; push edx; mov edx, 0x3f8; out dx, al; pop edx
    mov byte ptr [edi + 100], 7
    mov word ptr [edi + 200], 0xfffe
    mov dword ptr [{KERNEL + 0x7000}], 1
"""
NUMBERS = {0x6000: "; ".join(f".byte {n}, 1, 2, 3" for n in range(1, WORDS + 1))}
STORED = [
    *(Store(4 * n, bytes((n + 1, 1, 2, 3)), 1) for n in range(WORDS)),
    Store(132, b"\7", 2),
    Store(232, b"\xfe\xff", 2),
]


def run(image: bytes = DISK, **options: Any) -> Run:
    kernel = guest("int 0x80", {0x80: "power_off"}, start=WRITES, functions=NUMBERS)
    return Machine(**options).run(kernel, Workload([], disk=image))


def applied(stores: list[Store], image: bytes = DISK) -> bytes:
    result = bytearray(image)
    for store in stores:
        result[store.offset : store.offset + len(store.content)] = store.content
    return bytes(result)


def test_the_disk_is_what_the_kernel_left() -> None:
    assert run().disk == applied(STORED)
    assert run().stores == ()
    assert run().console == b"ab"


def test_every_store_is_told_in_order() -> None:
    told = run(stores=True)
    assert list(told.stores) == STORED
    assert told.disk == applied(STORED)


@pytest.mark.parametrize("cut", range(len(STORED) + 1))
def test_the_power_fails_between_two_stores(cut: int) -> None:
    """Also in the middle of a `rep movsl`; nothing comes out of the machine any more."""
    stopped = run(cut=cut)
    assert stopped.disk == applied(STORED[:cut])
    assert stopped.console == (b"a" if cut < WORDS else b"ab")
    assert stopped == run(cut=cut)


def test_files_have_digests() -> None:
    whole = run(disk.make({"a": b"1", "b/": b"", "c": b"1"}, blocks=400))
    assert list(whole.files) == [""]  # the guest has written over it
    quiet = Machine().run(guest("int 0x80", {0x80: "power_off"}), Workload([], disk=disk.make({"a": b"1", "b/": b""})))
    assert list(quiet.files) == ["/", "a", "b/"]
    assert quiet.files["a"] != quiet.files["b/"]
    assert Machine().run(guest("int 0x80", {0x80: "power_off"}), Workload([])).files == {}
