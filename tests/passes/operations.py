"""Random programs that call through tables of operations: which table it is, an argument says, and others change it.

An object in `data` points to one of four tables in `fixed`.  They have the same functions, and the last has none in
one place; what a profile would say is always the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from rewriter.analysis.body import Body
from rewriter.analysis.depths import Depths
from rewriter.analysis.graph import Index
from rewriter.analysis.operations import calls_pointer, pointer_loads
from rewriter.contract import Contract
from rewriter.ir import Program
from rewriter.profile import Profile
from tests.passes.random_frames import SAVED, SOME
from tests.passes.random_programs import Writer

OBJECT = 2048  # in `data`, behind all that others use
TABLE = 16  # bytes
OPERATIONS = f"""
op_first:
    mov eax, [esp + 4]
    add eax, [{{data + {SOME[0]}}}]
    ret
op_second:
    push ebx
    mov ebx, [esp + 12]
    mov [{{data + {SOME[1]}}}], ebx
    lea eax, [ebx + 1]
    pop ebx
    ret
op_other:
    mov eax, [esp + 8]
    ret
op_sleep:
    mov ecx, [esp + 4]
    and ecx, 3
    shl ecx, 4
    add ecx, {{fixed}}
    cmp dword ptr [esp + 8], 2
    ja .on
    mov [{{data + {OBJECT}}}], ecx
.on:
    ret
"""


class Operating(Writer):
    """Calls through the object's table, whose pointer is kept, tested, loaded again after a call that changes it."""

    read_only: ClassVar = (
        *("op_first", "op_second", "op_other", 7) * 2,
        *("op_other", "op_second", "op_first", 7),
        *("op_first", 0, 0, 9),
    )

    def function(self) -> str:
        text = super().function()
        return text + OPERATIONS if self.name == "sys_call" else text

    def statements(self, count: int, nesting: int) -> None:
        if nesting == 2 and self.name == "sys_call":
            end = self.label()
            self.put("mov ecx, {fixed}", f"mov eax, {self.argument()}", "cmp eax, 3", f"ja {end}")
            self.put("shl eax, 4", "add ecx, eax")
            self.lines.append(f"{end}:")
            self.put(f"mov [{{data + {OBJECT}}}], ecx")
        if nesting == 2:
            self.operate()
        super().statements(count, nesting)
        if nesting == 2:
            self.operate()

    def operate(self) -> None:
        """A call or two, by one pointer or two."""
        kept = next((r for r in SAVED if r in self.saved and r in self.registers), None)
        pointer = kept or "eax"
        self.put(f"mov edx, {{data + {OBJECT - 8}}}", f"mov {pointer}, [edx + 8]")
        choice = self.random.random()
        if choice < 0.3:
            self.through(f"dword ptr [{pointer}]", pointer)
        elif choice < 0.7:
            end, slot = self.label(), self.random.choice((4, 8))
            self.put(f"mov ecx, [{pointer} + {slot}]", "test ecx, ecx", f"je {end}")
            self.through("ecx", pointer)
            self.lines.append(f"{end}:")
        else:
            end = self.label()
            self.put(f"cmp dword ptr [{pointer} + 12], 7", f"jne {end}")
            self.through(f"dword ptr [{pointer} + 8]", pointer)
            self.lines.append(f"{end}:")
        if kept is None or self.random.random() < 0.3:
            return
        self.arguments()
        self.put("call op_sleep", "add esp, 12")
        self.depth -= 12
        if self.random.random() < 0.5:
            self.put(f"mov edx, {{data + {OBJECT - 8}}}", f"mov {pointer}, [edx + 8]")
        self.through(f"dword ptr [{pointer}]", pointer)

    def arguments(self) -> None:
        for _ in range(3):
            self.put(f"push {self.random.choice((self.argument(), '3', self.argument()))}")
            self.depth += 4

    def through(self, target: str, pointer: str) -> None:
        self.arguments()
        self.put(f"call {target}", "add esp, 12")
        self.depth -= 12
        if self.locals:
            self.put(f"mov {self.local()}, eax")


def always_the_first(profile: Profile, program: Program) -> Profile:
    """A profile in which every pointer leads to the first table, whatever it did."""
    depths, found = Depths(Index(program), Contract()), {}
    for function in program.functions:
        values = Body(depths, function.name).values
        for label in [
            block.label for block in function.blocks if calls_pointer(block) and block.label in values.states
        ]:
            for point in pointer_loads(values, label):
                found[point.label, point.position] = {("fixed", 0): max(profile.blocks.get(point.label, 0), 1)}
    return replace(profile, pointers=found)
