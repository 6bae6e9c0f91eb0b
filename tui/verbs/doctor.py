"""`hotpath doctor`: what this environment has, and what it is for."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import click

from tui import choices, exits

REQUIRED = (
    ("unicorn", "the PC that boots the kernel"),
    ("capstone", "decoding instructions"),
    ("keystone-engine", "encoding new instructions"),
    ("pyelftools", "reading ELF"),
    ("networkx", "graphs"),
    ("textual", "the walkthrough"),
    ("rich", "tables"),
    ("click", "the command line"),
)
FOR_TESTS = (
    ("pytest", "the tests"),
    ("pytest-benchmark", "comparing kernels"),
    ("hypothesis", "the tests"),
    ("iced-x86", "a second opinion on instructions"),
    ("ziglang", "rebuilding the kernel byte for byte"),
)
PINNED = {"ziglang": "0.15.2"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for.  `version` is "" where it is missing; `needed` if nothing works without it."""

    name: str
    version: str
    use: str
    needed: bool


@click.command()
@choices.JSON
def doctor(as_json: bool) -> int:
    """Say what this environment has and lacks."""
    findings = list(examine())
    if as_json:
        things = [asdict(finding) for finding in findings]
        click.echo(json.dumps({"schema": "hotpath.doctor/1", "findings": things}, indent=2))
    else:
        for finding in findings:
            mark = "ok  " if finding.version else "LACK" if finding.needed else "-   "
            click.echo(f"{mark}  {finding.name:17} {finding.version or 'not found':18} {finding.use}")
    lacking = [finding.name for finding in findings if finding.needed and not finding.version]
    if lacking:
        raise exits.Lacking(f"not installed: {', '.join(lacking)}")
    return exits.OK


def examine() -> Iterator[Finding]:
    """Everything that some part of the project uses, what it cannot do without first."""
    recent = platform.python_version() if sys.version_info >= (3, 11) else ""
    yield Finding("python", recent, "3.11 or newer", True)
    for name, use in REQUIRED:
        yield Finding(name, _package(name), use, True)
    for name, use in FOR_TESTS:
        yield Finding(name, _package(name), use, False)
    yield Finding("qemu-system-i386", _tool("qemu-system-i386"), "hotpath boot --on qemu", False)
    yield Finding("gcc -m32", _gcc(), "a second compiler for the tests", False)


def _package(name: str) -> str:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
    pinned = PINNED.get(name, version)
    return version if version == pinned else f"{version}, not {pinned}"


def _tool(name: str) -> str:
    """The first word that is a plain version in the first line of `name --version`."""
    path = shutil.which(name)
    if path is None:
        return ""
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = ran.stdout.partition("\n")[0].split()
    versions = [word for word in words if re.fullmatch(r"\d+(\.\d+)+", word)]
    return versions[0] if versions else "found"


def _gcc() -> str:
    """gcc's version if it can link a 32-bit program, which needs more than gcc alone."""
    version = _tool("gcc")
    if not version:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        command = ["gcc", "-m32", "-x", "c", "-", "-o", str(Path(folder) / "program")]
        try:
            ran = subprocess.run(
                command, input=b"int main(void) { return 0; }", capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
    return version if ran.returncode == 0 else ""
