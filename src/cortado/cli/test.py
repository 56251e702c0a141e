"""`cortado test`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import cli
from cortado.cli.options import DEFAULT_MODEL, LARGEST_SEED, json_option, network_state_options
from cortado.cli.output import show


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("--weights", type=click.Path(path_type=Path), help="A .caffemodel or .net instead of the model's own.")
@click.option("--iterations", type=click.IntRange(1), default=50, show_default=True, help="Batches to run.")
@network_state_options
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For weights nobody gives, and whatever else is drawn.")
@json_option
def test(model: str, weights: Path | None, iterations: int, stages: tuple[str, ...], level: int | None, seed: int,
         as_json: bool) -> None:
    """Score a network of phase TEST on the data its own layers read: the mean of its outputs.

    Each batch's outputs go to standard error. The network with its data is often a stage:
    cortado test digits --stage held-out --iterations 6
    """
    from cortado.frontends.model import load_model
    from cortado.net.net import Net
    from cortado.report.score_report import score_report
    from cortado.report.solver_lines import output_lines
    from cortado.solver.random_state import seed_everything
    from cortado.solver.score import score

    seed_everything(seed)
    loaded = load_model(model, weights=weights, stages=stages, level=level)
    net = Net(loaded.spec, loaded.weights, seed=seed)

    def say(iteration: int, outputs: dict) -> None:
        for line in output_lines(outputs, {}):
            click.echo(f"batch {iteration}, {line}", err=True)

    scores = score(net, iterations, told=say)
    words = loaded.weights_words if loaded.weights is not None else f"drawn from seed {seed}: nobody trained them"
    show(score_report(net.spec.name, words, scores), as_json)
