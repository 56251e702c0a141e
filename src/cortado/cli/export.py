"""`cortado export`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import cli
from cortado.cli.options import DEFAULT_MODEL, LARGEST_SEED, json_option
from cortado.cli.output import show


def _known_suffix(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if path.suffix not in (".onnx", ".prototxt"):
        raise click.BadParameter(f"{str(path)!r} must end in .onnx or .prototxt, which says what is written")
    return path


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("-o", "--output", "path", type=click.Path(path_type=Path, dir_okay=False), required=True,
              callback=_known_suffix, help="A .onnx, or a .prototxt, with its .caffemodel beside it.")
@click.option("--weights", type=click.Path(path_type=Path), help="A .caffemodel or .net instead of the model's own.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For weights nobody gives.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@json_option
def export(model: str, path: Path, weights: Path | None, seed: int, force: bool, as_json: bool) -> None:
    """Write a model as ONNX, or as a prototxt with its caffemodel.

    What is read back computes the same, to the bit. A layer that the format has no word for is refused by name.
    """
    from cortado.executor.export import export_model
    from cortado.frontends.model import load_model
    from cortado.report.export_report import export_report

    exported = export_model(load_model(model, weights=weights), path, seed=seed, force=force)
    show(export_report(exported.net, exported.weights, exported.files, seed=exported.seed), as_json)
