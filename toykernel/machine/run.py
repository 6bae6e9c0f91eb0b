"""What one boot showed.  Plain data: two runs of one kernel with one workload are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Call:
    """One system call of a program, from the first instruction at the gate to the `iret`, both included."""

    program: str  # the command's first word
    site: int  # user address of the `int 0x80`
    number: int
    arguments: tuple[int, ...]  # ebx, ecx, edx, esi, edi, ebp at the gate
    result: int | None  # eax at the return, signed; None where the call never returned
    registers: tuple[int, ...]  # eax ebx ecx edx esi edi ebp esp eflags at the return; empty without one
    memory: str = ""  # digest of all user pages at the return; "" unless asked for
    instructions: int = 0  # of ring 0, on this call's stack, a `rep` as one; 0 unless measured, as the rest
    iterations: int = 0  # of `rep` instructions
    cycles: int = 0  # modelled
    faults: int = 0  # exceptions by its own accesses; their instructions are included
    interrupted: int = 0  # instructions of interrupts that arrived within; not included
    switches: int = 0  # how often its stack was left for another: it slept, or gave the processor away
    process: int = 0  # 0, 1, 2 … in the order in which processes came to be


@dataclass(frozen=True)
class Store:
    """One store into the disk; `console` is how many bytes had come out of the console before it."""

    offset: int
    content: bytes
    console: int


@dataclass(frozen=True)
class Run:
    """Files of the archive have no outside: programs print checksums of what they wrote.  Those of the disk have."""

    console: bytes
    exits: tuple[tuple[str, int], ...]  # (command line, exit status)
    calls: tuple[Call, ...]
    files: Mapping[str, str] = field(default_factory=dict)  # path → digest, of the disk at the end (see `digest`)
    disk: bytes = b""  # all of it at the end
    stores: tuple[Store, ...] = ()  # into the disk; empty unless they are followed
    profile: Mapping[int, bytes] = field(default_factory=dict)  # what kprofile wrote out last, by type
    executed: Mapping[int, int] = field(default_factory=dict)  # how often each watched address was executed
    stacks: Mapping[tuple[int, tuple[int, ...]], int] = field(default_factory=dict)  # (entry, returns) → times
    instructions: int = 0  # of ring 0, all of the run; 0 unless measured
    ticks: int = 0  # interrupts of the timer that were delivered
