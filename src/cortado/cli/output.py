"""What a command says: a report on standard output, a verdict as its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

import click

from cortado.errors import CortadoError

# Rooms are imported inside the commands: torch and amaranth take seconds, and help must not wait for them.
if TYPE_CHECKING:
    from cortado.report.report import Report


class Verdict(CortadoError):
    """The bad end of a command whose report has been printed: the message goes to standard error only."""


def show(report: Report, as_json: bool) -> None:
    """Print a report."""
    try:
        if as_json:
            click.echo(report.to_json())
            return
        from rich.console import Console

        # A pipe gets whole lines: a program that reads them knows no width.
        report.print(Console() if is_terminal(sys.stdout) else Console(width=200))
    except BrokenPipeError:
        raise
    except OSError as error:
        click.echo(f"error: standard output must take the report, not refuse with '{error.strerror}'", err=True)
        sys.exit(1)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it; a stream that was closed before we began is None."""
    return stream is not None and stream.isatty()
