"""The PC that runs the kernel: under Unicorn, watched in every detail, or on QEMU, to check the first.

In the order for reading: `machine` (what others call), `workload` and `run` (what goes in and comes out), `pc` (one
boot, wired together), `multiboot` and `memory`, `cpu` and `interrupts` (what Unicorn leaves to us), `devices` with
`pic` and `pit`, `clocks` (when the timer ticks), `trace` (system calls), `digest`; then the observers: `meter` with
`blocks` and `cycles` (what calls cost), `stepper` (the oracle of probes), `storm`, `stores` (the power fails),
`forks` (what if another call were made here?), `steer` (another call is made here), `follow` (each
instruction of a call); and `qemu`.
"""

from .errors import Cancelled, MachineError
from .machine import Machine
from .qemu import Qemu
from .run import Call, Run, Store
from .steer import Turn
from .workload import Workload, archive

__all__ = ["Call", "Cancelled", "Machine", "MachineError", "Qemu", "Run", "Store", "Turn", "Workload", "archive"]
