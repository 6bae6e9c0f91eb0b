"""Exceptions as edges: from a call to the code that catches what is thrown by it.

A landing pad is entered with the stack as it was at the call, but for arguments that the unwinder drops, and with the
registers that a callee keeps; in the others lie the exception and which handler it is for.
"""

from __future__ import annotations

from dataclasses import replace

from rewriter.analysis.state import TOP, State
from rewriter.analysis.value import SOMEWHERE_ON_STACK, Opaque, Value
from rewriter.elf.unwind.rows import ARGS_SIZE
from rewriter.ir import Block, Function, Insn, Program, Unwinding
from rewriter.x86.flow import CALLS, flow

_NEW = ("eax", "ecx", "edx")  # what the unwinder leaves in them, the pad alone knows


def throws(program: Program) -> dict[str, str]:
    """Let the calls of all functions lead to their landing pads (`faults_to`).  By name, the functions in which
    something is caught that no call throws, with what that is."""
    unwinding, odd = program.unwinding, dict[str, str]()
    if unwinding is None:
        return odd
    called: set[int] = set()
    for function in program.functions:
        if not function.verbatim:
            for block in function.blocks:
                _lead(unwinding, function, block, called, odd)
    for function in program.functions:
        sites = {id(site): site for i in function.insns() if i.origin and (site := unwinding.site(i.origin))}
        if not function.verbatim and any(site.pad and site.start not in called for site in sites.values()):
            odd.setdefault(function.name, "something is caught that no call throws")
    return odd


def _lead(unwinding: Unwinding, function: Function, block: Block, called: set[int], odd: dict[str, str]) -> None:
    for n, insn in enumerate(block.insns):
        site = unwinding.site(insn.origin) if insn.origin is not None else None
        if site is None or site.pad is None:
            continue
        if flow(insn.raw) in CALLS:
            called.add(site.start)
            if site.pad[1]:
                odd[function.name] = "a landing pad is in the middle of an instruction"
            block.insns[n] = replace(insn, faults_to=site.pad[0])
        elif insn.raw[0] == 0xCD:
            odd[function.name] = "a system call may be unwound"


def thrown(unwinding: Unwinding | None, block: Block, before: State, behind: State) -> State:
    """What is known where something is caught that the call at the block's end has thrown."""
    call = block.insns[-1]
    state = behind.copy()
    for register in _NEW:
        state.places[register] = Value(Opaque(block.label, TOP, f"thrown {register}"))
    state.flags = None
    if before.esp is None or behind.esp is None:
        state.places["esp"] = SOMEWHERE_ON_STACK
        state.blur_slots(-(1 << 31), 1 << 31)
        return state
    for place, value in before.places.items():  # what a callee pops is still there
        if isinstance(place, int) and before.esp <= place < behind.esp and value.on_stack:
            state.places[place] = SOMEWHERE_ON_STACK
    dropped = dropped_by(unwinding, call)
    state.places["esp"] = before.places["esp"].plus(dropped)
    state.kill_slots(-(1 << 31), before.esp + dropped)
    return state


def dropped_by(unwinding: Unwinding | None, call: Insn) -> int:
    """Bytes of arguments that the unwinder drops on the way from this call to its landing pad."""
    row = unwinding.row(call.origin) if unwinding is not None and call.origin is not None else None
    if row is None or row[2][:1] != bytes((ARGS_SIZE,)):
        return 0
    return sum((byte & 0x7F) << 7 * n for n, byte in enumerate(row[2][1:]))
