"""The entry: every command, and errors as one message."""

from __future__ import annotations

import json
import os
import signal
import sys

import click

from cortado.cli.group import cli
from cortado.cli.output import Verdict
from cortado.errors import CortadoError

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit."""
    as_json = "--json" in sys.argv
    # Whoever ends the program ends what it started too, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(cli.main(standalone_mode=False))
    except CortadoError as error:
        _fail(error, as_json)
    except MemoryError as error:
        _fail(CortadoError(f"this machine must have memory for the run; use a smaller batch ({error})"), as_json)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; there is nothing left to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _fail(error: CortadoError, as_json: bool) -> None:
    if as_json and not isinstance(error, Verdict):
        click.echo(json.dumps({"error": {"type": type(error).__name__, "message": str(error)}}))
    click.echo(f"error: {error}", err=True)
    sys.exit(1)
