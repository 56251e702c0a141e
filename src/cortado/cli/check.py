"""`cortado check`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import cli
from cortado.cli.options import LARGEST_SEED, ItemShape, json_option
from cortado.cli.output import Verdict, show
from cortado.cli.progress import progress_line


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Items in every input.")
@click.option("--data-shape", type=ItemShape(), metavar="CxHxW",
              help="Give random values of this shape to data layers whose source is not here.  [default: refuse them]")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For weights nobody gives, and for inputs.")
@json_option
def check(paths: tuple[Path, ...], batch: int, data_shape: tuple[int, ...] | None, seed: int, as_json: bool) -> None:
    """Read, build and run forward every network in files and folders, or say in one line why not.

    Of a prototxt both phases, of a solver file its networks. The exit code is 1 if one is refused or computes what is
    no finite number.
    """
    from cortado.executor.network_check import NetworkChecker
    from cortado.report.check_report import check_report

    checker = NetworkChecker(batch=batch, seed=seed, data_shape=data_shape or ())
    checks = []
    with progress_line(as_json) as progress:
        for path in paths:
            for found in checker.check(path):
                progress.say(f"{found.file}: {found.role}")
                checks.append(found)
    show(check_report(tuple(checks)), as_json)
    bad = sum(found.refused is not None or bool(found.not_finite) for found in checks)
    if bad:
        raise Verdict(f"every network must run, {bad} of {len(checks)} {'does' if bad == 1 else 'do'} not")
