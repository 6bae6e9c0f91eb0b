"""How the command ends: a few exit statuses, and one line on stderr for each way to fail.

Verbs raise `Failed`, `Wrong` or `Lacking`; `ending` also knows what Ctrl-C, a closed pipe and a full disk mean.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

OK = 0
FAILED = 1  # a check failed
WRONG = 2  # wrong usage or a bad input file
LACKING = 3  # the environment lacks something
DEFECT = 70  # of Hotpath itself, as sysexits.h has it
INTERRUPTED = 130  # by Ctrl-C
LONGEST = 320  # characters of a line that says what went wrong
TRACEBACK = "HOTPATH_TRACEBACK"  # of the environment: defects are shown as Python shows them
UNREAD = 141  # nobody reads the output any more, as SIGPIPE would end us


class Failed(click.ClickException):
    """A check failed: the kernel died, the behavior differs."""

    exit_code = FAILED


class Wrong(click.ClickException):
    """The command line or an input file is wrong."""

    exit_code = WRONG


class Defect(click.ClickException):
    """Hotpath itself is wrong."""

    exit_code = DEFECT


class Lacking(click.ClickException):
    """Something that the verb needs is not installed."""

    exit_code = LACKING


def ending(work: Callable[[], object]) -> int:
    """Do the work and return its exit status, having said in one line what went wrong."""
    try:
        result = work()
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _say(_message(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        return UNREAD
    except ModuleNotFoundError as error:
        return _say(f"the Python package {error.name} is not installed (see hotpath doctor)", LACKING)
    except OSError as error:
        _drop_output()
        return _say(f"{error.filename or 'output'}: {error.strerror or error}", LACKING)
    except MemoryError:
        return _say("not enough memory", LACKING)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _say(_place(error), DEFECT)
    return result if isinstance(result, int) else OK


def _place(error: Exception) -> str:
    """What nobody expected, and where: somebody will have to look for it."""
    import traceback

    where = traceback.extract_tb(error.__traceback__)[-1]
    words = " ".join(f"{type(error).__name__}: {error}".removesuffix(": ").split())
    place = f"{Path(where.filename).parent.name}/{Path(where.filename).name}:{where.lineno}"
    return f"a defect of Hotpath, at {place}, {words} ({TRACEBACK}=1 shows all of it)"


def _message(error: click.ClickException) -> str:
    """click's own words in one line, with the verb they are about."""
    words = " ".join(error.format_message().split())
    if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2
        words = "Missing command"  # instead of the whole help
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{words.rstrip('.')} (see {error.ctx.command_path} --help)"
    return words


def _say(line: str, status: int) -> int:
    print(f"hotpath: {readable(line)}", file=sys.stderr)
    return status


def readable(text: str) -> str:
    """One line for a terminal, whatever names a file gave to things: nothing that it would obey, and no pages."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 60]} … {line[-50:]}"


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that Python does not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
