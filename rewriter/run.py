"""What the rewriter asks of a machine, and what a machine answers: protocols, so that neither knows the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Workload(Protocol):
    """What a machine boots a kernel with: command lines, run one after the other, the files of its archive, and the
    image of a disk, empty if there is none.  Programs are files under `bin/` of the archive."""

    @property
    def commands(self) -> Sequence[str]: ...
    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def disk(self) -> bytes: ...


class Call(Protocol):
    """One system call, from the first instruction at the gate to the `iret`, both included."""

    @property
    def program(self) -> str: ...  # the file name of the image that ran
    @property
    def process(self) -> int: ...  # 0, 1, 2 … in the order in which processes came to be
    @property
    def site(self) -> int: ...  # user address of the `int 0x80`
    @property
    def number(self) -> int: ...
    @property
    def arguments(self) -> tuple[int, ...]: ...  # ebx, ecx, edx, esi, edi, ebp at the gate
    @property
    def result(self) -> int | None: ...  # eax at the return, signed; None where it never returned
    @property
    def registers(self) -> tuple[int, ...]: ...  # eax ebx ecx edx esi edi ebp esp eflags at the return
    @property
    def memory(self) -> str: ...  # digest of all user pages at the return; "" unless asked for
    @property
    def instructions(self) -> int: ...  # ring-0 instructions, a `rep` as one; 0 unless measured
    @property
    def iterations(self) -> int: ...  # of `rep` instructions; 0 unless measured
    @property
    def cycles(self) -> int: ...  # modelled; 0 unless measured
    @property
    def faults(self) -> int: ...  # exceptions by its own accesses; 0 unless measured
    @property
    def switches(self) -> int: ...  # how often its stack was left for another; 0 unless measured


class Run(Protocol):
    """Everything that one boot showed; two runs of one image and workload are equal."""

    @property
    def console(self) -> bytes: ...
    @property
    def exits(self) -> Sequence[tuple[str, int]]: ...  # (command line, exit status)
    @property
    def calls(self) -> Sequence[Call]: ...
    @property
    def files(self) -> Mapping[str, str]: ...  # digest of each file of the disk at the end, by path
    @property
    def profile(self) -> Mapping[int, bytes]: ...  # what kprofile wrote out, by type
    @property
    def executed(self) -> Mapping[int, int]: ...  # how often each watched address was executed
    @property
    def stacks(self) -> Mapping[tuple[int, tuple[int, ...]], int]: ...  # see Machine.run
    @property
    def instructions(self) -> int: ...  # ring-0 instructions of the whole run; 0 unless measured


class Point(NamedTuple):
    """The processor before an instruction: `registers` are eax ecx edx ebx esp ebp esi edi eflags."""

    address: int
    registers: tuple[int, ...]


class Moment(Protocol):
    """A program is about to enter the kernel by `int 0x80`."""

    @property
    def registers(self) -> tuple[int, ...]: ...  # eax, then the arguments: ebx, ecx, edx, esi, edi, ebp
    @property
    def site(self) -> int: ...  # address of the `int 0x80`
    @property
    def esp(self) -> int: ...
    @property
    def pages(self) -> Sequence[int]: ...  # user pages that it may write, by linear address


class Ending(Protocol):
    """How a call ended that was tried."""

    @property
    def how(self) -> str: ...  # "returned"; or another way to leave the call, or what became of the kernel
    @property
    def registers(self) -> tuple[int, ...]: ...  # if it returned: as those of `Call`, then ds es fs gs
    @property
    def changed(self) -> Mapping[int, bytes]: ...  # physical page → content, where it is another one than before
    @property
    def blocks(self) -> Collection[tuple[int, int]]: ...  # (address, size) of what ran where it was watched


class Machine(Protocol):
    def run(
        self,
        kernel: bytes,
        workload: Workload,
        *,
        measure: bool = False,
        cycles: bool = True,
        check: bool = False,
        watch: Collection[int] = (),
        shadow: Collection[int] = (),
        patience: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Run:
        """Boot `kernel` and run the workload until the machine powers off.

        measure: count instructions, `rep` iterations and modelled cycles of every call.
        cycles: without, the model of caches and branches is left out, which is faster; cycles mean little then.
        check: digest all user pages at every return to user mode.
        watch: addresses whose executions are counted by single-stepping (slow; the oracle of the counters).
        shadow: function entries at which the return addresses of a shadow call stack, innermost first, are
        counted into `Run.stacks` as (entry, addresses).
        patience: how many times as long as usual a call may take before the kernel is said to hang.
        cancelled: polled now and then; where it says True, Cancelled is raised.

        Raises MachineError, with one line, where the image does not boot, or the kernel dies or hangs.
        """
        ...

    def what_if(
        self,
        kernel: bytes,
        workload: Workload,
        ask: Callable[[Moment], Sequence[tuple[int, ...]]],
        hear: Callable[[Moment, Sequence[Ending]], None],
        *,
        watch: Sequence[tuple[int, int]] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Boot `kernel` and run the workload; at each system call, find out how other calls would have ended there.

        ask: with which registers (as a moment's) calls are to be tried, each in a copy of the machine; none goes on.
        hear: is told the endings, in the same order.  The run itself goes on as if nothing had been.
        watch: ranges [first, last] of addresses whose executed blocks an ending tells.

        Raises MachineError as `run`, and where the host cannot copy machines.
        """
        ...

    def follow(
        self,
        kernel: bytes,
        workload: Workload,
        call: int | None,
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> tuple[int, Sequence[tuple[int, tuple[int, ...]]]]:
        """Boot `kernel`, run the workload, and follow one system call through ring 0: the `call`-th of the run, from 0.

        None: the last one that began; so it is told where the kernel dies in it.  The answer is its number, and a
        `Point` for each of its instructions, interrupts left out.  Raises MachineError where the image does not boot.
        """
        ...
