"""`hotpath run` and the nine phase verbs: the same generator, driven to its end or up to one phase."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from rewriter.options import Options
from rewriter.report import PHASES, STAGES, PhaseResult, Stage
from tui import choices, document, exits, files, system
from tui.interrupt import interruptible
from tui.progress import Progress
from tui.verbs.ablation import ABLATION, ablated
from tui.verbs.explain import EXPLAIN, explained


@click.command(short_help="All nine phases: profile, specialize, measure.")
@click.option("--until", type=click.Choice(PHASES), metavar="PHASE", help="The last phase to run.")
@choices.choices
def run(until: str | None, save: Path | None, as_json: bool, plain: bool, **chosen: Any) -> int:
    """Run the nine phases: profile a kernel, specialize it, measure what that bought.

    Exit status 1 if the specialized kernel does not behave as the original.
    """
    return short(choices.options(until=until, **chosen), save, as_json, plain)


def short(options: Options, save: Path | None = None, as_json: bool = False, plain: bool = False) -> int:
    """All phases, each in short as soon as it is done."""
    done = []
    for result in results(options, save, quiet=plain):
        done.append(result)
        if not as_json:
            _print(result, plain, detail=False)
    if as_json:
        click.echo(document.text(document.run_document(options, done)))
    return _checked(done)


def verb(stage: Stage) -> click.Command:
    """The verb of one phase: what it needs runs too, and is not shown."""

    @choices.choices
    def only(
        save: Path | None,
        as_json: bool,
        plain: bool,
        explain: str | None = None,
        ablation: bool = False,
        **chosen: Any,
    ) -> int:
        options = choices.options(until=stage.name, **chosen)
        if ablation:
            return ablated(options, as_json=as_json, plain=plain)
        if explain is not None:
            return explained(explain, as_published=options.as_published, as_json=as_json, plain=plain)
        done = list(results(options, save, quiet=plain))
        if as_json:
            click.echo(document.text(document.phase_document(options, done[-1])))
        else:
            _print(done[-1], plain, detail=True)
        return _checked(done)

    text = f"{stage.title} ({stage.section}).\n\nRuns the phases up to {stage.name}, and shows that one in detail."
    command = click.command(name=stage.name, help=text, short_help=f"{stage.title}.")(only)
    own = OWN.get(stage.name)
    return own(command) if own is not None else command


OWN = {"specialize": EXPLAIN, "measure": ABLATION}  # options of one phase alone
PHASE_VERBS = tuple(verb(stage) for stage in STAGES)


def results(options: Options, save: Path | None = None, quiet: bool = False) -> Iterator[PhaseResult]:
    """What the pipeline yields on the toy kernel; Ctrl-C ends it, progress is on stderr."""
    from rewriter import pipeline

    toy = system.toy()
    system.known(options.commands, toy.programs)
    with interruptible() as cancelled, Progress(quiet) as say, system.errors_in_one_line():
        for result in pipeline.run(options, toy, say, cancelled):
            say("")
            if save is not None:
                files.write_all(save, result.files)
            yield result


def _print(result: PhaseResult, plain: bool, detail: bool) -> None:
    from tui import render
    from tui.paper import Paper

    paper = Paper(plain)
    paper.print(render.phase(result, paper.look(detail), listings=detail))


def _checked(done: list[PhaseResult]) -> int:
    """The exit status: a kernel that behaves differently is a failed check."""
    for result in done:
        behavior = result.summary.get("behavior")
        if isinstance(behavior, dict) and not behavior["same"]:
            raise exits.Failed("the specialized kernel does not behave as the original (see hotpath measure)")
    return exits.OK
