"""A generated image of any size, for what must grow no faster than its input: functions, calls, branches, tables.

`python -m tests.random_c.big INSTRUCTIONS FILE` writes one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.random_c import native

SIZE = 60  # instructions of a function, about
WORDS = 4096
# Every function takes a hash in eax and returns one; `{n}` is a number of its own, {c} a constant, {w} a data offset.
STEPS = (
    "addl ${c}, %eax",
    "imull $0x01000193, %eax, %eax",
    "roll $5, %eax",
    "xorl words+{w}, %eax",
    "movl %eax, words+{w}",
    "leal {c}(%eax,%eax,2), %eax\nmovzbl %al, %ecx\naddl words+{w}(,%ecx,4), %eax",
    "movl pointer{p}, %ecx\nxorl (%ecx), %eax",
    "pushl %ebx\nmovl %eax, %ebx\nshrl $3, %ebx\nsubl %ebx, %eax\npopl %ebx",
    "call leaf{l}",
    "testb $4, %al\nje 1f\nincl %eax\nxorl ${c}, %eax\n1:",
    "cmpl ${c}, %eax\njb 1f\nnotl %eax\njmp 2f\n1:\naddl words+{w}, %eax\n2:",
    "movl $3, %ecx\n1:\nroll $1, %eax\naddl ${c}, %eax\ndecl %ecx\njne 1b",
    "movl %eax, %ecx\nandl $3, %ecx\njmp *table{n}(,%ecx,4)\n"
    "a{n}: addl $1, %eax\njmp 1f\nb{n}: notl %eax\njmp 1f\nc{n}: roll $7, %eax\n1:\n"
    ".pushsection .rodata\n.balign 4\ntable{n}: .long a{n}, b{n}, c{n}, 1b\n.popsection",
    "movl %eax, %ecx\nandl $1, %ecx\ncall *leaves+{q}(,%ecx,4)",
)
START = """.globl _start
.type _start, @function
_start:
    xorl %eax, %eax
    movl $functions, %esi
1:  call *(%esi)
    addl $4, %esi
    cmpl $functions_end, %esi
    jne 1b
    movl %eax, %ebx
    shrl $16, %eax
    xorl %eax, %ebx
    andl $127, %ebx
    movl $1, %eax
    int $0x80
.size _start, . - _start
"""


def assembly(instructions: int) -> str:
    """The source of a program of at least so many instructions, all of which may be reached, in one section."""
    source = random.Random(instructions)
    lines = [".text", START]
    written, functions = 0, 0
    while written < instructions:
        body = list(_body(source, functions))
        kind = "leaf" if functions < 16 else "f"
        lines += _function(f"{kind}{functions}", body)
        written += 1 + sum(map(_instructions, body))
        functions += 1
    leaves = ", ".join(f"leaf{n}" for n in range(16))
    others = "\n".join(f".long f{n}" for n in range(16, functions))
    pointers = "\n".join(f"pointer{n}: .long words+{4 * source.randrange(WORDS)}" for n in range(64))
    lines += [".section .rodata", f"leaves: .long {leaves}", f"functions:\n{others}\nfunctions_end:"]
    lines += [".data", pointers, f"words: .fill {WORDS + 256}, 4, 0x12345678"]
    return "\n".join(lines) + "\n"


def big(instructions: int) -> bytes:
    """The image.  Raises native.BuildError."""
    return native.build({"big.s": assembly(instructions)})


def _body(source: random.Random, function: int) -> Iterator[str]:
    """Steps of one function; the first functions call nothing, the others call those."""
    written, step = 0, 0
    while written < SIZE:
        text = source.choice(STEPS)
        if function < 16 and "call" in text:
            continue
        yield text.format(
            n=f"{function}_{step}",
            c=source.getrandbits(30),
            w=4 * source.randrange(WORDS),
            p=source.randrange(64),
            l=source.randrange(16),
            q=4 * source.randrange(15),
        )
        written += _instructions(text)
        step += 1


def _function(name: str, body: list[str]) -> list[str]:
    return [".balign 16", f".type {name}, @function", f"{name}:", *body, "ret", f".size {name}, . - {name}"]


def _instructions(text: str) -> int:
    return sum(not line.startswith(".") and not line.endswith(":") and ": ." not in line for line in text.split("\n"))


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(big(int(sys.argv[1])))
