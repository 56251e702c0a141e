"""`cortado bench overlap`."""

from __future__ import annotations

from typing import Any

import click

from cortado.cli.bench import bench
from cortado.cli.options import device_option, json_option, memory_option, model_options, token_option
from cortado.cli.output import Verdict, show
from cortado.cli.pipeline import open_chosen_device, pipeline_of
from cortado.cli.progress import progress_line

DEFAULT_NETWORK = "googlenet"


@bench.command(name="overlap")
@click.argument("model", default=DEFAULT_NETWORK)
@model_options
@device_option("Who runs FPGA layers")
@memory_option
@token_option
@click.option("--batch", type=click.IntRange(2), default=4, show_default=True, help="Pictures.")
@click.option("--at-once", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Pictures of a part.")
@click.option("--in-flight", type=click.IntRange(2, 64), default=2, show_default=True, metavar="N",
              help="Parts under way at a time.")
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True,
              help="Runs of each way; the least counts.")
@json_option
def bench_overlap(model: str, device_name: str, memory_mib: int, token_file: Any, batch: int, at_once: int,
                  in_flight: int, repeats: int, as_json: bool, **options: Any) -> None:
    """Time a network in parts, one at a time and several, beside what the slower of host and device takes alone.

    Wall time: host and device share the processors of this machine where the device is simulated.
    """
    from cortado.bench.overlap_bench import time_overlap
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.planner.calibration import Calibration
    from cortado.report.overlap_bench_report import overlap_bench_report

    pipeline = pipeline_of(model, at_once, options)
    pictures = input_batch(pipeline, None, batch)
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration())
    if not plan.cut.fpga_layers:
        raise Verdict(f"network '{pipeline.spec.name}': at least one layer must run on the FPGA, none does")
    with (progress_line(as_json) as progress,
          open_chosen_device(device_name, None, memory_mib, None, progress.cycles, token_file=token_file) as device):
        found = time_overlap(plan, pipeline, device, pictures.pictures, in_flight=in_flight, repeats=repeats,
                             started=progress.say)
    show(overlap_bench_report(pipeline.spec.name, device_name, found, repeats=repeats), as_json)
