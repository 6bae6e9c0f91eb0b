"""Why a decision fell as it did: the one vocabulary of remarks, of exits, and of instructions that were made.

What is special about one case (a callee's name, a chain of calls, an operand) is the detail beside it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """A member's value is what people read."""

    LEFT_OUT = "the pass is left out"

    # A call was inlined, or not (§4.1)
    INLINED = "inlined along its call trace"
    COLD = "made too rarely here"
    NOT_HOT = "the callee is not among the hot functions"
    NO_TRACE = "no call trace leads through it"
    OTHER_TARGET = "another target is more frequent"
    OTHER_VALUE = "another value of an argument is more frequent"
    SPARSE = "too much code for how often it is called"
    ELSEWHERE = "the trace leads through another function"
    TAIL_CALL = "a tail call beside the trace"
    NO_FUNCTION = "what it calls is no function"
    RECURSION = "recursion"
    BUDGET = "the budget of instructions is spent"
    EXCEPTION_TABLE = "exception table"
    PINNED = "pinned"
    NEVER_RETURNS = "it never returns"
    STACK = "the stack is not understood"
    FLAGS_LIVE = "flags are live across it"
    OBSTACLE = "no copy can be made of the handler"
    BROKEN = "a pass made something invalid of it, which was thrown away"

    # A pointer to a table of operations was tested, or not (§4.2)
    TABLE = "tests the pointer to a table"
    VARIES = "it leads to several tables"
    WRITABLE = "the table may change"

    # An argument was folded, or not (§4.2)
    IMPLIED = "the number implies it"
    TESTED = "tested at the entry"
    TESTED_INSIDE = "tested where it is called"
    RENUMBERED = "the call's old number is read"
    READ_OF_CALLER = "the handler reads registers of its caller"
    STILL_READ = "its slot may still be read"
    GUARD_COSTS = "the guard costs more than it saves"
    ONE_ARGUMENT = "one argument, as published"
    RARE_CALL = "the call is not frequent"
    RARE_ARGUMENTS = "its arguments are rare"
    NO_NUMBER = "no free system-call number"
    NO_HANDLER = "the number has no handler"
    NO_PROGRAM = "the program is not known"
    NO_SITE = "its number cannot be changed there"
    CONTRADICTED = "a call passed other values than its site was proved to pass"

    # Passes in place
    KNOWN = "its operand or result is known"
    FEW_MOVED = "a block move of a known, small count"
    DECIDED = "the branch always goes one way"
    NEVER_BACK = "the call never comes back"
    DEAD = "nobody needs it"
    UNREACHABLE = "never reached"
    COLDER = "runs on colder edges only"
    SHORTER = "a shorter equal"
    ONE_FRAME = "one frame"
    FRAMES = "the frames stay"
    DUPLICATED = "cold ways into hot blocks lead to copies"
    GENERAL = "what follows a failing guard is general code of its own"
    GUARD_FIRST = "the guard comes before the calling sequence"
    ENTRY_AGAIN = "the entry is in a loop with a guard"
    WAY_DECIDES = "the way to a test decides it"
    JUMP_TABLE = "a jump table on the hot path"
    FALLS_THROUGH = "hot blocks fall through"

    # The region, and how control leaves it
    ONE_TREE = "one tree"
    NO_TREE = "no tree can be made"
    COSTS_MORE = "costs more than it saves"
    ENTRY = "no way in and out of its own"
    COLD_EDGE = "a cold edge"
    GUARD_FAILS = "a guard fails"
    FAULT = "a fault"
    LOOP = "a loop header"
    CALL = "a call"
    UNSUPPORTED = "an unsupported instruction"
    FLAGS_LOST = "flags that cannot be made again"
    OTHER_CODE = "code of another function"
    GATE_CODE = "the entry's own code"

    # An instruction was made that the input does not have there
    WRITTEN = "written anew"
    HOLE = "room where a return address was"
    GUARD = "guards an indirect call"
    RETURN = "a return that became a jump"
    TAIL = "a tail call that comes back"
    PASSED_ON = "passes on arguments that the number implies"
    VALUE = "computes a value where it is first used"
    MEMORY = "reads or changes memory"
    CONDITION = "decides which way to go"
    MOVED = "brings a value to where it is wanted"
    KEPT = "keeps a value on the stack"
    ESP = "moves esp"
    REBUILT = "rebuilds what the code behind an exit expects"
    DISPATCH = "leads a number to its new call"
    CONNECTED = "the next block lies elsewhere"


class Why(NamedTuple):
    """A reason, and what is special about the case."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)
