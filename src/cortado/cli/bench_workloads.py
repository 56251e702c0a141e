"""`cortado bench workloads`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.bench import bench
from cortado.cli.options import json_option
from cortado.cli.output import Verdict, show
from cortado.cli.progress import progress_line
from cortado.cli.stop import stop_on_signals
from cortado.cli.workload import RUNS, progress_words, run_options


@bench.command(name="workloads")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@run_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RUNS / "bench", show_default=True,
              metavar="DIR", help="Where the runs are kept; those that are there go on or are not done again.")
@click.option("--most-minutes", type=click.FloatRange(0), help="Leave out runs that take more on one core.")
@json_option
def bench_workloads(names: tuple[str, ...], seed: int, threads: int, out: Path, most_minutes: float | None,
                    as_json: bool) -> None:
    """Run the benches of all workloads, or of some, and hold them against their bars."""
    from cortado.report.workload_report import bench_report
    from cortado.workloads.bench import run_benches
    from cortado.workloads.workload import workloads

    for name in names:
        if name not in workloads:
            raise click.BadParameter(workloads.unknown(name))
    with progress_line(as_json, "starting") as progress, stop_on_signals() as stop:
        measured = run_benches(names or tuple(workloads), folder=out, seed=seed, threads=threads,
                               most_minutes=most_minutes, should_stop=stop,
                               told=lambda name, told: progress.say(progress_words(name, told)))
    show(bench_report(measured), as_json)
    missed = sum(not verdict.met for bench in measured for verdict in bench.verdicts)
    if missed:
        raise Verdict(f"bench workloads: every bar must be met, {missed} are not; the report says which")
