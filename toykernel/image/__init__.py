"""The kernel and its programs, prebuilt: nobody needs a compiler to run them.  `toykernel.build` rebuilds them."""

from __future__ import annotations

from importlib.resources import files

# What the paper takes MiBench for: small programs that read and write files; the shell connects them.
TRAINING = (
    *("adpcm", "bitcount", "cat", "crc32", "dijkstra", "head", "look", "lz", "patricia", "search", "sh", "sha1"),
    *("sort", "tee", "wc"),
)
PROGRAMS = (
    *(
        "brief",
        "calls",
        "edit",
        "fault",
        "files",
        "hello",
        "kprofile",
        "mapping",
        "memory",
        "opening",
        "processes",
        "randomcalls",
        "readseek",
        "usertests",
        "writeseek",
    ),
    *TRAINING,
)


def kernel() -> bytes:
    """The ELF image that everything starts from, with relocations and symbols."""
    return files(__name__).joinpath("kernel.elf").read_bytes()


def kernel_one_unit() -> bytes:
    """The same sources compiled as one translation unit: what the compiler alone makes of them."""
    return files(__name__).joinpath("kernel-one-unit.elf").read_bytes()


def contract() -> str:
    """What the kernel promises that its bytes do not say, in TOML."""
    return files(__name__).joinpath("kernel.contract.toml").read_text()


def programs() -> dict[str, bytes]:
    """The ELF image of every program, by name; the kernel looks for them under `bin/`."""
    directory = files(__name__).joinpath("bin")
    return {name: directory.joinpath(name).read_bytes() for name in PROGRAMS}
