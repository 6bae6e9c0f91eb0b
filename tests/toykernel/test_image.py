"""The prebuilt image: up to date, complete, and as its contract says.  No compiler is needed."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from rewriter.contract import Contract
from toykernel import build, image


def symbols(elf: ELFFile) -> dict[str, int]:
    return {symbol.name: symbol["st_value"] for symbol in elf.get_section_by_name(".symtab").iter_symbols()}


def words(elf: ELFFile, start: int, end: int) -> list[int]:
    section = next(s for s in elf.iter_sections() if s["sh_addr"] <= start < s["sh_addr"] + s["sh_size"])
    data = section.data()[start - section["sh_addr"] : end - section["sh_addr"]]
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]


def test_image_is_what_the_sources_make() -> None:
    assert build.stale() == []


@pytest.mark.parametrize(
    "name", ["kernel/main.c", "programs/hello.c", "image/kernel.elf", "image/bin/calls", "build.py"]
)
def test_a_changed_file_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("kernel", "programs", "image"):
        shutil.copytree(build.HERE / folder, tmp_path / folder)
    shutil.copy(build.HERE / "build.py", tmp_path)
    monkeypatch.setattr(build, "HERE", tmp_path)
    monkeypatch.setattr(build, "IMAGE", tmp_path / "image")
    assert build.stale() == []
    (tmp_path / "kernel" / "new.c").touch()
    with (tmp_path / name).open("ab") as file:
        file.write(b"\n")
    assert build.stale() == sorted(["kernel/new.c", name])
    (tmp_path / name).unlink()
    assert name in build.stale()


def test_programs_are_all_there() -> None:
    directory = Path(image.__file__).parent / "bin"
    assert sorted(image.programs()) == sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("elf", [image.kernel(), image.kernel_one_unit(), *image.programs().values()])
def test_images_keep_relocations_and_symbols(elf: bytes) -> None:
    parsed = ELFFile(io.BytesIO(elf))
    assert parsed["e_type"] == "ET_EXEC"
    assert parsed["e_machine"] == "EM_386"
    assert parsed.get_section_by_name(".rel.text").num_relocations() > 0
    assert len(symbols(parsed)) > 10
    assert not any(section.name.startswith(".debug") for section in parsed.iter_sections())


@pytest.mark.parametrize("elf", [image.kernel(), image.kernel_one_unit()])
def test_the_contract_names_what_is_there(elf: bytes) -> None:
    contract, parsed = Contract.parse(image.contract()), ELFFile(io.BytesIO(elf))
    found = symbols(parsed)
    calls, exceptions, kprofile = contract.system_calls, contract.exception_table, contract.kprofile
    assert calls
    assert exceptions
    assert kprofile
    assert set(contract.stay) | {calls.entry, kprofile.areas} <= set(found)
    table = words(parsed, found[calls.table], found[calls.table] + 4 * calls.slots)
    assert len(table) == calls.slots
    assert table.count(found[calls.unused]) >= 64
    assert all(name.startswith(calls.prefix) for name, address in found.items() if address in table and name)
    entries = words(parsed, found[exceptions.start], found[exceptions.end])
    assert len(entries) >= 8
    assert entries[::2] == sorted(set(entries[::2]))
    assert not any(words(parsed, found[kprofile.areas], found[kprofile.areas] + 8 * len(kprofile.types)))
