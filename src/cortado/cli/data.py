"""`cortado data`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import Commands, cli
from cortado.cli.options import json_option
from cortado.cli.output import show
from cortado.cli.progress import progress_line


@cli.group(cls=Commands)
def data() -> None:
    """Files from outside: trained weights, names of classes.

    They are kept in the folder that CORTADO_DATA names, else in ~/.cache/cortado/data.
    """


@data.command(name="list")
@json_option
def data_list(as_json: bool) -> None:
    """List the data files, and whether they are here."""
    from cortado.report.data_report import data_report

    show(data_report(), as_json)


@data.command(name="get")
@click.argument("name")
@json_option
def data_get(name: str, as_json: bool) -> None:
    """Fetch a data file unless it is here, check it, and print its path."""
    from cortado.frontends.data_store import fetch

    with progress_line(as_json, f"asking for {name}") as progress:
        _show_data(name, fetch(name, lambda there, size: progress.say(f"{name}: {there:,} of {size:,} bytes")), as_json)


@data.command(name="path")
@click.argument("name")
@json_option
def data_path(name: str, as_json: bool) -> None:
    """Print the path of a data file that is here."""
    from cortado.frontends.data_store import path_to

    _show_data(name, path_to(name), as_json)


def _show_data(name: str, path: Path, as_json: bool) -> None:
    from cortado.report.data_report import data_report

    if as_json:
        show(data_report((name,)), as_json)
    else:
        click.echo(path)
