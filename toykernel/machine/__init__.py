"""The PC that runs the kernel: under Unicorn, watched in every detail, or on QEMU, to check the first."""

from .errors import Cancelled, MachineError
from .machine import Machine
from .qemu import Qemu
from .run import Call, Run
from .workload import Workload, archive

__all__ = ["Call", "Cancelled", "Machine", "MachineError", "Qemu", "Run", "Workload", "archive"]
