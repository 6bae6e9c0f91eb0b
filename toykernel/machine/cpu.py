"""The processor: Unicorn, called as directly as ctypes allows.

Measured: the friendly interface needs 37 µs to deliver a system call, batches of registers need 10; a block hook
costs 0.27 µs instead of 0.56.  What the library does differently from a processor is handled in `interrupts`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import unicorn.x86_const as x86
from unicorn.unicorn_const import (
    UC_ARCH_X86,
    UC_HOOK_BLOCK,
    UC_HOOK_CODE,
    UC_HOOK_INSN,
    UC_HOOK_INSN_INVALID,
    UC_HOOK_INTR,
    UC_HOOK_MEM_WRITE,
    UC_MODE_32,
    UC_PROT_ALL,
)
from unicorn.unicorn_py3 import unicorn as binding

from .context import exception_words
from .memory import SIZE, Memory

Uc: Any = binding.Uc
UcError: Any = binding.UcError
uclib: Any = binding.uclib

_U32, _U64, _POINTER, _INT = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_int
# The library passes a last pointer that nobody needs: a callback that does not declare it is called faster.
_BLOCK = ctypes.CFUNCTYPE(None, _POINTER, _U64, _U32)
_INTERRUPT = ctypes.CFUNCTYPE(None, _POINTER, _U32)
_INVALID = ctypes.CFUNCTYPE(ctypes.c_bool, _POINTER)
_IN = ctypes.CFUNCTYPE(_U32, _POINTER, _U32, _INT)
_OUT = ctypes.CFUNCTYPE(None, _POINTER, _U32, _INT, _U32)
_STORE = ctypes.CFUNCTYPE(None, _POINTER, _INT, _U64, _INT, ctypes.c_int64)
_RDTSC = ctypes.CFUNCTYPE(_INT, _POINTER)
_PREFIX = "UC_X86_REG_"
_TABLES = ("IDTR", "GDTR", "TR", "LDTR")


class Registers:
    """Some registers, read or written together in the order of their names ("EAX", "CR0", …).

    A table register (IDTR, GDTR, TR) takes three places: selector, base, limit."""

    def __init__(self, engine: Any, names: Sequence[str]) -> None:
        places = [3 if name in _TABLES else 1 for name in names]
        self._engine = engine._uch
        self._ids = (_INT * len(names))(*(getattr(x86, _PREFIX + name) for name in names))
        self._values = (_U64 * sum(places))()
        first = ctypes.addressof(self._values)
        self._pointers = (_POINTER * len(names))(*(first + 8 * sum(places[:i]) for i in range(len(names))))
        self._count = len(names)
        self._limits = [sum(places[: i + 1]) - 1 for i in range(len(names)) if places[i] == 3]

    def read(self) -> list[int]:
        uclib.uc_reg_read_batch(self._engine, self._ids, self._pointers, self._count)
        values = list(self._values)
        for place in self._limits:
            values[place] &= 0xFFFFFFFF
        return values

    def write(self, *values: int) -> None:
        self._values[:] = list(values)
        error = uclib.uc_reg_write_batch(self._engine, self._ids, self._pointers, self._count)
        if error:
            raise UcError(error)


_NOWHERE = (1 << 63, (1 << 63) + 1)  # a range in which no address lies


class BlockHook:
    """A block hook that can leave out one address for a while: that of a `rep`, which the emulator calls a block of its
    own in every iteration.

    It is two hooks, below and above that address.  The library has no call that changes a range, but a hook's handle
    is the address at which it keeps the hook; where the range is not found there, nothing can be left out."""

    def __init__(self, first: int, last: int, below: int, above: int) -> None:
        self.first, self.last = first, last
        self._below, self._above = _range_at(below, (first, last)), _range_at(above, _NOWHERE)
        self.adjustable = self._below is not None and self._above is not None

    def leave_out(self, address: int) -> None:
        """Be silent there, in code that may have been translated or not."""
        self._set((self.first, address - 1), (address + 1, self.last))

    def restore(self) -> None:
        self._set((self.first, self.last), _NOWHERE)

    def _set(self, below: tuple[int, int], above: tuple[int, int]) -> None:
        for place, (first, last) in ((self._below, below), (self._above, above)):
            assert place is not None
            place[:] = (first, last) if first <= last else _NOWHERE  # the library takes `first > last` for everywhere


def _range_at(handle: int, found: tuple[int, int]) -> Any:
    """The two words in which the library keeps this range; None where they are not in sight."""
    words = (_U64 * 8).from_address(handle)
    places = [n for n in range(7) if (words[n], words[n + 1]) == found]
    return (_U64 * 2).from_address(handle + 8 * places[0]) if len(places) == 1 else None


_TRANSLATED = 1 << 27  # bytes of translated code that are kept: a gigabyte, by itself


class Cpu:
    """One processor over `memory`.  Hooks must be added before the first `run`: code that was translated without
    a hook runs without it, unless it is forgotten."""

    def __init__(self, memory: Memory) -> None:
        self._engine = Uc(UC_ARCH_X86, UC_MODE_32)
        self._engine.ctl_set_tcg_buffer_size(_TRANSLATED)
        self._ram = (ctypes.c_char * SIZE).from_buffer(memory.raw)
        self._engine.mem_map_ptr(0, SIZE, UC_PROT_ALL, ctypes.addressof(self._ram))
        # Without this the address at which to stop is translated when a run ends, and the fault changes CR2.
        self._engine.ctl_exits_enabled(True)
        self._callbacks: list[Any] = []
        self._pc = self.registers("EIP")
        self._context = self._engine.context_save()
        self._blob = ctypes.cast(self._context.context, ctypes.POINTER(ctypes.c_int32))
        self._words = exception_words()
        self.failure: BaseException | None = None

    def close(self) -> None:
        """There will be no more runs: a gigabyte of addresses is free at once, not when somebody looks for circles."""
        self._callbacks.clear()
        del self._context, self._blob, self._engine, self._ram

    def registers(self, *names: str) -> Registers:
        return Registers(self._engine, names)

    @property
    def pc(self) -> int:
        return self._pc.read()[0]

    def run(self, count: int) -> str | None:
        """Go on at `pc` for at most `count` instructions (at least 2, the iterations of `rep` counted), until `hlt`
        or `stop`.  The answer is what the emulator cannot do, None where it can.  Raises what a hook raised."""
        error = uclib.uc_emu_start(self._engine._uch, self.pc, 0, 0, count)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return str(UcError(error)) if error else None

    def jump(self) -> None:
        """In a block, instruction or port hook: go on at the `pc` that was written, not with the block under way.

        The library sees to it only where EIP is written alone; a batch is enough in the interrupt hook."""
        pc = ctypes.c_uint32(self.pc)
        uclib.uc_reg_write(self._engine._uch, x86.UC_X86_REG_EIP, ctypes.byref(pc))

    def stop(self) -> None:
        """End the `run` under way, at the next instruction.  From a hook or another thread."""
        uclib.uc_emu_stop(self._engine._uch)

    def fail(self, failure: BaseException) -> None:
        """End the `run` under way with an exception: the library cannot carry one through."""
        if self.failure is None:
            self.failure = failure
        self.stop()

    def take_exception(self) -> tuple[int, bool]:
        """In the interrupt hook, for the vectors of the processor: (error code, whether an `int` asked for it).

        The library never forgets the exception that it reported and would turn the next into a double fault:
        that memory is set back here."""
        blob, words = self._blob, self._words
        uclib.uc_context_save(self._engine._uch, self._context.context)
        error, software = blob[words.error] & 0xFFFF, bool(blob[words.software])
        blob[words.pending] = -1
        uclib.uc_context_restore(self._engine._uch, self._context.context)
        return error, software

    def on_block(self, callback: Callable[[int, int, int], None], first: int, last: int) -> BlockHook:
        """`callback(engine, address, size)` before each translated block that begins in [first, last].

        It must let no exception out (see `fail`): a wrapper would cost more than most callbacks do."""
        function = _BLOCK(callback)
        below = self._hook(UC_HOOK_BLOCK, function, first, last)
        above = self._hook(UC_HOOK_BLOCK, function, *_NOWHERE)
        # While an address is left out, its block may be translated: another hook there makes that a hooked one.
        self._hook(UC_HOOK_BLOCK, uclib.uc_arch_supported, first, last)
        return BlockHook(first, last, below, above)

    def on_instruction(self, callback: Callable[[int, int, int], None], first: int, last: int) -> None:
        """`callback(engine, address, size)` before each instruction in [first, last], as `on_block`."""
        self._hook(UC_HOOK_CODE, _BLOCK(callback), first, last)

    def forget_code(self) -> None:
        """Translate all code again: instructions that were translated before a hook was added call it now, too."""
        self._engine.ctl_flush_tb()

    def on_interrupt(self, callback: Callable[[int], None]) -> None:
        """`callback(vector)` for each `int` and each exception but invalid instructions."""
        self._hook(UC_HOOK_INTR, _INTERRUPT(self._guarded(callback)))

    def on_invalid(self, callback: Callable[[], bool]) -> None:
        """`callback()` where an instruction is invalid; it says whether it was dealt with."""
        self._hook(UC_HOOK_INSN_INVALID, _INVALID(self._guarded(callback, False)))

    def on_in(self, callback: Callable[[int, int], int]) -> None:
        """`callback(port, size)` gives what `in` reads."""
        self._hook(UC_HOOK_INSN, _IN(self._guarded(callback, 0)), aux=x86.UC_X86_INS_IN)

    def on_out(self, callback: Callable[[int, int, int], None]) -> None:
        """`callback(port, size, value)` for each `out`."""
        self._hook(UC_HOOK_INSN, _OUT(self._guarded(callback)), aux=x86.UC_X86_INS_OUT)

    def on_store(self, callback: Callable[[int, int, int], None], first: int, last: int) -> None:
        """`callback(address, size, value)` before each store to the physical addresses [first, last]; within a `rep`
        before each iteration, and `stop` then ends the `rep`, too.  All stores everywhere become slower."""
        guarded = self._guarded(lambda _, address, size, value: callback(address, size, value))
        self._hook(UC_HOOK_MEM_WRITE, _STORE(guarded), first, last)

    def on_rdtsc(self, callback: Callable[[], int]) -> None:
        """`callback()` is what `rdtsc` reads; unhooked it is the host's time.  The binding refuses this hook."""
        result = self.registers("EAX", "EDX")

        def answer() -> int:
            stamp = callback()
            result.write(stamp & 0xFFFFFFFF, stamp >> 32 & 0xFFFFFFFF)
            return 1

        self._hook(UC_HOOK_INSN, _RDTSC(self._guarded(answer, 1)), aux=x86.UC_X86_INS_RDTSC)

    def _hook(self, kind: int, callback: Any, first: int = 1, last: int = 0, *, aux: int | None = None) -> int:
        """The library's handle of a new hook."""
        self._callbacks.append(callback)  # the library keeps no reference
        handle, extra = ctypes.c_size_t(), () if aux is None else (_INT(aux),)
        reference: Any = ctypes.cast(ctypes.addressof(handle), uclib.uc_hook_add.argtypes[1])
        function = ctypes.cast(callback, _POINTER)
        error = uclib.uc_hook_add(self._engine._uch, reference, kind, function, None, _U64(first), _U64(last), *extra)
        if error:
            raise UcError(error)
        return handle.value

    def _guarded(self, callback: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
        """`callback` without its first argument, the engine, and with exceptions put into `failure`."""

        def guarded(_: Any, *arguments: int) -> Any:
            try:
                return callback(*arguments)
            except BaseException as failure:
                self.fail(failure)
                return otherwise

        return guarded
