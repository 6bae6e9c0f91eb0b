"""What is broken, and what is tried with it: every kind of file that the command reads."""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import toykernel.image
from rewriter.contract import Contract
from rewriter.elf import load
from rewriter.elf.leaders import NO_OPERAND
from rewriter.profile import Profile, identity
from tests.hostile import mutate
from tests.hostile.memory import difference, flaws
from tests.hostile.trial import SECONDS, Case
from toykernel import data, disk

PROGRAMS = ("hello", "hello", "fault", "calls", "processes", "memory", "readseek")
OUT = "out.elf"
LIES = (
    "relocations",
    "symbols",
    "sections",
    "put in",
    "taken out",
)  # broken, they may say something else that makes sense
ADDRESSES = (b"\x08\x04", b"\x04\x08")  # a part of each of a program's, from either end
SHAPES = ((), (), (), ("--move",), ("--count",), ("--move", "--count"))


@cache
def kernel() -> bytes:
    return toykernel.image.kernel()


@cache
def contract() -> Contract:
    return Contract.parse(toykernel.image.contract())


@cache
def profile() -> Profile:
    """What the phases learn of the micro-benchmark; taken once."""
    from rewriter.options import Options
    from rewriter.pipeline import run
    from tui.system import toy

    options = Options(commands=("readseek 8192 2",), until="inline")
    files: dict[str, bytes] = {}
    for result in run(options, toy()):
        files |= result.files
    return Profile.from_json(files["kernel.profile.json"])


def program(seed: int) -> Case:
    """A program's image, rewritten, or run by the kernel."""
    source = random.Random(seed)
    name = source.choice(PROGRAMS)
    what, broken = mutate.elf(toykernel.image.programs()[name], seed)
    if source.random() < 0.2:
        return Case(
            "program",
            seed,
            f"{name}: {what}",
            {f"{name}.elf": broken},
            ("boot", name, "--with", f"{name}.elf"),
            fails=True,
            check=nothing,
        )
    shape = source.choice(SHAPES)
    return Case(
        "program",
        seed,
        f"{name}: {what}",
        {"in.elf": broken},
        ("rewrite", "in.elf", "-o", OUT, *shape),
        (OUT,),
        _alike(name, what, broken, _rewritten(broken, None, shape)),
    )


def foreign(seed: int) -> Case:
    """A C++ program with all of its library and its unwinding tables; a small one where there is no compiler."""
    image = thrower()
    if image is None:
        return program(seed)
    what, broken = mutate.elf(image, seed)
    shape = random.Random(seed).choice(SHAPES[2:4])
    command = ("rewrite", "in.elf", "-o", OUT, *shape)
    return Case("foreign", seed, what, {"in.elf": broken}, command, (OUT,), _valid(None), seconds=20)


@cache
def thrower() -> bytes | None:
    """A static C++ program that throws and catches; None where it cannot be built."""
    source = "struct E { int x; };\nstatic int f(int a) { if (a > 2) throw E{a}; return a; }\n"
    source += "int main(int n, char **) { try { return f(n + 5); } catch (E &e) { return e.x - 6; } }\n"
    command = ["g++", "-m32", "-O2", "-static", "-Wl,--emit-relocs", "-x", "c++", "-", "-o"]
    with tempfile.TemporaryDirectory() as folder, suppress(OSError):
        built = subprocess.run([*command, f"{folder}/thrower"], input=source.encode(), capture_output=True, check=False)
        return Path(folder, "thrower").read_bytes() if built.returncode == 0 else None
    return None


def kernel_image(seed: int) -> Case:
    """A kernel's image, rewritten, booted, compared or specialized."""
    source = random.Random(seed)
    what, broken = mutate.elf(kernel(), seed)
    files: dict[str, bytes | str] = {"in.elf": broken}
    promises = str(Path(toykernel.image.__file__).with_name("kernel.contract.toml"))
    good = str(Path(toykernel.image.__file__).with_name("kernel.elf"))
    kind = source.choices(("rewrite", "boot", "compare", "specialize"), weights=(10, 4, 2, 1))[0]
    if kind == "rewrite":
        shape = source.choice(SHAPES)
        command = ("rewrite", "in.elf", "-o", OUT, "--contract", promises, *shape)
        return Case("kernel", seed, what, files, command, (OUT,), _rewritten(broken, contract(), shape))
    if kind == "boot":
        return Case("kernel", seed, what, files, ("boot", "hello", "--kernel", "in.elf"), fails=True)
    if kind == "compare":
        pair = source.choice((("in.elf", good), (good, "in.elf"), ("in.elf", "in.elf")))
        return Case("kernel", seed, what, files, ("compare", *pair, "-p", "hello"), fails=True, seconds=12)
    files["profile.json"] = profile().to_json().replace(profile().kernel, identity(broken)).encode()
    name = source.choice(("inline", "arguments", "region", "entry", "unused"))
    command = ("rewrite", "in.elf", "-o", OUT, "--contract", promises, "--profile", "profile.json", "--pass", name)
    return Case("kernel", seed, what, files, command, (OUT,), _valid(contract()), seconds=20)


def contract_file(seed: int) -> Case:
    """A contract, for the kernel as it is; whatever it says, the image is right or there is none."""
    source = random.Random(seed)
    what, broken = mutate.text(toykernel.image.contract().encode(), seed)
    shape = source.choice(SHAPES)
    command = ("rewrite", "in.elf", "-o", OUT, "--contract", "contract.toml", *shape)
    files = {"in.elf": kernel(), "contract.toml": broken}
    return Case("contract", seed, what, files, command, (OUT,), _by_contract(broken, shape))


def profile_file(seed: int) -> Case:
    """A profile, for the kernel as it is: phases learn from it alone."""
    source = random.Random(seed)
    what, broken = mutate.text(profile().to_json().encode(), seed)
    good = str(Path(toykernel.image.__file__).with_name("kernel.elf"))
    promises = str(Path(toykernel.image.__file__).with_name("kernel.contract.toml"))
    if source.random() < 0.3:
        command: tuple[str, ...] = (
            "rewrite",
            good,
            "-o",
            OUT,
            "--contract",
            promises,
            "--profile",
            "p.json",
            "--pass",
            "inline",
        )
        return Case("profile", seed, what, {"p.json": broken}, command, (OUT,), _valid(contract()), seconds=15)
    last = source.choice(("values", "count", "traces", "inline"))
    command = ("run", "--from", "saved", "--until", last, "--plain", "-p", "readseek 8192 2")
    return Case("profile", seed, what, {"saved/kernel.profile.json": broken}, command, seconds=12)


def folder(seed: int) -> Case:
    """What --save writes to and --from reads from, where it is something else than the folder of an earlier run."""
    source = random.Random(seed)
    good = profile().to_json().encode()
    contents = (
        good,
        good[: source.randrange(len(good))],
        b"",
        "missing",
        "kernel.profile.json",
        "/dev/null",
        "..",
        None,
    )
    content = source.choice(contents)
    name = "kernel.profile.json"
    inside = {f"saved/{name}/": b""} if content is None else {f"saved/{name}": content}
    places = (inside, inside, {"saved": good}, {"saved": "saved"}, {"saved": "missing"}, {"saved/": b""}, {})
    files: dict[str, bytes | str] = dict(source.choice(places))
    shape = source.choice((("--from", "saved"), ("--save", "saved"), ("--save", "saved/a/b"), ("--save", "x" * 300)))
    command = ("run", *shape, "--plain", "-p", "readseek 8192 2", "--until", source.choice(("load", "load", "values")))
    new = {"missing", "saved", "saved/a", "saved/a/b"} if "--save" in shape else set()
    made = {f"{place}/kernel.identity.elf" for place in new}
    return Case("folder", seed, ", ".join(map(str, files)), files, command, new | made)


def archive(seed: int) -> Case:
    """What the kernel unpacks at its start; only programs of the archive may fail."""
    from toykernel.machine import workload

    programs = toykernel.image.programs()
    files = {f"bin/{name}": programs[name] for name in ("hello", "cat", "sh")} | data.in_memory("small")
    what, broken = mutate.blob(workload.archive(files), seed)
    return Case("archive", seed, what, {}, (), fails=True, work=lambda: _boot(archive=broken))


def disk_image(seed: int) -> Case:
    """A disk, mounted, listed, read and written."""
    what, broken = mutate.blob(disk.make(data.on_disk("small")), seed)
    return Case("disk", seed, what, {}, (), fails=True, work=lambda: _boot(image=broken))


KINDS: Mapping[str, tuple[int, Callable[[int], Case]]] = {
    "program": (10, program),
    "foreign": (1, foreign),
    "kernel": (5, kernel_image),
    "contract": (4, contract_file),
    "profile": (3, profile_file),
    "folder": (2, folder),
    "archive": (2, archive),
    "disk": (2, disk_image),
}


def case(seed: int, kind: str | None = None) -> Case:
    """The case of a seed; its kind is drawn by the seed too, unless one is given."""
    if kind is None:
        weights = [weight for weight, _ in KINDS.values()]
        kind = random.Random(~seed).choices(tuple(KINDS), weights=weights)[0]
    return KINDS[kind][1](seed)


# ---- what success must be


def nothing(folder: Path) -> None:
    return None


def _rewritten(broken: bytes, promises: Contract | None, shape: tuple[str, ...]) -> Callable[[Path], str | None]:
    if shape:
        return _valid(promises)
    return lambda folder: difference(broken, (folder / OUT).read_bytes(), promises)


def _alike(name: str, what: str, broken: bytes, also: Callable[[Path], str | None]) -> Callable[[Path], str | None]:
    """Where the broken program still does its work, the rewritten one does the same; but nobody can move what is told
    wrongly of addresses, nor code that is run from the middle of one, and what prints its stack prints addresses."""
    if any(lie in what for lie in LIES):
        return also

    def check(folder: Path) -> str | None:
        done = [_run(name, image) for image in (broken, (folder / OUT).read_bytes())]
        if done[0] in (None, done[1]) or any(part in done[0][0] for part in ADDRESSES) or _runs_into_address(broken):
            return also(folder)
        return also(folder) or f"does something else: {done[1]}"

    return check


def _runs_into_address(broken: bytes) -> bool:
    return any(NO_OPERAND in pin for function in load(broken).functions for pin in function.pins)


def _run(name: str, image: bytes) -> tuple[bytes, object] | None:
    """Console and exits; None where it does not end well."""
    from toykernel.machine import Machine, MachineError, Workload

    files = {f"bin/{other}": raw for other, raw in toykernel.image.programs().items()} | {f"bin/{name}": image}
    try:
        run = Machine(budget=2_000_000).run(kernel(), Workload([name], files))
    except MachineError:
        return None
    return (run.console, run.exits) if all(status == 0 for _, status in run.exits) else None


def _valid(promises: Contract | None) -> Callable[[Path], str | None]:
    return lambda folder: flaws((folder / OUT).read_bytes(), promises)


def _by_contract(text: bytes, shape: tuple[str, ...]) -> Callable[[Path], str | None]:
    """With what the broken contract still promises."""

    def check(folder: Path) -> str | None:
        return _rewritten(kernel(), Contract.parse(text.decode()), shape)(folder)

    return check


def _boot(archive: bytes | None = None, image: bytes | None = None) -> int:
    """Boot with this archive or this disk.  Raises Failed.  A broken program may well run for ever: somebody presses
    Ctrl-C then."""
    from toykernel.machine import Cancelled, Machine, Workload, pc
    from tui.system import errors_in_one_line

    programs = toykernel.image.programs()
    files = {f"bin/{name}": raw for name, raw in programs.items()}
    if archive is not None:
        pc.modules = lambda work: [archive]
    commands = ["hello", "cat /data/small/text"] if archive is not None else ["look /disk", "sh /disk/small.sh"]
    start = time.process_time()
    with errors_in_one_line(), suppress(Cancelled):
        Machine().run(
            kernel(),
            Workload(commands, files, image or b""),
            cancelled=lambda: time.process_time() - start > SECONDS / 2,
        )
    return 0
