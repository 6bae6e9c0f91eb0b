"""`python -m tests.bisect.broken MUTANT`: what the search by halves says of a broken rewriter, as one line of JSON.

Each program is one at which that mistake bites.  It is run under Unicorn, so that no compiler is needed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from rewriter.bisection import Culprit, culprit
from rewriter.passes.everywhere import everywhere
from rewriter.passes.steps import Steps
from rewriter.show import instruction
from tests.mutants.mutants import MUTANTS
from tests.passes.assembly import program
from tests.passes.lockstep import End, Linked, Start, link, run


@dataclass(frozen=True)
class Bite:
    """A program whose first function is called; who is to blame: pass, function, and the edit before and after."""

    text: str
    pass_name: str
    function: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


CARRY = """
main:
    mov eax, [{data}]
    mov edx, [{data+4}]
    call add_with_carry
    add eax, 1
    ret
add_with_carry:
    xor ebx, ebx
    mov ecx, edx
    cmp eax, edx
    inc ecx
    adc ebx, 5
    mov eax, ebx
    mov [{data+8}], ecx
    ret
"""
ALIAS = """
main:
    mov eax, [{data}]
    call twice
    add eax, 1
    ret
twice:
    sub esp, 8
    mov dword ptr [esp + 4], 5
    lea ecx, [esp + 4]
    mov [{data+8}], ecx
    mov ecx, [{data+8}]
    add [ecx], eax
    mov eax, [esp + 4]
    add esp, 8
    ret
"""
FAULT = """
main:
    mov ecx, 0x900000 ; is never mapped
    mov [{data+8}], ecx
    call get_user
    add eax, 1
    ret
get_user:
    mov ecx, [{data+8}]
    mov eax, [ecx] !.bad
    ret
.bad:
    mov eax, -14
    ret
"""
BITES = {
    "carry_across_inc": Bite(CARRY, "deadcode", "main", ("cmp eax, edx",)),
    "stores_change_no_slots": Bite(ALIAS, "constants", "main", ("mov eax, dword ptr [esp + 4]",), ("mov eax, 5",)),
    "copies_cannot_fault": Bite(FAULT, "inline", "main"),
}
WORDS = (7, 9)


def linked(text: str, steps: Steps | None) -> Linked:
    """The program, taken through these steps; as it is, if there are none."""
    made = program(text, WORDS)
    if steps is not None:
        everywhere(made, steps=steps)
    return link(made)


def called(image: Linked) -> End:
    return run(image, "main", Start({}, bytes(16)))


def search(text: str) -> Culprit[Linked] | None:
    """Which step makes the program's first function return, or leave, something else."""
    expected = called(linked(text, None))
    assert not expected.trouble, expected.trouble

    def differs(image: Linked) -> str | None:
        found = called(image)
        if found.trouble:
            return found.trouble
        pairs = ((found.registers[name], expected.registers[name]) for name in ("eax", "ebx", "esi", "edi", "ebp"))
        if any(is_now != was for is_now, was in pairs):
            return f"eax is {found.registers['eax']:#x}, was {expected.registers['eax']:#x}"
        return None if found.data[: 4 * len(WORDS)] == expected.data[: 4 * len(WORDS)] else "data differs"

    return culprit(lambda steps: linked(text, steps), differs)


def main(mutant: str) -> None:
    MUTANTS[mutant].breaks()
    found = search(BITES[mutant].text)
    if found is None or found.step is None:
        print(json.dumps(None))
        return
    edit = found.edits[0] if len(found.edits) == 1 else None
    told = {
        "pass": found.step.pass_name,
        "function": found.step.function,
        "before": [instruction(insn) for insn in edit.before] if edit else [],
        "after": [instruction(insn) for insn in edit.after] if edit else [],
        "runs": found.runs,
        "steps": found.total,
        "why": found.why,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
