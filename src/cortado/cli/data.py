"""`cortado data`."""

from __future__ import annotations

import click

from cortado.cli.group import Commands, cli
from cortado.cli.options import json_option
from cortado.cli.output import show
from cortado.cli.progress import progress_line


@cli.group(cls=Commands)
def data() -> None:
    """Files from outside: trained weights, names of classes, data of the workloads.

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
    """Fetch a data file, or all that belong together, unless here, check them, and print their paths."""
    from cortado.frontends.data_store import fetch, file_names

    files = file_names(name)
    with progress_line(as_json, f"asking for {name}") as progress:
        for number, file in enumerate(files, 1):
            words = name if len(files) == 1 else f"{file}, {number} of {len(files)}"
            fetch(file, lambda there, size, words=words: progress.say(f"{words}: {there:,} of {size:,} bytes"))
    _show_data(files, as_json)


@data.command(name="path")
@click.argument("name")
@json_option
def data_path(name: str, as_json: bool) -> None:
    """Print the path of a data file that is here, or of all that belong together."""
    from cortado.frontends.data_store import file_names, path_to

    files = file_names(name)
    for file in files:
        path_to(file)
    _show_data(files, as_json)


def _show_data(files: tuple[str, ...], as_json: bool) -> None:
    from cortado.frontends.data_file import data_files
    from cortado.frontends.data_store import place_of
    from cortado.report.data_report import data_report

    if as_json:
        show(data_report(files), as_json)
    else:
        click.echo("\n".join(str(place_of(data_files[file])) for file in files))
