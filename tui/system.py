"""Where the two halves of the house meet: a machine and a kernel of `toykernel`, handed to the rewriter."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rewriter.contract import Contract
from rewriter.options import OptionError, System
from tui import files
from tui.exits import Defect, Failed, Wrong


def toy(kernel: Path | None = None) -> System:
    """The toy kernel with all programs and their data; another kernel image where a path is given.  Raises Wrong."""
    from toykernel import data, image
    from toykernel.machine import Machine

    contract = Contract.parse(image.contract())
    machine: Any = Machine(stack_size=contract.stack_size)  # wants its own Workload, which is what it will get
    return System(
        machine=machine,
        kernel=image.kernel() if kernel is None else bootable(kernel),
        contract=contract,
        programs=image.programs(),
        workload=data.workload,
        one_unit=image.kernel_one_unit() if kernel is None else None,
    )


def bootable(path: Path) -> bytes:
    """A multiboot image.  Raises Wrong."""
    from toykernel.machine import MachineError
    from toykernel.machine.multiboot import parse

    image = files.read(path)
    try:
        parse(image)
    except MachineError as error:
        raise Wrong(f"{path}: {error}") from None
    return image


def named(paths: Sequence[Path]) -> dict[str, bytes]:
    """Programs from files, each under its file's name up to the first dot.  Raises Wrong."""
    return {path.name.partition(".")[0]: files.read(path) for path in paths}


def known(commands: Sequence[str], programs: Collection[str]) -> tuple[str, ...]:
    """The command lines, if there is a program for each of them.  Raises Wrong."""
    for command in commands:
        name = (command.split() or [""])[0]
        if name not in programs:
            raise Wrong(f"no program is called {name!r}; there are {', '.join(sorted(programs))}")
        if ";" in command or not command.isascii() or not command.isprintable():
            raise Wrong(f"{command!r} is not one command line of printable ASCII")
    return tuple(commands)


@contextmanager
def errors_in_one_line(about: Path | None = None) -> Iterator[None]:
    """What the machine and the rewriter raise becomes an exit status and a line, which begins with the file it is
    `about`: a kernel that dies has failed, an input that cannot be used is wrong."""
    from rewriter.contract import ContractError
    from rewriter.elf import ElfError
    from rewriter.passes.transform import Broken
    from rewriter.probes.areas import ProbeError
    from rewriter.profile import ProfileError
    from toykernel.machine import MachineError

    try:
        yield
    except MachineError as error:
        raise Failed(str(error)) from None
    except Broken as error:
        raise Defect(
            f"a pass left something invalid: {error} (hotpath bisect with the same options finds the edit)"
        ) from None
    except (OptionError, ContractError, ElfError, ProfileError, ProbeError) as error:
        raise Wrong(str(error) if about is None else f"{about}: {error}") from None
