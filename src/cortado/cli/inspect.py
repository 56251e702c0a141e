"""`cortado inspect`."""

from __future__ import annotations

from typing import Any

import click

from cortado.cli.group import cli
from cortado.cli.options import DEFAULT_MODEL, json_option, model_options, or_engine_options
from cortado.cli.output import show
from cortado.cli.pipeline import pipeline_of


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@model_options
@or_engine_options
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures the costs are for.")
@click.option("--mapping", is_flag=True, help="Say how the engine runs each FPGA layer, and what else was weighed.")
@json_option
def inspect(model: str, batch: int, mapping: bool, as_json: bool, **options: Any) -> None:
    """Say which layer runs where, and why not on the FPGA."""
    from cortado.report.inspect_report import inspect_report

    show(inspect_report(pipeline_of(model, batch, options).cut, with_mapping=mapping), as_json)
