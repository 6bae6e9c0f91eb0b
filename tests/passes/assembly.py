"""Programs for tests, written as assembly.

    sys_twice:                  a label without a dot in front begins a function
        mov eax, [esp + 4]
        test eax, eax
        je .zero                local to the function: the block is called `sys_twice.zero`
        mov ecx, [eax] !.zero   may fault on user memory, and continues at .zero then
        call helper
    .zero:
        ret

`words` lists words of the datum `data`: a number, or a label; `fixed` those of another of that name, read-only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rewriter.analysis.arithmetic import CONDITIONS
from rewriter.ir import Block, Data, Function, Insn, Program, Ref, RefKind
from rewriter.x86.encode import assemble, branch, call, jump
from rewriter.x86.flow import CALLS, Flow, flow

FALLING = (Flow.NEXT, Flow.BRANCH, *CALLS)


def program(text: str, words: Sequence[int | str] = (), room: int = 256, fixed: Sequence[int | str] = ()) -> Program:
    """Assemble; `room` is how many zero bytes follow the words in `data`."""
    functions: list[Function] = []
    for line in (part.split(";")[0].strip() for part in text.splitlines()):
        if line.endswith(":"):
            _begin(functions, line[:-1])
        elif line:
            _add(functions, line)
    for function in functions:
        _join(function)
    data = [Data("data", None, *_words(words), zero_size=room)]
    if fixed:
        data.append(Data("fixed", None, *_words(fixed), writable=False))
    return Program(functions, data, functions[0].name)


def _words(words: Sequence[int | str]) -> tuple[bytes, dict[int, Ref]]:
    refs = {4 * n: Ref(4 * n, RefKind.ABS32, w) for n, w in enumerate(words) if isinstance(w, str)}
    return b"".join(bytes(4) if isinstance(w, str) else (w & 0xFFFFFFFF).to_bytes(4, "little") for w in words), refs


def _begin(functions: list[Function], label: str) -> None:
    if not label.startswith("."):
        functions.append(Function(label, []))
    name = functions[-1].name
    functions[-1].blocks.append(Block(name + label if label.startswith(".") else label, []))


def _add(functions: list[Function], line: str) -> None:
    function = functions[-1]
    if function.blocks[-1].insns and _ends(function.blocks[-1].insns[-1]):
        function.blocks.append(Block(f"{function.name}.after{len(function.blocks)}", []))
    function.blocks[-1].insns.append(instruction(line, function.name))


def instruction(line: str, name: str = "") -> Insn:
    """One instruction; labels with a dot in front belong to the function `name`."""
    line, _, fixup = line.partition("!")
    line = re.sub(r"(?<![\w}])\.(?=[a-z])", name + ".", line.strip())
    mnemonic, _, operand = line.partition(" ")
    label = re.fullmatch(r"[A-Za-z_][\w.$]*", operand) and operand not in (
        "eax",
        "ecx",
        "edx",
        "ebx",
        "esi",
        "edi",
        "ebp",
    )
    if mnemonic == "jmp" and label:
        made = jump(operand)
    elif mnemonic == "call" and label:
        made = call(operand)
    elif mnemonic.startswith("j") and mnemonic[1:] in CONDITIONS:
        made = branch(mnemonic[1:], operand)
    else:
        (made,) = assemble([line])
    return replace(made, faults_to=fixup.strip().replace(".", name + ".", 1)) if fixup else made


def _ends(insn: Insn) -> bool:
    return flow(insn.raw) is not Flow.NEXT or insn.faults_to is not None


def _join(function: Function) -> None:
    following = [block.label for block in function.blocks[1:]]
    for block, after in zip(function.blocks, [*following, None], strict=True):
        last = flow(block.insns[-1].raw) if block.insns else Flow.NEXT
        block.falls_to = after if last in FALLING else None
