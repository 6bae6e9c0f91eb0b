"""The size of the saved user frame is read off the entry code, or the contract is refused."""

import pytest

from rewriter.analysis.graph import Index
from rewriter.contract import Contract, SystemCalls
from rewriter.ir import Block, Data, Symbol
from rewriter.ir import Function as IrFunction
from rewriter.probes.areas import ProbeError
from rewriter.probes.assembly import function
from rewriter.probes.user_frame import HARDWARE, user_frame
from rewriter.x86.encode import assemble
from tests.probes.flat import program_of

CONTRACT = Contract(system_calls=SystemCalls("table", "none", "gate", 4))


def frame(text: str) -> int:
    program = program_of([function("gate", text)], [Data("table", None, bytes(16))])
    program.symbols = [Symbol("gate", "gate"), Symbol("table", "table")]
    return user_frame(program, CONTRACT, Index(program))


PUSHES = "push eax\n push ebp\n push edi\n cmp eax, 4\n"
CALL = "call dword ptr [eax*4 + {table}]\n"


def test_pushes_on_the_way_to_the_call_are_counted():
    assert (
        frame(f"{PUSHES} jae bad\n {CALL} jmp out\n bad:\n mov eax, -38\n out:\n add esp, 12\n iretd") == 12 + HARDWARE
    )


def test_calls_on_the_way_leave_the_stack_as_it_was():
    assert frame(f"{PUSHES} call {{gate}}\n sub esp, 4\n {CALL} iretd") == 16 + HARDWARE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{PUSHES} jae more\n {CALL} iretd\n more:\n push ebx\n {CALL} iretd", "no one size: found 12, 16"),
        (f"{PUSHES} iretd", "found none"),
        (f"mov esp, eax\n {CALL} iretd", "moves esp"),
        (f"again:\n push eax\n cmp eax, 0\n jne again\n {CALL} iretd", "no one size"),
    ],
)
def test_what_the_code_does_not_say_is_refused(text, reason):
    with pytest.raises(ProbeError, match=reason):
        frame(text)


def test_a_program_without_a_gate_has_no_frame():
    program = program_of([IrFunction("f", [Block("f", assemble(("ret",)))])])
    assert user_frame(program, Contract(), Index(program)) == 0
    with pytest.raises(ProbeError, match="no symbol"):
        user_frame(program, CONTRACT, Index(program))
