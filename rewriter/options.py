"""What a person chooses, and what the nine phases work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from rewriter.contract import Contract
from rewriter.profile import Profile
from rewriter.report import PHASES
from rewriter.run import Machine, Workload

LARGEST_TABLE = 1024  # call traces; a traced function has a table
LARGEST_INTERVAL = (1 << 31) - 1  # between two cleanings, in a word with a sign


class OptionError(ValueError):
    """A choice that has no meaning; one line that names it."""


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one run; the defaults are the paper's.  Raises OptionError."""

    program: str = "readseek"  # whose system calls are measured and retargeted
    commands: tuple[str, ...] = ("readseek 65536 25",)  # the training set, one command line each
    theta: float = 0.9  # θ of §3.2: the hot functions' share of the kernel's instructions
    table_size: int = 12  # N of §3.3: traces a table holds
    clean_every: int = 1000  # entries until the first cleaning (§3.3)
    growth: float = 0.15  # of the text, at most, what is unreachable included
    as_published: bool = False  # the paper's own choices, nothing beyond
    without: frozenset[str] = field(default_factory=frozenset)  # passes left out
    first: int | None = None  # so many passes are run, of all in their order (`phases.order`)
    until: str | None = None  # the last phase to run
    forgiving: bool = False  # a new call that a pass broke is refused, with the reason; else Broken is raised
    profile: Profile | None = None  # what earlier runs taught; nothing is run to learn more

    def __post_init__(self) -> None:
        if not 0 < self.theta <= 1:
            raise OptionError(f"theta is {self.theta:g}, must be above 0 and at most 1")
        if self.table_size < 2 or self.table_size % 2:
            raise OptionError(f"table size is {self.table_size}, must be even and at least 2")
        if self.table_size > LARGEST_TABLE:
            raise OptionError(f"table size is {self.table_size}, must be at most {LARGEST_TABLE}: tables are in memory")
        if self.clean_every < 1:
            raise OptionError(f"clean every is {self.clean_every}, must be at least 1")
        if self.clean_every > LARGEST_INTERVAL:
            raise OptionError(f"clean every is {self.clean_every}, must be at most {LARGEST_INTERVAL}")
        if self.growth < 0:
            raise OptionError(f"growth is {self.growth:g}, must not be negative")
        if not isfinite(self.growth):
            raise OptionError(f"growth is {self.growth:g}, must be a number; 10 is ten times the text")
        if not self.commands or not all(command.split() for command in self.commands):
            raise OptionError("a command line is empty")
        if any(";" in command for command in self.commands):
            raise OptionError("a command line contains ';', which separates command lines")
        if self.program not in {command.split()[0] for command in self.commands}:
            raise OptionError(f"no command line runs {self.program}")
        if self.until is not None and self.until not in PHASES:
            raise OptionError(f"no phase is called {self.until}; there are {', '.join(PHASES)}")


@dataclass(frozen=True, slots=True)
class System:
    """A machine, a kernel for it, and programs; everything the rewriter is given from outside."""

    machine: Machine
    kernel: bytes  # the ELF to specialize
    contract: Contract
    programs: Mapping[str, bytes]  # ELF images by name
    workload: Callable[[Sequence[str], Mapping[str, bytes]], Workload]  # (commands, files)
    one_unit: bytes | None = None  # the same sources compiled as one translation unit, for comparison
    data: Mapping[str, bytes] = field(default_factory=dict)  # other files of the archive

    def work(self, commands: Sequence[str], programs: Mapping[str, bytes] | None = None) -> Workload:
        """`commands` over all programs, some of them replaced by `programs`."""
        images = {**self.programs, **(programs or {})}
        files = {f"bin/{name}": images[name] for name in sorted(images)}
        return self.workload(tuple(commands), {**self.data, **files})
