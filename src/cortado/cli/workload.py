"""`cortado workload`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cortado.cli.group import Commands, cli
from cortado.cli.options import LARGEST_SEED, json_option, known_device, options_of
from cortado.cli.output import show
from cortado.cli.progress import progress_line
from cortado.cli.stop import stop_on_signals

# Rooms are imported inside the commands: torch takes seconds, and help must not wait for it.
if TYPE_CHECKING:
    from cortado.workloads.run import Progress

# Where runs are kept unless told, in the working folder.
RUNS = Path("runs")


def _settings(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """`key=value` words as a mapping; the values are read once the workload is known."""
    settings: dict[str, str] = {}
    for words in values:
        key, mark, value = words.partition("=")
        if not mark or not key.strip():
            raise click.BadParameter(f"{words!r} must be a setting and its value, as in smoothing=7")
        if key.strip() in settings:
            raise click.BadParameter(f"setting '{key.strip()}' must be given once")
        settings[key.strip()] = value.strip()
    return settings


def _known_workload(context: click.Context, parameter: click.Parameter, name: str) -> str:
    from cortado.workloads.workload import workloads

    if name not in workloads:
        raise click.BadParameter(workloads.unknown(name))
    return name


workload_argument = click.argument("name", callback=_known_workload)

run_options = options_of(
    click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
                 help="What all random numbers come from."),
    click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True,
                 help="Of torch; the same seed gives the same figures with the same number."),
)


@cli.group(cls=Commands)
def workload() -> None:
    """Published methods on the layer runtime, beside their figures (docs/workloads.md)."""


@workload.command(name="list")
@json_option
def workload_list(as_json: bool) -> None:
    """List the workloads, their datasets and their settings."""
    from cortado.report.workload_report import list_report

    show(list_report(), as_json)


@workload.command(name="run")
@workload_argument
@click.option("--dataset", help="One of the workload's.  [default: its first, or that of --data]")
@click.option("--set", "settings", multiple=True, callback=_settings, metavar="KEY=VALUE",
              help="A setting; may be given repeatedly.")
@click.option("--data", type=click.Path(path_type=Path, dir_okay=False),
              help="A file of your own in place of a dataset; short for --set data=FILE.")
@click.option("--column", help="The column of --data; short for --set column=NAME.")
@run_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where the record, pictures and snapshots go.  [default: runs/NAME/DATASET]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--device", "device_name", callback=known_device, metavar="NAME|URL",
              help="Evaluate with the layers an engine takes on this device too (rtlsim, golden, ...).")
@json_option
def workload_run(name: str, dataset: str | None, settings: dict[str, str], data: Path | None, column: str | None,
                 seed: int, threads: int, out: Path | None, resume: bool, device_name: str | None,
                 as_json: bool) -> None:
    """Train and evaluate a workload, and write what it found.

    Ctrl-C ends it at a place it goes on from with --resume.
    """
    from cortado.report.workload_report import run_report
    from cortado.workloads.run import run_workload
    from cortado.workloads.workload import workloads

    for key, given in (("data", data), ("column", column)):
        if given is not None and settings.setdefault(key, str(given)) != str(given):
            raise click.UsageError(f"--{key} and --set {key}=... must not say different things")
    folder = out or RUNS / name / (dataset or workloads[name]().dataset(settings))
    with progress_line(as_json, f"{name}: starting") as progress, stop_on_signals() as stop:
        try:
            result = run_workload(name, folder=folder, dataset=dataset, settings=settings, seed=seed, threads=threads,
                                  device=device_name, resume=resume, should_stop=stop,
                                  told=lambda told: progress.say(progress_words(name, told)))
        except KeyboardInterrupt:
            click.echo(f"stopped; the same command with --resume goes on in {folder}", err=True)
            raise
    show(run_report(result, folder), as_json)


@workload.command(name="table")
@workload_argument
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where there are runs, in folders of any depth.  [default: runs, and the recorded ones]")
@json_option
def workload_table(name: str, results: Path | None, as_json: bool) -> None:
    """Print results beside the published figures, with the difference."""
    from cortado.report.workload_report import table_report
    from cortado.workloads.records import found_results, recorded_results

    found = found_results(name, results) if results else (*recorded_results(name), *found_results(name, RUNS))
    show(table_report(name, found), as_json)


def progress_words(name: str, progress: Progress) -> str:
    """One line for people."""
    share = f", {100 * progress.done / progress.total:.0f} %" if progress.total else ""
    left = progress.remaining_seconds
    words = "" if left is None else f", {_duration(left)} left"
    return f"{name}: {progress.part}{share}, {_duration(progress.seconds)}{words}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
