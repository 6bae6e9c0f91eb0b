"""From assembly text to a function of blocks: how probes are written down.

One instruction or `label:` a line, Intel syntax, `# comment`; `$name` is replaced by a value, `{label}` names
something in the program.  Labels inside the text are local; branches name them plainly.
"""

from __future__ import annotations

from string import Template

from rewriter.ir import Block, Function, Insn
from rewriter.x86.encode import assemble, branch, call, jump
from rewriter.x86.flow import Flow, flow

_ENDS = (Flow.JUMP, Flow.JUMP_INDIRECT, Flow.RETURN, Flow.IRET, Flow.STOP)


def function(name: str, text: str, **values: int | str) -> Function:
    """The function `name` with the blocks of `text`."""
    return Function(name, _blocks(name, Template(text).substitute(values)))


def lines_of(text: str) -> list[str]:
    """The lines that say something, without comments."""
    stripped = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in stripped if line]


def _blocks(name: str, text: str) -> list[Block]:
    lines = lines_of(text)
    labels = {line[:-1]: f"{name}.{line[:-1]}" for line in lines if line.endswith(":")}
    blocks = [Block(name, [])]
    for line in lines:
        if line.endswith(":"):
            _begin(blocks, labels[line[:-1]])
            continue
        if blocks[-1].insns and flow(blocks[-1].insns[-1].raw) is not Flow.NEXT:
            _begin(blocks, f"{name}.{len(blocks)}")
        blocks[-1].insns.append(_insn(line, labels))
    return blocks


def _begin(blocks: list[Block], label: str) -> None:
    """Start a new block, which the last one falls to unless it ends otherwise."""
    if blocks[-1].insns and flow(blocks[-1].insns[-1].raw) not in _ENDS:
        blocks[-1].falls_to = label
    blocks.append(Block(label, []))


def _insn(line: str, labels: dict[str, str]) -> Insn:
    mnemonic, _, operand = line.partition(" ")
    target = labels.get(operand.strip()) or _symbol(operand.strip())
    if target is None:
        (insn,) = assemble([line])
        return insn
    if mnemonic == "jmp":
        return jump(target)
    return call(target) if mnemonic == "call" else branch(mnemonic[1:], target)


def _symbol(operand: str) -> str | None:
    """The label in `{label}`, where that is all."""
    return operand[1:-1] if operand.startswith("{") and operand.endswith("}") else None
