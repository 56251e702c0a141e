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

DEFAULT_HLS_BOARD = "zcu104"


def _known_board(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    """A registered board; an unknown one is refused before anything is computed."""
    from cortado.boards.board import boards

    if name is not None and name not in boards:
        raise click.BadParameter(boards.unknown(name))
    return name


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@model_options
@picture_options
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures of a job.")
@click.option("--clock-mhz", type=CLOCK_MHZ, show_default=f"{DEFAULT_CLOCK_MHZ:g}, or that of the board",
              help="Clock named in the manifest and in scripts.")
@click.option("--target", type=click.Choice(("rtl", "hls")), default="rtl", show_default=True,
              help="rtl: Verilog and jobs. hls: the kernels as C++ for Vitis HLS, with a C++ test bench (docs/hls.md).")
@memory_option
@click.option("--testbench", "with_testbench", is_flag=True,
              help="Write a cocotb bench with golden vectors too, which needs no cortado (docs/benches.md).")
@click.option("--testbench-layer", "testbench_wanted", multiple=True, metavar="LAYER",
              help="Run this layer in the bench.  [default: the cheapest ones, as many as a minute takes]")
@click.option("--board", "board_name", callback=_known_board, metavar="NAME",
              help="Write IP-XACT, FuseSoC, constraints and more for a board too (docs/boards.md); with --target hls "
                   f"its part goes into the scripts.  [default there: {DEFAULT_HLS_BOARD}]")
@click.option("--kernel", "kernels", multiple=True, type=click.Choice(("convolution_relu_pool", "relu")),
              help="Write this kernel too, with every layer of the model it can run (--target hls).")
@click.option("--precision", type=click.Choice(("float", "half")),
              help="Write the convolutions and LRN in floating point instead, with benches that compare with float64 "
                   "(--target hls).")
@click.option("--force", is_flag=True, help="Replace a folder that holds something.")
@json_option
def generate(model: str, folder: Path, input_path: Path | None, percentile: float | None, batch: int,
             clock_mhz: float | None, memory_mib: int, with_testbench: bool, testbench_wanted: tuple[str, ...],
             board_name: str | None, target: str, kernels: tuple[str, ...], precision: str | None, force: bool,
             as_json: bool, **options: Any) -> None:
    """Write the engine's Verilog, a manifest and the job descriptors of a model, or its kernels as HLS C++."""
    from cortado.boards.board import boards
    from cortado.boards.board_files import BoardPackage
    from cortado.executor.bundle import write_bundle
    from cortado.executor.floating_bundle import write_floating_bundle
    from cortado.executor.hls_bundle import write_hls_bundle
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.executor.testbench import CocotbBench, choose_layers
    from cortado.planner.calibration import Calibration
    from cortado.report.floating_report import floating_report
    from cortado.report.generate_hls_report import generate_hls_report
    from cortado.report.generate_report import generate_report

    if testbench_wanted and not with_testbench:
        raise click.UsageError("--testbench-layer is for a test bench; add --testbench")
    if target == "hls" and with_testbench:
        raise click.UsageError("--testbench is for --target rtl; --target hls always writes its test bench")
    if kernels and target != "hls":
        raise click.UsageError("--kernel is for --target hls; add it")
    if precision and target != "hls":
        raise click.UsageError("--precision is for --target hls; add it")
    if precision and kernels:
        raise click.UsageError("--kernel is for whole numbers; leave out --precision or it")
    board = boards[board_name or DEFAULT_HLS_BOARD] if board_name or target == "hls" else None
    if target == "hls" and board.is_serial:
        raise click.UsageError(f"--target hls is for AMD parts, not for {board.part}; choose another board")
    pipeline = pipeline_of(model, batch, options)
    pictures = input_batch(pipeline, input_path, batch)
    if precision:
        manifest = write_floating_bundle(
            pipeline.net, pipeline.engine.configuration, {pipeline.input_blob: pictures.exactly(batch)}, folder,
            value=precision, part=board.part, clock_mhz=clock_mhz or board.clock_mhz, force=force)
        show(floating_report(manifest, folder), as_json)
        return
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration(percentile=percentile))
    if target == "hls":
        manifest = write_hls_bundle(plan, pipeline.net, {pipeline.input_blob: pictures.exactly(batch)}, folder,
                                    part=board.part, clock_mhz=clock_mhz or board.clock_mhz, kernels=kernels,
                                    force=force)
        show(generate_hls_report(manifest, folder), as_json)
        return
    bench = CocotbBench(plan=plan, net=pipeline.net, layers=choose_layers(plan, testbench_wanted),
                        inputs={pipeline.input_blob: pictures.exactly(batch)}) if with_testbench else None
    package = BoardPackage(board=board, design=plan.cut.engine.design()) if board else None
    default_mhz = package.board.clock_mhz if package else DEFAULT_CLOCK_MHZ
    manifest = write_bundle(plan, pipeline.shapes, folder, clock_mhz=clock_mhz or default_mhz, force=force,
                            memory_bytes=memory_mib * 2**20,
                            additions=[addition.write for addition in (bench, package) if addition])
    show(generate_report(manifest, folder, bench=bench, package=package), as_json)
