"""`cortado generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cortado.cli.group import cli
from cortado.cli.options import (
    CLOCK_MHZ,
    DEFAULT_CLOCK_MHZ,
    DEFAULT_MODEL,
    json_option,
    memory_option,
    model_options,
    picture_options,
)
from cortado.cli.output import show
from cortado.cli.pipeline import pipeline_of


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@model_options
@picture_options
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures of a job.")
@click.option("--clock-mhz", type=CLOCK_MHZ, default=DEFAULT_CLOCK_MHZ, show_default=True,
              help="Clock named in the manifest.")
@memory_option
@click.option("--force", is_flag=True, help="Replace a folder that holds something.")
@json_option
def generate(model: str, folder: Path, input_path: Path | None, percentile: float | None, batch: int, clock_mhz: float,
             memory_mib: int, force: bool, as_json: bool, **options: Any) -> None:
    """Write the engine's Verilog, a manifest and the job descriptors of a model."""
    from cortado.executor.bundle import write_bundle
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.planner.calibration import Calibration
    from cortado.report.generate_report import generate_report

    pipeline = pipeline_of(model, batch, options)
    pictures = input_batch(pipeline, input_path, batch)
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration(percentile=percentile))
    manifest = write_bundle(plan, pipeline.shapes, folder, clock_mhz=clock_mhz, force=force,
                            memory_bytes=memory_mib * 2**20)
    show(generate_report(manifest, folder), as_json)
