"""`hotpath rewrite`: images that boot as before, and bad files that leave nothing behind."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import pytest

from rewriter.phases.order import ALL_PASSES
from tests.tui.shell import hotpath
from toykernel import image

FOLDER = Path(image.__file__).parent
KERNEL = FOLDER / "kernel.elf"
CONTRACT = FOLDER / "kernel.contract.toml"
FEW = ("inline", "arguments", "constants", "layout")  # passes


@pytest.mark.parametrize("options", [(), ("--move",), ("--count",), ("--move", "--count")], ids=" ".join)
def test_the_kernel_still_boots(options: tuple[str, ...], tmp_path: Path) -> None:
    output = tmp_path / "out.elf"
    ran = hotpath("rewrite", str(KERNEL), "-o", str(output), "--contract", str(CONTRACT), *options)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{output}: ")
    assert hotpath("boot", "--kernel", str(output), "hello").stdout == hotpath("boot", "hello").stdout


def test_counters_of_a_foreign_image_have_a_symbol(tmp_path: Path) -> None:
    output = tmp_path / "hello.elf"
    assert hotpath("rewrite", str(FOLDER / "bin" / "hello"), "-o", str(output), "--count").returncode == 0
    assert b"\0__hotpath_counts\0" in output.read_bytes()


def test_input_may_be_output(tmp_path: Path) -> None:
    path = tmp_path / "hello.elf"
    path.write_bytes((FOLDER / "bin" / "hello").read_bytes())
    assert hotpath("rewrite", str(path), "-o", str(path)).returncode == 0
    assert hotpath("rewrite", str(path), "-o", str(path), "--move").returncode == 0


def without_sections(elf: bytes, kind: int) -> bytes:
    """The image with the headers of all sections of an ELF type (SHT_…) emptied."""
    image = bytearray(elf)
    (start,) = struct.unpack_from("<I", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 46)
    for at in range(start, start + size * count, size):
        if struct.unpack_from("<I", elf, at + 4) == (kind,):
            image[at : at + size] = bytes(size)
    return bytes(image)


def bad_images() -> dict[str, bytes]:
    elf = KERNEL.read_bytes()
    foreign = bytearray(elf)
    foreign[18:20] = (62).to_bytes(2, "little")  # e_machine: x86-64
    return {
        "empty": b"",
        "text": b"not an ELF file\n" * 100,
        "header only": elf[:52],
        "half": elf[: len(elf) // 2],
        "without its last byte": elf[:-1],
        "foreign": bytes(foreign),
        "without symbols": without_sections(elf, kind=2),
        "without relocations": without_sections(elf, kind=9),
    }


@pytest.mark.parametrize("name", bad_images())
def test_a_bad_image_is_one_line(name: str, tmp_path: Path) -> None:
    path, output = tmp_path / "bad.elf", tmp_path / "out.elf"
    path.write_bytes(bad_images()[name])
    ran = hotpath("rewrite", str(path), "-o", str(output))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"hotpath: {path}: ")
    assert ran.stderr.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.elf"]


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[system_calls", b"frobnicate = 1", b'schema = "other/1"'])
def test_a_bad_contract_is_one_line(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "contract.toml"
    path.write_bytes(text)
    ran = hotpath("rewrite", str(KERNEL), "-o", str(tmp_path / "out.elf"), "--contract", str(path))
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"hotpath: {path}: ")
    assert ran.stderr.count("\n") == 1


def test_passes_over_a_saved_profile_make_the_kernel_of_run(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    assert hotpath("run", "--until", "layout", "--save", str(saved), "--plain").returncode == 0
    inputs = (str(KERNEL), "--contract", str(CONTRACT))
    profile = ("--profile", str(saved / "kernel.profile.json"))

    def rewritten(passes: Iterable[str]) -> bytes:
        options = [word for name in passes for word in ("--pass", name)]
        done = hotpath("rewrite", *inputs, *profile, *options, "-o", str(tmp_path / "out.elf"))
        assert done.returncode == 0, done.stderr
        return (tmp_path / "out.elf").read_bytes()

    assert rewritten(ALL_PASSES) == (saved / "kernel.specialized.elf").read_bytes()
    left_out = [word for name in ALL_PASSES if name not in FEW for word in ("--without", name)]
    options = (*left_out, "--from", str(saved), "--save", str(tmp_path / "less"))
    assert hotpath("run", "--until", "layout", *options, "--plain").returncode == 0
    less = (tmp_path / "less" / "kernel.specialized.elf").read_bytes()
    assert less != (saved / "kernel.specialized.elf").read_bytes()
    assert rewritten(FEW) == less


def test_a_pass_without_a_profile_is_wrong_usage(tmp_path: Path) -> None:
    done = hotpath("rewrite", str(KERNEL), "-o", str(tmp_path / "out.elf"), "--pass", "inline")
    assert (done.returncode, done.stderr) == (2, "hotpath: a pass needs --profile and --contract\n")
    assert not (tmp_path / "out.elf").exists()


def test_an_executable_stays_one(tmp_path: Path) -> None:
    source = tmp_path / "hello"
    source.write_bytes(image.programs()["hello"])
    source.chmod(0o755)
    assert hotpath("rewrite", str(source), "-o", str(tmp_path / "out")).returncode == 0
    assert (tmp_path / "out").stat().st_mode & 0o111
