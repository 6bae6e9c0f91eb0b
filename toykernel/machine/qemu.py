"""The same images on QEMU: what another PC makes of them checks ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import MachineError
from .frames import frames
from .workload import Work, command_line, modules


class Qemu:
    """`qemu-system-i386`, if there is one (see `available`)."""

    program = "qemu-system-i386"

    @classmethod
    def available(cls) -> bool:
        return shutil.which(cls.program) is not None

    def console(self, kernel: bytes, workload: Work, timeout: float = 60) -> bytes:
        """Boot and give what came out of the console.  `timeout` in seconds.

        Raises MachineError where there is no QEMU, or the kernel fails or does not power off in time."""
        return self._run(kernel, workload, timeout)[0]

    def profile(self, kernel: bytes, workload: Work, timeout: float = 60) -> dict[int, bytes]:
        """Boot and give what kprofile wrote out last, by type.  Raises MachineError, as `console`."""
        return frames(self._run(kernel, workload, timeout)[1])

    def _run(self, kernel: bytes, workload: Work, timeout: float = 60) -> tuple[bytes, bytes]:
        """(what came out of the console, what came out of the second serial line: kprofile's frames)."""
        if not self.available():
            raise MachineError(f"{self.program} is not installed")
        with TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "kernel").write_bytes(kernel)
            for number, module in enumerate(modules(workload)):
                (directory / f"module.{number}").write_bytes(module)
            try:
                done = subprocess.run(
                    self._command(directory, workload), capture_output=True, timeout=timeout, check=False
                )
            except subprocess.TimeoutExpired:
                raise MachineError(f"the kernel did not power off within {timeout:g} s on QEMU") from None
            profile = directory / "profile"
            sent = profile.read_bytes() if profile.exists() else b""
        # The debug device ends QEMU with twice the kernel's status plus one; 0 is ACPI's way, or a triple fault's.
        if done.returncode != 1:
            raise MachineError(f"the kernel failed on QEMU (exit status {done.returncode}): {_last(done)}")
        return done.stdout, sent

    def _command(self, directory: Path, workload: Work) -> list[str]:
        # QEMU puts the kernel's path before the command line, and takes `,,` for a comma; modules have one between.
        _, _, commands = command_line(workload).partition(" ")
        names = ",".join(map(str, sorted(directory.glob("module.*"))))
        return [
            *(self.program, "-kernel", str(directory / "kernel"), "-initrd", names),
            *("-append", commands, "-serial", "stdio", "-serial", f"file:{directory / 'profile'}"),
            *("-display", "none", "-monitor", "none", "-no-reboot", "-m", str(workload.memory), "-net", "none"),
            *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        ]


def _last(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last line that came out, of QEMU itself if it said something."""
    text = (done.stderr.strip() or done.stdout.strip()).decode("ascii", "replace")
    return text.rsplit("\n", 1)[-1].strip()
