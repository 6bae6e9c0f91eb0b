"""One boot: processor, memory and devices wired together, and the ways into the kernel and out of it."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .clocks import WorkClock
from .cpu import Cpu
from .devices import Devices
from .digest import UserMemory
from .errors import Cancelled, MachineError
from .interrupts import INTERRUPTS, PAGING, PROTECTION_FAULT, Gates, State
from .keyboard import interruptible
from .memory import Memory, PageFault
from .multiboot import BOOTLOADER_MAGIC, Image, load
from .observer import Entry, Observer
from .trace import SYSTEM_CALL, Trace
from .workload import Work, command_line, modules

INVALID_OPCODE, TIMER = 6, 0
_NEVER = 1 << 64
_IDLE_TICKS = 20_000  # of sleep without any program running: then the kernel counts as hung
_MOST_CALLS = 500_000  # of one run: then a program counts as hung
_POLL = 64  # entries into the kernel between two looks at `cancelled`
_HLT = 0xF4
_LONGEST_NAME = 256  # of a program, with its directory
_AT_RETURN = ("CS", "CR0", "CR3", "TR", "EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP", "EFLAGS")


class Pc:
    """A PC with a kernel loaded."""

    def __init__(self, image: Image, workload: Work, cancelled: Callable[[], bool] | None = None) -> None:
        self.memory = Memory()
        self.cpu = Cpu(self.memory)
        self.gates = Gates(self.cpu, self.memory)
        self.clock = WorkClock(self._fetch)
        self.devices = Devices(lambda: self.clock.now)
        self.trace = Trace(workload.commands)
        self.user_memory: UserMemory | None = None  # set it to have digests at returns
        self.observers: list[Observer] = []
        self.before_call: Callable[[State], State] | None = None  # at an `int` that is a system call: what is saved
        self.installed = workload.memory << 20  # bytes of memory that the kernel is told of
        self.ticks = 0
        self.stamp = self._count_stamps  # what `rdtsc` reads
        self._stamps = 0
        self._halted = -1  # the address behind the `hlt` reached last
        self._refused: State | None = None  # user mode at an `in` or `out`
        self._cancelled = cancelled
        self._image = image
        self._in_kernel, self._resumed, self._due = True, False, _NEVER
        self._entries = self._calls = self._idle = 0
        self._space: int | None = None
        self._arguments = self.cpu.registers("EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP")
        self._user = self.cpu.registers(*_AT_RETURN)
        self._boot(image, workload)
        self._add_hooks(image)

    def _boot(self, image: Image, workload: Work) -> None:
        line = command_line(workload)
        information, places = load(image, self.memory, modules(workload), line, workload.memory << 20)
        self._disk = (places[1], len(workload.disk)) if workload.disk else (0, 0)  # first address, bytes
        self.cpu.registers("EAX", "EBX", "EFLAGS", "EIP").write(BOOTLOADER_MAGIC, information, 2, image.entry)

    def _add_hooks(self, image: Image) -> None:
        self.cpu.on_interrupt(self._interrupt)
        self.cpu.on_invalid(self._invalid)
        self.cpu.on_in(self._in)
        self.cpu.on_out(self._out)
        self.cpu.on_rdtsc(lambda: self.stamp())
        for first, last in image.elsewhere:
            self.cpu.on_block(self._user_block, first, last)
        for place in image.places(_HLT):
            self.cpu.on_instruction(self._halt, place, place)

    def close(self) -> None:
        """Free the processor and the memory."""
        self.cpu.close()
        self.memory.raw.close()

    @property
    def disk(self) -> bytes:
        """What is on the disk now: the module behind the archive, which the kernel changes in place."""
        first, size = self._disk
        return self.memory.raw[first : first + size]

    def run(self, budget: int, slice_size: int) -> None:
        """Until the kernel powers off.  `budget` instructions without a system call and with nothing coming out are a
        hang; every `slice_size` instructions there is a look at that, which the guest does not notice.

        Raises MachineError, also where the kernel reports a failure, and Cancelled."""
        progress, idle_slices = -1, 0
        while self.devices.power_off is None:
            with interruptible(self.cpu.stop):
                trouble = self.cpu.run(slice_size)
            self._poll()
            state = self.gates.state()
            if trouble is not None:
                raise MachineError(f"the processor stopped at {state.eip:#x}: {trouble}")
            if self.devices.power_off is not None:
                self._pause(state)
                break
            idle_slices = idle_slices + 1 if progress == self._progress else 0
            progress = self._progress
            if self._refused is not None:
                state, self._refused = self._refused, None
                self.gates.exception(PROTECTION_FAULT, state)
                self._entered(Entry.EXCEPTION, state)
            elif self._halted == state.eip:
                self._sleep(state)
            elif idle_slices * slice_size >= budget:
                who = "program" if state.ring else "kernel"
                raise MachineError(f"the {who} hangs at {state.eip:#x}: {budget} instructions without progress")
            else:
                self._pause(state)
        if self.devices.power_off:
            last = bytes(self.devices.console.sent).decode("ascii", "replace").strip().rsplit("\n", 1)[-1]
            raise MachineError(f"the kernel powered off with status {self.devices.power_off}: {last}")

    @property
    def _progress(self) -> int:
        return self._calls + self.devices.progress

    def _poll(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled

    # ---- into the kernel

    def _interrupt(self, vector: int) -> None:
        """An `int`, or an exception of the processor."""
        error, software = self.cpu.take_exception() if vector < 32 else (0, True)
        state = self.gates.state()
        if not software:
            self.gates.exception(vector, state, error)
            self._entered(Entry.EXCEPTION, state)
            return
        if vector == SYSTEM_CALL and state.ring == 3 and self.before_call is not None:
            state = self.before_call(state)
        saved = self.gates.software(vector, state)
        if saved is state:
            self._entered(Entry.SOFTWARE, saved, call=vector == SYSTEM_CALL)
        else:
            self._entered(Entry.EXCEPTION, saved)

    def _invalid(self) -> bool:
        """An invalid instruction."""
        state = self.gates.state()
        self.gates.exception(INVALID_OPCODE, state)
        self._entered(Entry.EXCEPTION, state)
        return True

    def _entered(self, entry: Entry, saved: State, *, call: bool = False) -> None:
        """A gate was passed.  Devices interrupt user mode between two blocks, everything else within one."""
        stack, cost = 0, None
        if saved.ring == 3:
            stack = self.gates.kernel_stack(saved.tss, saved.directory)
            if self._in_kernel:  # it came back, and its first instruction could not even be fetched
                registers = (*self._arguments.read(), saved.esp, saved.eflags)
                self._in_user(stack, saved.directory, saved.eip, registers)
            task = self.trace.leave(stack, saved.directory, saved.eip)
            if call:
                number, *arguments = self._arguments.read()
                cost = self.trace.open(task, number, tuple(arguments)).cost
                self._calls += 1
                if self._calls > _MOST_CALLS:
                    where = f"the program {task.program} hangs at {saved.eip:#x}"
                    raise MachineError(f"{where}: {_MOST_CALLS} system calls")
            if entry is not Entry.DEVICE:
                self.clock.leave(saved.eip)
            self._in_kernel = True
            self._entries += 1
            if self._entries % _POLL == 0:
                self._poll()
        for observer in self.observers:
            observer.gate(entry, saved, stack, cost)

    def interrupt(self) -> None:
        """From the hook of an instruction or block: raise the timer's line, and deliver it before that, if it may."""
        self.devices.pic.request(TIMER)
        if self._deliver(self.gates.state()):
            self.cpu.jump()

    def _timer(self, state: State) -> bool:
        """Raise the timer's line if it is due, and deliver what may be delivered: whether it was anything."""
        while self.devices.pit.next is not None and self.clock.now >= self.devices.pit.next:
            self.devices.pic.request(TIMER)
            self.devices.pit.tick()
        self._plan()
        return self._deliver(state)

    def _deliver(self, state: State) -> bool:
        """Deliver what the controllers let through, if the processor lets it."""
        vector = self.devices.pic.acknowledge() if state.eflags & INTERRUPTS else None
        if vector is None:
            return False
        self.ticks += 1
        self.gates.interrupt(vector, state)
        self._entered(Entry.DEVICE, state)
        return True

    def on_disk_store(self, callback: Callable[[int, int, int], None]) -> None:
        """`callback(offset, size, value)` before each store into the disk, each iteration of a `rep` by itself."""
        first, size = self._disk
        if size:
            store = lambda address, length, value: callback(address - first, length, value)  # noqa: E731
            self.cpu.on_store(store, first, first + size - 1)

    def cut_power(self) -> None:
        """From a hook: the machine is off, and nothing of what is under way matters any more."""
        self.devices.power_off = 0
        self.cpu.stop()

    def _plan(self) -> None:
        """When to look at the timer again: at once while a request waits."""
        pit = self.devices.pit
        waits = self.devices.pic.master.line is not None
        self._due = 0 if waits else _NEVER if pit.next is None else pit.next

    # ---- in user mode

    def _user_block(self, _: int, address: int, size: int) -> None:
        """A block outside the kernel's code is about to run."""
        try:
            if self._in_kernel:
                ring, cr0, cr3, _, tss, _, *registers = self._user.read()
                if ring & 3 != 3:  # code that runs before paging
                    if not self._image.holds(address):
                        raise MachineError(f"the kernel runs into {address:#x}, where it has no code")
                    for observer in self.observers:
                        observer.early(address, size)
                    return
                space = cr3 if cr0 & PAGING else None
                self._in_user(self.gates.kernel_stack(tss, space), space, address, tuple(registers))
            if self.clock.now >= self._due and not self._resumed and self._timer(self.gates.state()):
                self.cpu.jump()
                return
            self._resumed = False
            self.clock.announce(address, size)
        except BaseException as failure:
            self.cpu.fail(failure)

    def _in_user(self, stack: int, space: int | None, address: int, registers: tuple[int, ...]) -> None:
        """This is user mode at last; note what returns."""
        self._in_kernel, self._idle, self._space = False, 0, space
        name, exits = lambda: self._name(registers[-2]), len(self.devices.exits)
        goes_on, call = self.trace.enter(stack, space, address, name, exits)
        self.clock.enter(self._space, forget=not goes_on)
        if call is not None:
            call.returned = registers
            if self.user_memory is not None:
                call.memory = self.user_memory.digest(self._space)
        self._plan()
        for observer in self.observers:
            observer.user(stack)

    def _name(self, esp: int) -> str:
        """What a program that begins is called: its first argument without directories, or else its command."""
        try:
            argc, word = struct.unpack("<2I", self.memory.read(esp, 8, self._space))
            path = self._string(word) if argc else ""
        except PageFault:
            path = ""
        return path.rpartition("/")[2] or self.trace.program(len(self.devices.exits))

    def _string(self, address: int) -> str:
        text = bytearray()
        while len(text) < _LONGEST_NAME and (byte := self.memory.read(address + len(text), 1, self._space)) != b"\0":
            text += byte
        return text.decode("ascii", "replace")

    def _fetch(self, address: int, size: int) -> bytes:
        return self.memory.read(address, size, self._space)

    # ---- devices

    def _in(self, port: int, size: int) -> int:
        if self._in_kernel:
            return self.devices.read(port, size)
        self._refuse()
        return self._arguments.read()[0]  # eax stays as it is

    def _out(self, port: int, size: int, value: int) -> None:
        if not self._in_kernel:
            self._refuse()
            return
        self.devices.write(port, size, value)
        if self.devices.power_off is not None:
            self.cpu.stop()

    def _refuse(self) -> None:
        """User mode may not touch ports (no kernel of ours has an I/O bitmap).  The library lets it, and goes on
        behind the instruction whatever is written to EIP: the fault is delivered when the processor has stopped."""
        self._refused = self.gates.state()
        self.cpu.stop()

    def _count_stamps(self) -> int:
        """Where no cycles are modelled: the work clock, later each time."""
        self._stamps += 1
        return self.clock.now + self._stamps

    # ---- standing still

    def _halt(self, _: int, address: int, size: int) -> None:
        """A `hlt` is about to be executed: nothing else tells this end of a run from a used-up slice."""
        self._halted = address + size

    def _sleep(self, state: State) -> None:
        """`hlt`: the clock jumps to the next tick."""
        self._halted = -1
        while True:
            tick = self.devices.pit.next
            if not state.eflags & INTERRUPTS or tick is None:
                raise MachineError(f"the kernel halted at {state.eip:#x}, and nothing can wake it")
            self._idle += 1
            if self._idle > _IDLE_TICKS:
                raise MachineError(f"the kernel hangs at {state.eip:#x}: {_IDLE_TICKS} ticks without any program")
            self.clock.now = max(self.clock.now, tick)
            if self._timer(state):
                return

    def _pause(self, state: State) -> None:
        """The processor stopped in the middle, only because its budget was used up."""
        if state.ring == 3:
            self.clock.leave(state.eip)
            self._resumed = True
        for observer in self.observers:
            observer.pause(state)
