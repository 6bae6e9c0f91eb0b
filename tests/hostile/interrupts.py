"""Ctrl-C at any moment: `python -m tests.hostile.interrupts [COUNT] [SEED]` starts commands and interrupts them.

What must follow: exit status 130 and one line, soon, and nothing on the disk but whole files.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import toykernel.image

ROOT = Path(__file__).parent.parent.parent
KERNEL = str(Path(toykernel.image.__file__).with_name("kernel.elf"))
CONTRACT = str(Path(toykernel.image.__file__).with_name("kernel.contract.toml"))
WORK = ("-p", "readseek 8192 2", "--plain")
COMMANDS: Mapping[str, Sequence[str]] = {
    "run": ("run", "--save", "saved", *WORK),
    "rewrite": ("rewrite", KERNEL, "-o", "saved/out.elf", "--contract", CONTRACT, "--move", "--count"),
    "export": ("export", "remarks", "--save", "saved", *WORK),
    "certify": ("certify", "--trials", "20", "--save", "saved", *WORK),
    "boot": ("boot", "sh"),
    "compare": ("compare", KERNEL, KERNEL, "-p", "sh"),
}
STARTED = 0.5  # seconds of the clock until Python itself can answer
SOON = 2.0  # seconds of processor time from the signal to the end


@dataclass(frozen=True)
class Ending:
    """`fault`: what is wrong with how a command ended, None if nothing is; `seconds`: from the signal to the end."""

    fault: str | None
    status: int
    seconds: float


def interrupt(name: str, after: float, folder: Path, everybody: bool = True) -> Ending:
    """Start a command, and press Ctrl-C after so many seconds, as a terminal does, or tell the command alone."""
    (folder / "saved").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tui", *COMMANDS[name]]
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # work in the background may ignore it
    )
    time.sleep(after)
    (os.killpg if everybody else os.kill)(child.pid, signal.SIGINT)
    start = time.monotonic()
    _, said = child.communicate(timeout=120)
    took = time.monotonic() - start
    return Ending(_fault(name, child.returncode, said.decode(), folder / "saved"), child.returncode, took)


def _fault(name: str, status: int, said: str, saved: Path) -> str | None:
    if status == 0 and not said:
        return None  # it was done
    if (status, said) != (130, "hotpath: interrupted\n"):
        return f"status {status}: {said[-600:]}"
    for path in saved.iterdir():
        if whole("rewrite" if name == "rewrite" else "run").get(path.name) != path.read_bytes():
            return f"left {path.name}, which is not whole"
    return None


@cache
def whole(name: str) -> dict[str, bytes]:
    """The files of a command that nobody interrupts."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        Path(folder, "saved").mkdir()
        done = [sys.executable, "-m", "tui", *COMMANDS[name]]
        subprocess.run(done, cwd=folder, env=environment, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in Path(folder, "saved").iterdir()}


def main(count: int = 30, seed: int = 0) -> int:
    faults, slowest = 0, 0.0
    for number in range(seed, seed + count):
        source = random.Random(number)
        name = source.choice(tuple(COMMANDS))
        after = STARTED + source.random() ** 2 * 20
        with tempfile.TemporaryDirectory() as folder:
            ending = interrupt(name, after, Path(folder), everybody=source.random() < 0.7)
        slowest = max(slowest, ending.seconds)
        if ending.fault is not None or ending.seconds > SOON:
            faults += ending.fault is not None
            print(
                f"{number}: {name} after {after:.2f} s: {ending.fault or 'slow'}, in {ending.seconds:.1f} s", flush=True
            )
    print(f"seeds {seed} to {seed + count - 1}: {count} interrupts, {faults} answered wrongly, slowest {slowest:.1f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
