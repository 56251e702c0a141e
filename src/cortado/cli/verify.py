"""`cortado verify`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cortado.cli.group import cli
from cortado.cli.options import (
    DEFAULT_MODEL,
    device_options,
    json_option,
    model_options,
    or_engine_options,
    picture_options,
)
from cortado.cli.output import Verdict, show
from cortado.cli.pipeline import open_chosen_device, pipeline_of
from cortado.cli.progress import progress_line
from cortado.errors import ConfigurationError, MismatchError, ModelFileError, ToolError

# Rooms are imported inside the commands: torch and amaranth take seconds, and help must not wait for them.
if TYPE_CHECKING:
    from cortado.device.device import Device
    from cortado.executor.mixed_pipeline import MixedPipeline
    from cortado.planner.plan import Cut

# Rungs below or at csim: nothing is climbed between golden and them.
HOST_RUNGS = ("golden", "csim")

# Pictures `verify` climbs the ladder with unless told.
VERIFY_PICTURES = 4


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@model_options
@or_engine_options
@picture_options
@device_options
@click.option("--layer", "layer_name", help="Verify this layer only.")
@click.option("--batch", type=click.IntRange(1), default=VERIFY_PICTURES, show_default=True,
              help="Pictures to climb with.")
@json_option
def verify(model: str, input_path: Path | None, percentile: float | None, layer_name: str | None, batch: int,
           as_json: bool, device_name: str, max_cycles: int | None, memory_mib: int, wave: Path | None,
           **options: Any) -> None:
    """Climb reference -> golden -> csim -> device for each FPGA layer.

    Each layer starts from what golden made of the layers before it. csim is the engine as HLS C++; it is left out,
    with a word, where it cannot be built. The exit code is 0 only if something was compared and every layer is equal:
    golden to the reference within the tolerance rounding explains, every other step to the bit.
    """
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.executor.ladder import climb
    from cortado.planner.calibration import Calibration
    from cortado.report.verify_report import verify_report

    pipeline = pipeline_of(model, batch, options)
    if layer_name is not None and layer_name not in pipeline.cut.fpga_layers:
        _require_layer(pipeline, layer_name)
    pictures = input_batch(pipeline, input_path, batch)
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration(percentile=percentile))
    layers = (layer_name,) if layer_name else plan.cut.fpga_layers
    with ExitStack() as opened:
        progress = opened.enter_context(progress_line(as_json))
        device = opened.enter_context(open_chosen_device(
            device_name, max_cycles, memory_mib, wave, progress.cycles, timeout_s=options["timeout_s"],
            token_file=options["token_file"], wave_cycles=options["wave_cycles"]))
        between = [] if device_name in HOST_RUNGS else [
            opened.enter_context(csim) for csim in _csim(plan.cut, layers, memory_mib)]
        rungs = climb(plan, pipeline.net, device, {pipeline.input_blob: pictures.pictures}, layers=layers,
                      started=progress.layer, between=between)
    layers = len({rung.layer for rung in rungs})
    show(verify_report(pipeline.spec.name, [rung.name for rung in between] + [device_name], rungs, layers), as_json)
    if not layers:
        raise Verdict(f"network '{pipeline.spec.name}': at least one layer must be compared, none runs on the "
                       "FPGA (see cortado inspect)")
    if not all(rung.equal for rung in rungs):
        raise Verdict(f"network '{pipeline.spec.name}': the rungs must be equal, layer "
                       f"'{next(rung.layer for rung in rungs if not rung.equal)}' is the first that differs")


def _csim(cut: Cut, layers: tuple[str, ...], memory_mib: int) -> list[Device]:
    """The csim device, its kernels built; nothing and a word on standard error where they cannot be."""
    from cortado.device.device import DeviceOptions, open_device

    device = open_device("csim", DeviceOptions(memory_bytes=memory_mib * 2**20))
    try:
        for layer in layers:
            device.program(cut.engine_of(layer).design())
    except (ToolError, ConfigurationError) as error:
        click.echo(f"csim is left out: {error}", err=True)
        device.close()
        return []
    return [device]


def _require_layer(pipeline: MixedPipeline, layer: str) -> None:
    """The error for a layer that cannot be verified: it is not there, or it is on the host."""
    try:
        place = pipeline.cut.placement(layer)
    except LookupError as error:
        raise ModelFileError(str(error)) from None
    raise MismatchError(f"layer '{layer}': it must run on the FPGA to be verified, it runs on the host: {place.reason}")
