"""`cortado run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cortado.cli.group import cli
from cortado.cli.options import (
    DEFAULT_MODEL,
    Interval,
    device_options,
    json_option,
    model_options,
    or_engine_options,
    picture_options,
)
from cortado.cli.output import Verdict, show
from cortado.cli.pipeline import announce, model_notes, open_chosen_device, pipeline_of
from cortado.cli.progress import progress_line

# Between two looks at the engine's counters, for a trace: a few hundred looks at a layer of a small network.
TRACE_CYCLES = 1000


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@model_options
@or_engine_options
@picture_options
@device_options
@click.option("--check", type=Interval(), default="every", show_default=True, metavar="every|N",
              help="Compare every FPGA layer with the golden integers, or the first and every Nth behind it.")
@click.option("--batch", type=click.IntRange(1), help="Run the first N pictures only.")
@click.option("--at-once", type=click.IntRange(1), metavar="N", help="Run parts of N pictures.  [default: all at once]")
@click.option("--in-flight", type=click.IntRange(1, 64), default=2, show_default=True, metavar="N",
              help="Parts under way at a time: the host runs layers of one while the device runs those of another.")
@click.option("--trace", "trace_file", type=click.Path(path_type=Path),
              help="Write what happened when as JSON for Perfetto or chrome://tracing.")
@click.option("--trace-cycles", type=click.IntRange(1), default=TRACE_CYCLES, show_default=True, metavar="N",
              help="Look every N cycles what the engine does, for the trace.")
@json_option
def run(model: str, input_path: Path | None, percentile: float | None, check: int, batch: int | None,
        at_once: int | None, in_flight: int, trace_file: Path | None, trace_cycles: int, as_json: bool,
        device_name: str, max_cycles: int | None, memory_mib: int, wave: Path | None, **options: Any) -> None:
    """Run a model with its FPGA layers on a device, and say what each layer took.

    Without MODEL it classifies the held-out handwritten digits with the embedded network. FPGA layers are compared
    with the golden integers; a difference is an error.
    """
    from cortado.executor.executor import Executor
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.executor.trace import Trace
    from cortado.planner.calibration import Calibration
    from cortado.report.run_report import Classification, run_report

    trace = Trace()
    if trace_file is not None:
        trace.require_file(trace_file)
    pipeline = pipeline_of(model, 1, options)
    pictures = input_batch(pipeline, input_path, batch)
    pipeline.reshape(min(at_once or len(pictures.pictures), len(pictures.pictures)))
    samples, sample_origin = calibration_pictures(pipeline, pictures)
    plan = pipeline.plan(samples, Calibration(percentile=percentile))
    if device_name == "rtlsim":
        announce(plan.cut, -(-len(pictures.pictures) // pipeline.batch))
    with (progress_line(as_json) as progress,
          open_chosen_device(device_name, max_cycles, memory_mib, wave, progress.cycles,
                             timeout_s=options["timeout_s"], token_file=options["token_file"],
                             wave_cycles=options["wave_cycles"], look_cycles=trace_cycles if trace_file else None
                             ) as device,
          Executor(plan, pipeline.net, device, started=progress.layer, trace=trace) as executor):
        result = executor.run({pipeline.input_blob: pictures.pictures}, compare=check, at_once=at_once,
                              in_flight=in_flight)
    if trace_file is not None:
        trace.write(trace_file)
    output = result.values[pipeline.output_blob]
    classification = Classification(
        names=pictures.names, labels=pictures.labels,
        # Names for what nobody has trained would be noise.
        classes=() if pipeline.seeded else pipeline.model.labels,
        reference=pipeline.reference(pictures.pictures).reshape(len(output), -1),
        mixed=output.reshape(len(output), -1))
    notes = {"input": f"{pictures.origin}; calibrated on {sample_origin}", **model_notes(pipeline)}
    if trace_file is not None:
        notes["trace"] = f"{trace_file}; open it in Perfetto or chrome://tracing"
    show(run_report(result, classification, clock_mhz=options["clock_mhz"], program_ms=options["program_ms"],
                    notes=notes), as_json)
    if result.equal_layers != result.compared_layers:
        differing = [layer.placement.layer for layer in result.layers if layer.equal_to_golden is False]
        raise Verdict(f"device '{device_name}' must equal golden to the bit, layers {', '.join(differing)} "
                       f"differ; cortado verify {model} --layer {differing[0]} says where")
