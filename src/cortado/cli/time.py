"""`cortado time`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import cli
from cortado.cli.options import DEFAULT_MODEL, LARGEST_SEED, json_option, network_state_options
from cortado.cli.output import show


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("--weights", type=click.Path(path_type=Path), help="A .caffemodel or .net instead of the model's own.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures in a pass.")
@click.option("--repeats", type=click.IntRange(1), default=10, show_default=True, help="Passes of each.")
@click.option("--phase", type=click.Choice(["TRAIN", "TEST"]), default="TEST", show_default=True,
              help="Phase of the network.")
@network_state_options
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For weights nobody gives.")
@json_option
def time(model: str, weights: Path | None, batch: int, repeats: int, phase: str, stages: tuple[str, ...],
         level: int | None, seed: int, as_json: bool) -> None:
    """Time a model's float layers on the host, forward and backward, against the same net as plain torch modules, in
    turns.
    """
    from cortado.executor.host_time import time_on_host
    from cortado.frontends.model import load_model
    from cortado.net.net import Net
    from cortado.report.time_report import time_report

    # The network as its file has it: what passes make of it for an engine is not what is timed here.
    loaded = load_model(model, phase=phase, weights=weights, stages=stages, level=level)
    net = Net(loaded.spec, loaded.weights, batch=batch, seed=seed)
    show(time_report(net.spec.name, time_on_host(net, repeats=repeats, seed=seed)), as_json)
