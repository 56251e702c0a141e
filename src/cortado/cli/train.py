"""`cortado train`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from cortado.cli.group import cli
from cortado.cli.options import LARGEST_SEED, json_option, key_value, known_device, network_state_options
from cortado.cli.output import show
from cortado.cli.stop import stop_on_signals

# Rooms are imported inside the command: torch takes seconds, and help must not wait for it.
if TYPE_CHECKING:
    from cortado.frontends.solver_file import SolverFile
    from cortado.net.net import Net

STOPPED = 130


@cli.command()
@click.option("--solver", type=click.Path(path_type=Path), required=True, help="A solver file (solver.prototxt).")
@click.option("--weights", type=click.Path(path_type=Path), multiple=True,
              help="Begin with the layers of a .caffemodel instead of the file's fillers; may be given repeatedly.")
@click.option("--snapshot", type=click.Path(path_type=Path), help="Go on from a .solverstate.")
@network_state_options
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Where the solver file has no random_seed.  "
              "[default: drawn, and told]")
@click.option("--tensorboard", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Write TensorBoard's logs there (its package: pip install 'cortado[tensorboard]').")
@click.option("--fpga-device", callback=known_device, metavar="NAME|URL",
              help="Run the layers an engine takes forward on this device, in integers; backward stays in float.")
@click.option("--engine", "fields", multiple=True, callback=key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, with --fpga-device.")
@json_option
def train(solver: Path, weights: tuple[Path, ...], snapshot: Path | None, stages: tuple[str, ...], level: int | None,
          seed: int | None, tensorboard: Path | None, fpga_device: str | None, fields: dict[str, int],
          as_json: bool) -> None:
    """Train a network as a solver file says, with its tests and snapshots.

    What it says on the way goes to standard error. Ctrl-C ends it after the iteration, with a snapshot. Under torchrun
    (torchrun --nproc-per-node 2 -m cortado train ...) the processes share the data and average their gradients.
    """
    if snapshot is not None and weights:
        raise click.UsageError("--snapshot and --weights exclude each other: a snapshot has its weights")
    if fields and fpga_device is None:
        raise click.UsageError("--engine is the configuration of the engine on --fpga-device, which must be given too")
    from cortado.frontends.caffemodel import read_caffemodel
    from cortado.frontends.solver_file import read_solver
    from cortado.report.solver_lines import event_lines
    from cortado.report.train_report import Training, train_report
    from cortado.solver.event import Event
    from cortado.solver.processes import process_count, process_group, process_rank
    from cortado.solver.solver import Solver
    from cortado.solver.tensorboard_log import TensorBoardLog

    file, put_on_fpga = _with_fpga(read_solver(solver, stages=stages, level=level), fpga_device, fields)
    events: list[Event] = []

    def say(event: Event) -> None:
        events.append(event)
        for line in event_lines(event, with_test_loss=file.spec.test_compute_loss):
            click.echo(line, err=True)

    begin = perf_counter()
    with process_group(), ExitStack() as closing:
        log = TensorBoardLog(tensorboard) if tensorboard is not None and process_rank() == 0 else None
        if log is not None:
            closing.callback(log.close)
        training = Solver(file, seed=seed, listeners=(say, log) if log else (say,))
        closing.callback(put_on_fpga(training.net))
        copied = tuple(name for path in weights for name in training.copy_from(read_caffemodel(path)))
        if snapshot is not None:
            training.restore(snapshot)
        elif not weights:
            copied = training.copy_named_weights()
        first = training.iteration
        with stop_on_signals() as stop:
            training.solve(should_stop=stop)
        stopped = training.iteration < file.spec.max_iter and not training.finished
        if process_rank() == 0:
            show(train_report(Training(
                network=training.net.spec.name, rule=file.spec.rule, seed=training.seed, processes=process_count(),
                begin=first, end=training.iteration, stopped=stopped, copied_layers=copied, events=tuple(events),
                seconds=perf_counter() - begin)), as_json)
    if stopped:
        sys.exit(STOPPED)


def _with_fpga(file: SolverFile, device_name: str | None,
               fields: dict[str, int]) -> tuple[SolverFile, Callable[[Net], Callable[[], None]]]:
    """The file as an engine can take it, and what puts its layers on the device and gives what closes it again."""
    if device_name is None:
        return file, lambda net: lambda: None
    from cortado.device.device import DeviceOptions, open_device
    from cortado.engines.engine import engine_types
    from cortado.executor.mixed_pipeline import DEFAULT_ENGINE
    from cortado.executor.straight_through import fpga_training, put_on_device

    file, cut = fpga_training(file, engine_types[DEFAULT_ENGINE].from_fields(fields))
    click.echo(f"on {device_name}: {', '.join(cut.fpga_layers) or 'no layer'}", err=True)

    def put(net: Net) -> Callable[[], None]:
        device = open_device(device_name, DeviceOptions())
        put_on_device(net, cut, device)
        return device.close

    return file, put
