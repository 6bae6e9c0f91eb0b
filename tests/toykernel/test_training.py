"""The training set: each program, and all of them connected, print what Python computes from the same inputs."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence

import pytest

from rewriter.analysis.sites import call_sites
from rewriter.behavior import differences
from rewriter.contract import Contract
from rewriter.elf import emit, load
from tests.toykernel import answers
from tests.toykernel.boots import needs_qemu, statuses
from tests.toykernel.test_build import needs_gcc
from toykernel import build, data, disk, fsck, image
from toykernel.machine import Machine, Qemu, Workload

Inputs = Mapping[str, bytes]

# A command line on the files of a size, and what it prints.
COMMANDS: dict[str, Callable[[Inputs], bytes | str]] = {
    "cat /data/{}/graph /data/{}/routes": lambda f: f["graph"] + f["routes"],
    "head 1500 /data/{}/text": lambda f: f["text"][:1500],
    "wc /data/{}/text": lambda f: answers.wc(f["text"]),
    "sha1 /data/{}/sound": lambda f: answers.sha1(f["sound"]),
    "bitcount /disk/{}/noise": lambda f: answers.bitcount(f["noise"]),
    "crc32 /data/{}/sound": lambda f: answers.crc32(f["sound"], "/data/{}/sound"),
    "search ar /data/{}/text": lambda f: answers.search(b"ar", f["text"]),
    "search hotpath /disk/{}/text": lambda f: answers.search(b"hotpath", f["text"]),
    "sh -c cat /data/{}/text | search con": lambda f: answers.search(b"con", f["text"]),
    "dijkstra /data/{}/graph": lambda f: answers.dijkstra(f["graph"]),
    "patricia /data/{}/routes /disk/{}/addresses": lambda f: answers.patricia(f["routes"], f["addresses"]),
    "sh -c head 640 /data/{}/records | sort": lambda f: answers.ordered(f["records"][:640]),
    "sort -T /disk /data/{}/records": lambda f: answers.ordered(f["records"]),
    "sh -c sort < /disk/{}/records > /data/{}/sorted": lambda f: b"",
    "look 07 /data/{}/sorted": lambda f: answers.look(b"07", f["records"]),
    "sh -c adpcm encode < /data/{}/sound | crc32": lambda f: answers.crc32(answers.adpcm_encode(f["sound"])),
    "sh -c head 999 /data/{}/noise | adpcm decode | crc32": lambda f: answers.crc32(
        answers.adpcm_decode(f["noise"][:999])
    ),
    "sh -c head 777 /data/{}/sound | adpcm encode | crc32": lambda f: answers.crc32(
        answers.adpcm_encode(f["sound"][:776])
    ),
    "sh -c lz pack < /data/{}/noise | lz unpack | tee /copy | sha1": lambda f: answers.sha1(f["noise"]),
    "sh -c crc32 < /copy": lambda f: answers.crc32(f["noise"]),
    "sh -c head 50000 /dev/zero | lz pack | lz unpack | crc32": lambda f: answers.crc32(bytes(50_000)),
}


def lines(size: str) -> tuple[list[str], list[bytes]]:
    """The command lines, and what each prints."""
    found = [answer(data.inputs(size)) for answer in COMMANDS.values()]
    expected = [part.replace("{}", size).encode() if isinstance(part, str) else part for part in found]
    return [command.replace("{}", size) for command in COMMANDS], expected


def work(commands: Sequence[str], programs: Mapping[str, bytes] | None = None) -> Workload:
    return data.workload(commands, {f"bin/{n}": elf for n, elf in {**image.programs(), **(programs or {})}.items()})


@pytest.mark.parametrize("size", data.SIZES)
def test_each_program_gives_the_right_answer(size: str) -> None:
    commands, expected = lines(size)
    run = Machine().run(image.kernel(), work(commands))
    assert run.console == b"".join(expected)
    assert set(statuses(run)) == {0}


@needs_qemu
def test_each_program_on_qemu() -> None:
    commands, expected = lines("large")
    assert Qemu().console(image.kernel(), work(commands)) == b"".join(expected)


@needs_gcc
def test_programs_of_another_compiler() -> None:
    commands, expected = lines("small")
    programs = build.programs("gcc", "-Os", image.TRAINING)
    assert Machine().run(image.kernel(), work(commands, programs)).console == b"".join(expected)


@pytest.mark.parametrize("size", data.SIZES)
def test_all_of_them_connected(size: str) -> None:
    run = Machine().run(image.kernel(), work([f"sh /data/{size}.sh"]))
    assert run.console.decode() == answers.script(size)
    assert statuses(run) == [0]
    assert fsck.check(run.disk) == []
    written = {path: raw for path, raw in disk.files(run.disk).items() if not path.startswith(size)}
    assert answers.left_behind(size, written)


@needs_qemu
@pytest.mark.parametrize("size", data.SIZES)
def test_all_of_them_connected_on_qemu(size: str) -> None:
    assert Qemu().console(image.kernel(), work([f"sh /data/{size}.sh"])).decode() == answers.script(size)


@pytest.mark.parametrize("move", [False, True], ids=["identity", "moved"])
def test_a_rewritten_kernel_runs_them_as_before(move: bool) -> None:
    kernel = emit(load(image.kernel(), Contract.parse(image.contract())), move=move)
    runs = [Machine().run(each, work(["sh /data/small.sh"]), check=True) for each in (image.kernel(), kernel)]
    assert differences(*runs) == []


def test_rewritten_programs_run_as_before() -> None:
    moved = {name: emit(load(image.programs()[name]), move=True) for name in image.TRAINING}
    assert Machine().run(image.kernel(), work(["sh /data/small.sh"], moved)).console.decode() == answers.script("small")


@pytest.mark.parametrize("name", image.TRAINING)
def test_the_rewriter_refuses_nothing_of_a_program(name: str) -> None:
    program = load(image.programs()[name])
    assert [function.name for function in program.functions if function.pins] == []
    assert [site.refused for site in call_sites(program) if site.refused] == []


# What goes wrong, what is said about it, and the status.
WRONG = {
    **{line: (f"usage: {line.split()[0]} ", 1) for line in ("head", "head x", "look 1", "tee", "search", "adpcm")},
    "lz both": ("usage: lz pack|unpack\n", 1),
    **{
        f"{program} /nothing": ("/nothing: error 2\n", 1)
        for program in ("cat", "wc", "crc32", "sha1", "bitcount", "sort", "dijkstra", "patricia", "sh", "search x")
    },
    "look ~ /data/small/records": ("", 1),
    "sh -c nothing": ("/bin/nothing: error 2\n", 1),
    "sh -c wc < /nothing": ("/nothing: error 2\n", 1),
    "sh -c wc >": ("sh: no file behind < or >\n", 1),
    "sh -c wc < /data/small/text |": ("sh: no command\n", 1),
    "sh -c cd /nowhere": ("cd: error 2\n", 1),
    "sh -c head 33 /data/small/records | sort": ("sort: the last record has 1 bytes\n", 1),
    "sh -c cat | cat | cat | cat | cat | cat | cat | cat | cat": ("sh: the line is too long\n", 1),
    "dijkstra /data/small/addresses": ("dijkstra: there is no node ", 1),
    "patricia /data/small/text": ("patricia: 0 routes in 0 nodes, 0 of 0 addresses have one, checksum 00000000\n", 0),
    "patricia /data/small/addresses": ("patricia: route ", 1),
    "sh /data/small/text": ("/bin/", 1),
}


def test_what_goes_wrong() -> None:
    for line, (said, status) in WRONG.items():
        run = Machine().run(image.kernel(), work([line]))
        assert (run.console.decode()[: len(said)], statuses(run)) == (said, [status]), line


def test_inputs_are_those_of_the_seed() -> None:
    """The same everywhere: numbers in documents depend on them."""
    found = [data.inputs(size)[name] for size in data.SIZES for name in data.FILES]
    assert zlib.crc32(b"".join(found)) == 0xFEA4DDAE


def test_large_is_larger() -> None:
    small, large = data.inputs("small"), data.inputs("large")
    assert all(len(large[name]) > 3 * len(small[name]) for name in data.FILES)


def test_our_model_of_adpcm_is_the_usual_one() -> None:
    """Python had it up to 3.12."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    sound = data.inputs("small")["sound"]
    codes, _ = audioop.lin2adpcm(sound, 2, None)
    assert answers.adpcm_encode(sound) == codes
    assert answers.adpcm_decode(codes) == audioop.adpcm2lin(codes, 2, None)[0]
