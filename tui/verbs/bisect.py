"""`hotpath bisect`: which pass, on which function, makes a program or a kernel do something else?"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui import choices, document, exits, files, system
from tui.interrupt import interruptible
from tui.progress import Progress

if TYPE_CHECKING:
    from rewriter.alongside import Pair, Side
    from rewriter.bisection import Culprit
    from rewriter.passes.steps import Edit, Steps

SECONDS = 10.0
MOST = 20_000_000  # instructions that are followed
SHOWN = 6  # lines of a change that has more


@click.command(short_help="Which pass, on which function, does harm?")
@click.argument("program", type=click.Path(dir_okay=False, path_type=Path), required=False, metavar="[PROGRAM.elf")
@click.argument("arguments", nargs=-1, metavar="ARGUMENT…]")
@choices.PROGRAM
@click.option("--pass", "passes", multiple=True, metavar="NAME", help="Only this pass; may be repeated.")
@choices.JSON
@choices.PLAIN
def bisect(
    program: Path | None,
    arguments: tuple[str, ...],
    commands: tuple[str, ...],
    passes: tuple[str, ...],
    as_json: bool,
    plain: bool,
) -> int:
    """Run every pass over a program of this system, or over the kernel for -p; where it behaves otherwise than before,
    find the first step that makes it so, by halves, and the first instruction that differs.

    Exit status 1 if it behaves otherwise.
    """
    if program is not None and commands:
        raise exits.Wrong("a program of this system goes without --program")
    if program is not None:
        found, pair = _native(program, arguments, passes, plain)
    else:
        found, pair = _kernel(commands, passes, plain)
    if as_json:
        click.echo(document.text(_row(found, pair)))
    if found is None:
        if not as_json:
            click.echo("no difference")
        return exits.OK
    if not as_json:
        for line in _lines(found, pair):
            click.echo(line)
    raise exits.Failed(_sentence(found))


def _native(
    path: Path, arguments: Sequence[str], passes: Sequence[str], quiet: bool
) -> tuple[Culprit[bytes] | None, Pair | None]:
    from rewriter.alongside import Map, first_difference
    from rewriter.bisection import culprit
    from rewriter.elf import emit, load
    from rewriter.elf.follow import is_kernel
    from rewriter.passes.everywhere import NAMES, everywhere
    from tui import ptrace

    image = files.read(path)
    names = _known(passes, NAMES)
    with system.errors_in_one_line(path):
        kernel = is_kernel(load(image))
    if kernel:
        raise exits.Wrong(f"{path}: a kernel, which is no program of this system (--program takes the one built in)")

    def build(steps: Steps) -> bytes:
        made = load(image)
        everywhere(made, names, steps)
        return emit(made)

    with Progress(quiet) as say:
        try:
            expected = _ran(image, arguments)
        except subprocess.TimeoutExpired:
            raise exits.Wrong(f"{path}: does not end within {SECONDS:g} s") from None
        except OSError as error:
            raise exits.Lacking(f"{path}: cannot be run here: {error.strerror}") from None
        found = culprit(build, lambda made: _otherwise(expected, made, arguments), say)
        if found is None or found.good is None or found.bad is None:
            return found, None
        say("following both, instruction by instruction")
        try:
            traces = [ptrace.steps(made, arguments, MOST) for made in (found.good, found.bad)]
            return found, first_difference(Map(load(found.good)), Map(load(found.bad)), *traces)
        except OSError:
            return found, None  # this system lets nobody be followed


def _kernel(commands: tuple[str, ...], passes: Sequence[str], quiet: bool) -> tuple[Culprit[Any] | None, Pair | None]:
    from rewriter.bisect_kernel import Suspects
    from rewriter.options import Options
    from rewriter.phases.order import ALL_PASSES

    names = _known(passes, ALL_PASSES)
    toy = system.toy()
    lines = system.known(choices.training(commands), toy.programs)
    options = Options(
        program=lines[-1].split()[0],
        commands=lines,
        without=frozenset(ALL_PASSES) - set(names) if passes else frozenset(),
    )
    with interruptible() as cancelled, Progress(quiet) as say, system.errors_in_one_line():
        suspects = Suspects(options, toy, say, cancelled)
        found = suspects.culprit()
        if found is None or found.good is None or found.bad is None:
            return found, None
        say("following both, instruction by instruction")
        return found, suspects.first_difference(found.good, found.bad)


def _known(passes: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    for name in passes:
        if name not in names:
            raise exits.Wrong(f"no pass is called {name!r}; there are {', '.join(names)}")
    return passes or names


def _ran(image: bytes, arguments: Sequence[str]) -> tuple[bytes, int]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "program")
        path.write_bytes(image)
        path.chmod(0o755)
        command = [str(path), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    return done.stdout, done.returncode


def _otherwise(expected: tuple[bytes, int], image: bytes, arguments: Sequence[str]) -> str | None:
    try:
        output, status = _ran(image, arguments)
    except subprocess.TimeoutExpired:
        return "it does not end"
    if status != expected[1]:
        return f"its exit status is {status}, was {expected[1]}"
    if output == expected[0]:
        return None
    lines = zip(expected[0].splitlines(), output.splitlines(), strict=False)
    at = next((n for n, (was, now) in enumerate(lines, 1) if was != now), 0)
    return f"its output differs{f' in line {at}' if at else ' in length'}"


# What is shown


def _sentence(found: Culprit[Any]) -> str:
    if found.step is None:
        return f"no pass: read and written again, {found.why}"
    edit = f", edit {found.part} of {found.step.parts}" if found.part else ""
    where = f"{found.step.pass_name} on {found.step.function}"
    return f"{where} (step {found.number} of {found.total}{edit}; {found.runs} runs): {found.why}"


def _lines(found: Culprit[Any], pair: Pair | None) -> Iterable[str]:
    if found.name:
        yield found.name
    for edit in found.edits[:SHOWN]:
        yield f"{edit.label}: {_insns(edit.before)}  ⇒  {_insns(edit.after)}"
    if len(found.edits) > SHOWN:
        yield f"… and {len(found.edits) - SHOWN} more changes"
    if pair is not None:
        yield f"first difference, after {pair.after:,} instructions:"
        yield f"    {_side(pair.good)}  |  {_side(pair.bad)}"


def _insns(insns: Sequence[Any]) -> str:
    from rewriter.show import instruction

    shown = "; ".join(instruction(insn) for insn in insns[:SHOWN])
    return (shown + ("; …" if len(insns) > SHOWN else "")) or "(nothing)"


def _side(side: Side | None) -> str:
    if side is None:
        return "(ended)"
    return f"{side.where}: {side.text}" + (f"  [{side.reads}]" if side.reads else "")


def _row(found: Culprit[Any] | None, pair: Pair | None) -> dict[str, object]:
    head: dict[str, object] = {"schema": "hotpath.bisect/1", "same": found is None}
    if found is None:
        return head
    head |= {"why": found.why, "step": found.number, "steps": found.total, "runs": found.runs}
    if found.step is not None:
        head |= {"pass": found.step.pass_name, "function": found.step.function}
        head |= {
            "name": found.name,
            "edit": found.part,
            "edits": found.step.parts,
            "changes": [_change(edit) for edit in found.edits],
        }
    if pair is not None:
        sides = {"good": pair.good, "bad": pair.bad}
        head["first"] = {"after": pair.after, **{name: _shown(side) for name, side in sides.items()}}
    return head


def _change(edit: Edit) -> dict[str, object]:
    from rewriter.show import instruction

    return {
        "block": edit.label,
        "before": [instruction(insn) for insn in edit.before],
        "after": [instruction(insn) for insn in edit.after],
    }


def _shown(side: Side | None) -> dict[str, str] | None:
    return None if side is None else {"where": side.where, "instruction": side.text, "reads": side.reads}
