"""`cortado bench-new`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import cli
from cortado.cli.options import json_option
from cortado.cli.output import show


def _arguments(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE`, each as a name and the text behind it."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, text = (part.strip() for part in value.partition("="))
        if not equals or not name.isidentifier() or not text:
            raise click.BadParameter(f"{value!r} must be a name and a value, as in beat_bits=64")
        if name in found:
            raise click.BadParameter(f"argument '{name}' must be given once, not as {name}={found[name]} and "
                                     f"{name}={text}")
        found[name] = text
    return found


@cli.command("bench-new")
@click.argument("component")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write.  [default: bench_COMPONENT.py]")
@click.option("--with", "arguments", multiple=True, callback=_arguments, metavar="NAME=VALUE",
              help="Argument of the component, as beat_bits=64 or 'shape=signed(8)'; again for each.")
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def bench_new(component: str, path: Path | None, arguments: dict[str, str], force: bool, as_json: bool) -> None:
    """Write a cocotb bench to start from, for a part of the engine or any Amaranth component.

    COMPONENT is a part by name (relu, stream_reader), or package.module:Class. The bench has a driver for each input,
    a monitor and a checker for each output, stalls, and a place for the model: what the circuit must answer.
    """
    from cortado.report.bench_new_report import bench_new_report
    from cortado.simulation.new_bench import NewBench, find_component, save

    bench = NewBench(component=find_component(component), arguments=arguments)
    path = path or Path(f"bench_{bench.file_stem}.py")
    save(bench, path, force=force)
    show(bench_new_report(bench, path), as_json)
