"""The `cortado` command. It only translates: options in, a report out, errors as one message."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from cortado import __version__
from cortado.errors import CortadoError, MismatchError, ModelFileError

# Rooms are imported inside the commands: torch and amaranth take seconds, and help must not wait for them.
if TYPE_CHECKING:
    from cortado.bench.engine_bench import EngineResult
    from cortado.bench.preset import EngineRun
    from cortado.bench.results_file import ResultsFile
    from cortado.device.device import Device
    from cortado.executor.mixed_pipeline import MixedPipeline
    from cortado.planner.plan import Cut
    from cortado.report.report import Report

DEFAULT_MODEL = "digits"
DEFAULT_ENGINE = "winograd"
DEFAULT_CLOCK_MHZ = 200.0
# What `bench engine` runs unless told: every kind of convolution, in seconds once the simulator is built.
BENCH_NETWORKS = ("alexnet", "squeezenet")
# Pictures `verify` climbs the ladder with unless told.
VERIFY_PICTURES = 4
INTERRUPTED = 130
# What torch takes.
LARGEST_SEED = 2**63 - 1
# A simulation expected to take longer is announced.
LONG_SECONDS = 5.0


class _Verdict(CortadoError):
    """The bad end of a command whose report has been printed: the message goes to standard error only."""


class _Commands(click.Group):
    """Lists commands in the order of a user's work, not of the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Run a CNN cut between a host and a simulated FPGA, to the bit and to the cycle.

    A MODEL is the name of a model that comes with cortado, a .prototxt, a folder with one, or a .onnx.

    \b
    Start here:
      cortado run                     classify digits with every convolution at RTL
      cortado inspect MODEL           which layer runs where, and why
      cortado verify MODEL            float, exact integers and RTL against each other
      cortado generate MODEL -o DIR   Verilog, manifest and job descriptors
      cortado synth --family ecp5     what the engine takes of an FPGA, with open tools
      cortado bench engine            layers at RTL beside what the hardware could do at most
      cortado data list               trained weights and other files to fetch
      cortado doctor                  what this machine has and lacks
    """


def _key_value(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """`m=2,pc=4` as a mapping."""
    fields: dict[str, int] = {}
    for item in (item for value in values for item in value.split(",") if item):
        name, _, digits = (part.strip() for part in item.partition("="))
        try:
            number = int(digits)
        except ValueError:
            raise click.BadParameter(f"{item!r} must be a field and a whole number, as in m=4") from None
        if name in fields:
            raise click.BadParameter(f"field '{name}' must be given once, not as {name}={fields[name]} and "
                                     f"{name}={number}")
        fields[name] = number
    return fields


def _several_key_values(context: click.Context, parameter: click.Parameter,
                        values: tuple[str, ...]) -> tuple[dict[str, int], ...]:
    """Each value as a mapping of its own."""
    return tuple(_key_value(context, parameter, (value,)) for value in values)


def _known_device(context: click.Context, parameter: click.Parameter, name: str) -> str:
    """A registered device; an unknown one is refused before anything is computed."""
    from cortado.device.device import device_types

    if name not in device_types:
        raise click.BadParameter(device_types.unknown(name))
    return name


def _known_preset(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    """A registered preset; `help` lists them and ends the command."""
    if name is None:
        return None
    from cortado.bench.preset import presets

    if name == "help":
        width = max(map(len, presets))
        click.echo("\n".join(f"{known:<{width}}  {presets[known].title}" for known in presets))
        context.exit()
    if name not in presets:
        raise click.BadParameter(presets.unknown(name))
    return name


def _known_engine(context: click.Context, parameter: click.Parameter, name: str) -> str:
    """A registered engine."""
    from cortado.engines.engine import engine_types

    if name not in engine_types:
        raise click.BadParameter(engine_types.unknown(name))
    return name


def _known_family(context: click.Context, parameter: click.Parameter, name: str) -> str:
    """A family cortado can synthesise for."""
    from cortado.synthesis.family import families

    if name not in families:
        raise click.BadParameter(families.unknown(name))
    return name


class _ClockMhz(click.FloatRange):
    """A clock somebody could build; a range alone lets "nan" through."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        number = super().convert(value, parameter, context)
        if number != number:
            self.fail(f"{value!r} is not a number.", parameter, context)
        return number


_CLOCK_MHZ = _ClockMhz(0.001, 100_000)


def _options(*options: Callable) -> Callable:
    def decorate(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command
    return decorate


_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md).")
_model_options = _options(
    click.option("--weights", type=click.Path(path_type=Path),
                 help="A .caffemodel, or a .net of Deep Compression, instead of the model's own."),
    click.option("--engine", "fields", multiple=True, callback=_key_value, metavar="FIELD=N,...",
                 help="Fields of the engine's configuration, as m=4,pc=2,pk=2."),
    click.option("--fpga", multiple=True, metavar="LAYER", help="Want this layer on the FPGA, or fail."),
    click.option("--fpga-inner-products", "inner_products", is_flag=True,
                 help="Want inner products on the FPGA where there are several pictures."),
    click.option("--host", multiple=True, metavar="LAYER", help="Keep this layer on the host."),
    click.option("--strict", is_flag=True, help="Fail if a layer wanted on the FPGA falls to the host."),
    click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
                 help="For weights and pictures nobody gives."),
)
_or_engine = click.option(
    "--or-engine", "other_fields", multiple=True, callback=_several_key_values, metavar="FIELD=N,...",
    help="Another configuration, over that of --engine; each layer runs on the one with the fewest estimated cycles.")
_picture_options = _options(
    click.option("--input", "input_path", type=click.Path(path_type=Path),
                 help="A picture, a folder of pictures, or an .npy file."),
    click.option("--mean", type=click.Path(path_type=Path),
                 help="A mean picture (.npy, .binaryproto) instead of the model's mean."),
    click.option("--percentile", type=float, show_default="the range of least squared error",
                 help="Of the magnitudes of a blob that its range covers."),
)
_memory_mib = click.option("--memory-mib", type=click.IntRange(1, 4096), default=256, show_default=True,
                           help="Memory of the device.")
_device_options = _options(
    click.option("--device", "device_name", default="rtlsim", show_default=True, callback=_known_device,
                 help="Who runs FPGA layers: rtlsim (Verilator) or golden (exact integers)."),
    click.option("--max-cycles", type=click.IntRange(1), help="Give a job up after this many cycles."),
    _memory_mib,
    click.option("--wave", type=click.Path(path_type=Path), help="Write an FST wave of the first job."),
)


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@_model_options
@_or_engine
@_picture_options
@_device_options
@click.option("--batch", type=click.IntRange(1), help="Run the first N pictures only.")
@click.option("--clock-mhz", type=_CLOCK_MHZ, default=DEFAULT_CLOCK_MHZ, show_default=True,
              help="Clock the simulated time is told at.")
@_json
def run(model: str, input_path: Path | None, percentile: float | None, batch: int | None, clock_mhz: float,
        as_json: bool, device_name: str, max_cycles: int | None, memory_mib: int, wave: Path | None,
        **options: Any) -> None:
    """Run a model with its FPGA layers on a device, and say what each layer took.

    Without MODEL it classifies the held-out handwritten digits with the embedded network. Every FPGA layer is compared
    with the golden integers; a difference is an error.
    """
    from cortado.executor.executor import Executor
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.planner.calibration import Calibration
    from cortado.report.run_report import Classification, run_report

    pipeline = _pipeline(model, 1, options)
    pictures = input_batch(pipeline, input_path, batch)
    pipeline.reshape(len(pictures.pictures))
    samples, sample_origin = calibration_pictures(pipeline, pictures)
    plan = pipeline.plan(samples, Calibration(percentile=percentile))
    if device_name == "rtlsim":
        _announce(plan.cut)
    with _progress(as_json) as progress, _device(device_name, max_cycles, memory_mib, wave, progress.cycles) as device:
        result = Executor(plan, pipeline.net, device, started=progress.layer).run(
            {pipeline.input_blob: pictures.pictures}, compare=True)
    output = result.values[pipeline.output_blob]
    classification = Classification(
        names=pictures.names, labels=pictures.labels,
        # Names for what nobody has trained would be noise.
        classes=() if pipeline.seeded else pipeline.model.labels,
        reference=pipeline.reference(pictures.pictures).reshape(len(output), -1),
        mixed=output.reshape(len(output), -1))
    notes = {"input": f"{pictures.origin}; calibrated on {sample_origin}", **_model_notes(pipeline)}
    _show(run_report(result, classification, clock_mhz=clock_mhz, notes=notes), as_json)
    if result.equal_layers != result.compared_layers:
        differing = [layer.placement.layer for layer in result.layers if layer.equal_to_golden is False]
        raise _Verdict(f"device '{device_name}' must equal golden to the bit, layers {', '.join(differing)} "
                       f"differ; cortado verify {model} --layer {differing[0]} says where")


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@_model_options
@_or_engine
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures the costs are for.")
@click.option("--mapping", is_flag=True, help="Say how the engine runs each FPGA layer, and what else was weighed.")
@_json
def inspect(model: str, batch: int, mapping: bool, as_json: bool, **options: Any) -> None:
    """Say which layer runs where, and why not on the FPGA."""
    from cortado.report.inspect_report import inspect_report

    _show(inspect_report(_pipeline(model, batch, options).cut, with_mapping=mapping), as_json)


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@_model_options
@_or_engine
@_picture_options
@_device_options
@click.option("--layer", "layer_name", help="Verify this layer only.")
@click.option("--batch", type=click.IntRange(1), default=VERIFY_PICTURES, show_default=True,
              help="Pictures to climb with.")
@_json
def verify(model: str, input_path: Path | None, percentile: float | None, layer_name: str | None, batch: int,
           as_json: bool, device_name: str, max_cycles: int | None, memory_mib: int, wave: Path | None,
           **options: Any) -> None:
    """Climb reference -> golden -> device for each FPGA layer.

    Each layer starts from what golden made of the layers before it. The exit code is 0 only if something was compared
    and every layer is equal: golden to the reference within the tolerance rounding explains, the device to the bit.
    """
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.executor.ladder import climb
    from cortado.planner.calibration import Calibration
    from cortado.report.verify_report import verify_report

    pipeline = _pipeline(model, batch, options)
    if layer_name is not None and layer_name not in pipeline.cut.fpga_layers:
        _require_layer(pipeline, layer_name)
    pictures = input_batch(pipeline, input_path, batch)
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration(percentile=percentile))
    with _progress(as_json) as progress, _device(device_name, max_cycles, memory_mib, wave, progress.cycles) as device:
        rungs = climb(plan, pipeline.net, device, {pipeline.input_blob: pictures.pictures},
                      layers=(layer_name,) if layer_name else plan.cut.fpga_layers, started=progress.layer)
    layers = len({rung.layer for rung in rungs})
    _show(verify_report(pipeline.spec.name, device_name, rungs, layers), as_json)
    if not layers:
        raise _Verdict(f"network '{pipeline.spec.name}': at least one layer must be compared, none runs on the "
                       "FPGA (see cortado inspect)")
    if not all(rung.equal for rung in rungs):
        raise _Verdict(f"network '{pipeline.spec.name}': the rungs must be equal, layer "
                       f"'{next(rung.layer for rung in rungs if not rung.equal)}' is the first that differs")


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@_model_options
@_picture_options
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures of a job.")
@click.option("--clock-mhz", type=_CLOCK_MHZ, default=DEFAULT_CLOCK_MHZ, show_default=True,
              help="Clock named in the manifest.")
@_memory_mib
@click.option("--force", is_flag=True, help="Replace a folder that holds something.")
@_json
def generate(model: str, folder: Path, input_path: Path | None, percentile: float | None, batch: int, clock_mhz: float,
             memory_mib: int, force: bool, as_json: bool, **options: Any) -> None:
    """Write the engine's Verilog, a manifest and the job descriptors of a model."""
    from cortado.executor.bundle import write_bundle
    from cortado.executor.input_batch import calibration_pictures, input_batch
    from cortado.planner.calibration import Calibration
    from cortado.report.generate_report import generate_report

    pipeline = _pipeline(model, batch, options)
    pictures = input_batch(pipeline, input_path, batch)
    plan = pipeline.plan(calibration_pictures(pipeline, pictures)[0], Calibration(percentile=percentile))
    manifest = write_bundle(plan, pipeline.shapes, folder, clock_mhz=clock_mhz, force=force,
                            memory_bytes=memory_mib * 2**20)
    _show(generate_report(manifest, folder), as_json)


@cli.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("--weights", type=click.Path(path_type=Path), help="A .caffemodel or .net instead of the model's own.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Pictures in a pass.")
@click.option("--repeats", type=click.IntRange(1), default=10, show_default=True, help="Passes of each.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For weights nobody gives.")
@_json
def time(model: str, weights: Path | None, batch: int, repeats: int, seed: int, as_json: bool) -> None:
    """Time a model's float layers on the host against the same net as plain torch modules, in turns."""
    from cortado.executor.host_time import time_on_host
    from cortado.frontends.model import load_model
    from cortado.net.net import Net
    from cortado.report.time_report import time_report

    # The network as its file has it: what passes make of it for an engine is not what is timed here.
    loaded = load_model(model, weights=weights)
    net = Net(loaded.spec, loaded.weights, batch=batch, seed=seed)
    _show(time_report(net.spec.name, time_on_host(net, repeats=repeats, seed=seed)), as_json)


@cli.group(cls=_Commands)
def bench() -> None:
    """Measure, beside what the hardware could do at most (docs/bench.md)."""


@bench.command(name="engine")
@click.option("--preset", "preset_name", callback=_known_preset, metavar="NAME",
              help="Layers, batch and engine of a known bench, and its bars; --preset help lists them.")
@click.option("--network", "networks", multiple=True, metavar="MODEL",
              help="Networks to take convolutions from.  [default: alexnet, squeezenet]")
@click.option("--layer", "patterns", multiple=True, metavar="PATTERN", help="Only layers of such names, as 'conv3_*'.")
@click.option("--kind", type=click.Choice(("3x3", "1x1", "all")), help="Kernels, without stride.  [default: all]")
@click.option("--batch", type=click.IntRange(1, 1024), help="Images of a job.  [default: 1]")
@click.option("--engine", "fields", multiple=True, callback=_key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, as m=4,pc=2,pk=2.")
@click.option("--port-bits", type=int, help="Width of the memory port, the field beat_bits.")
@click.option("--latency-cycles", type=int, default=64, show_default=True, help="Latency of the memory.")
@click.option("--outstanding-bursts", type=int, default=16, show_default=True, help="Most bursts in flight.")
@click.option("--memory-mib", type=click.IntRange(1, 4096), default=256, show_default=True,
              help="Memory of the device.")
@click.option("--max-cycles", type=click.IntRange(1), help="Give a layer up after this many cycles.")
@click.option("--clock-mhz", type=_CLOCK_MHZ, default=DEFAULT_CLOCK_MHZ, show_default=True,
              help="Clock GOPS are told at; it is assumed.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For maps and weights.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Keep measurements in this file; layers it has are not run again.")
@_json
def bench_engine(preset_name: str | None, networks: tuple[str, ...], patterns: tuple[str, ...], kind: str | None,
                 batch: int | None, clock_mhz: float, seed: int, output: Path | None, as_json: bool,
                 **options: Any) -> None:
    """Run convolutions of published networks at RTL, beside their ceilings.

    Maps and weights are random over the whole range of int8; every result is compared with golden. Each layer is told
    with its cycles, idle cycles by cause, and the roofline: the fewest cycles its tiles and the memory port allow.
    Ctrl-C ends it; with -o it goes on where it stopped.
    """
    from cortado.bench.preset import EngineRun, Preset, Workload, presets
    from cortado.bench.results_file import ResultsFile
    from cortado.report.bench_report import bench_report

    if preset_name is None:
        preset = Preset(title="convolutions at RTL", runs=(EngineRun(workloads=tuple(
            Workload(network=network, batch=batch or 1, kind=kind or "all", patterns=patterns or ("*",))
            for network in networks or BENCH_NETWORKS)),))
    elif networks or patterns or kind or batch:
        raise click.UsageError("a preset says which networks, layers and batch it takes; leave out --network, --layer, "
                               "--kind and --batch")
    else:
        preset = presets[preset_name]
    results = ResultsFile(output)
    try:
        with _progress(as_json) as progress:
            measured = [_bench_run(run, results, progress, seed, options) for run in preset.runs]
    except KeyboardInterrupt:
        if output is not None:
            click.echo(f"measurements kept in {output}: {len(results)}; the same command goes on from there",
                       err=True)
        raise
    _show(bench_report(measured, [run.bars for run in preset.runs], title=preset.title, clock_mhz=clock_mhz), as_json)
    if not any(result.layers for result in measured):
        raise _Verdict("bench engine: at least one layer must be one the engine takes, none is; the report says why")
    different = [layer.layer for result in measured for layer in result.layers if layer.measurement.different]
    if different:
        raise _Verdict(f"network '{different[0].network}': every layer must equal golden to the bit, layer "
                       f"'{different[0].name}' is the first that differs")


def _bench_run(run: EngineRun, results: ResultsFile, progress: _Progress, seed: int,
               options: dict[str, Any]) -> EngineResult:
    """What one engine does with its workloads."""
    from cortado.bench.engine_bench import EngineBench, expected_cycles
    from cortado.device.device import DeviceOptions
    from cortado.engines.engine import engine_types
    from cortado.simulation.memory_model import MemoryModel
    from cortado.simulation.pace import expected_seconds, words

    fields = {**run.fields, **options["fields"]}
    if options["port_bits"] is not None:
        fields["beat_bits"] = options["port_bits"]
    engine = engine_types["winograd"].from_fields(fields)
    memory = MemoryModel(latency_cycles=options["latency_cycles"], outstanding_bursts=options["outstanding_bursts"],
                         beat_bits=engine.design().beat_bits)
    layers = [layer for workload in run.workloads for layer in workload.layers()]
    cycles = expected_cycles(engine, layers)
    seconds = expected_seconds(cycles, engine.multipliers)
    if seconds > LONG_SECONDS:
        click.echo(f"about {cycles:,} cycles to simulate, {words(seconds)} and as long as it takes to build the "
                   "simulator; Ctrl-C ends it cleanly", err=True)
    device_options = DeviceOptions(memory_bytes=options["memory_mib"] * 2**20, memory=memory,
                                   max_cycles=options["max_cycles"], progress=progress.cycles)
    bench_of_engine = EngineBench(engine, device_options, results=results, seed=seed, started=progress.bench_layer)
    return bench_of_engine.run(layers, times_generation=run.times_generation)


@cli.command()
@click.argument("engine_name", metavar="[ENGINE]", default=DEFAULT_ENGINE, callback=_known_engine)
@click.option("--family", "family_name", required=True, callback=_known_family, metavar="xc7|xcup|ecp5",
              help="FPGA family: Xilinx 7 series, Xilinx UltraScale+ or Lattice ECP5.")
@click.option("--engine", "fields", multiple=True, callback=_key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, as m=2,pc=2,pk=1.")
@click.option("--pnr", is_flag=True, help="Place and route too (ecp5 only): Fmax and the path that limits it.")
@click.option("--target-mhz", type=_CLOCK_MHZ, help="Clock to try for.  [default: 150]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Where placement starts.  [default: 1]")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Copy Verilog, netlist, logs and the report here.")
@_json
def synth(engine_name: str, family_name: str, fields: dict[str, int], pnr: bool, target_mhz: float | None,
          seed: int | None, folder: Path | None, as_json: bool) -> None:
    """Synthesise an engine with open tools: DSP, LUT, registers, block RAM and the longest path.

    The tools come with `pip install cortado[synth]`. Results are cached. The exit code is 1 if something does not
    hold: one DSP for each product, memories in block RAM, no warning without a reason.
    """
    from cortado.engines.engine import engine_types
    from cortado.report.synth_report import synth_report
    from cortado.synthesis.family import families
    from cortado.synthesis.synthesis import SEED, TARGET_MHZ, save, synthesise

    if not pnr and (target_mhz is not None or seed is not None):
        raise click.UsageError("--target-mhz and --seed are for place and route; add --pnr")
    design = engine_types[engine_name].from_fields(fields).design()
    with _progress(as_json, "starting") as progress:
        synthesis = synthesise(design, families[family_name], place_and_route=pnr, target_mhz=target_mhz or TARGET_MHZ,
                               seed=SEED if seed is None else seed, say=progress.say)
    report = synth_report(synthesis)
    if folder is not None:
        save(synthesis, folder, report.to_json())
    _show(report, as_json)
    if synthesis.faults:
        raise _Verdict(f"engine '{engine_name}' on {family_name}: {synthesis.faults[0]}")


@cli.command()
@_json
def doctor(as_json: bool) -> None:
    """Look for every tool cortado needs; the exit code is 1 if one is missing."""
    from cortado.report.doctor_report import doctor_report
    from cortado.simulation.doctor import examine

    report = doctor_report(examine())
    _show(report, as_json)
    if not report.data["healthy"]:
        sys.exit(1)


@cli.group(cls=_Commands)
def data() -> None:
    """Files from outside: trained weights, names of classes.

    They are kept in the folder that CORTADO_DATA names, else in ~/.cache/cortado/data.
    """


@data.command(name="list")
@_json
def data_list(as_json: bool) -> None:
    """List the data files, and whether they are here."""
    from cortado.report.data_report import data_report

    _show(data_report(), as_json)


@data.command(name="get")
@click.argument("name")
@_json
def data_get(name: str, as_json: bool) -> None:
    """Fetch a data file unless it is here, check it, and print its path."""
    from cortado.frontends.data_store import fetch

    with _progress(as_json, f"asking for {name}") as progress:
        _show_data(name, fetch(name, lambda there, size: progress.say(f"{name}: {there:,} of {size:,} bytes")), as_json)


@data.command(name="path")
@click.argument("name")
@_json
def data_path(name: str, as_json: bool) -> None:
    """Print the path of a data file that is here."""
    from cortado.frontends.data_store import path_to

    _show_data(name, path_to(name), as_json)


def _show_data(name: str, path: Path, as_json: bool) -> None:
    from cortado.report.data_report import data_report

    if as_json:
        _show(data_report((name,)), as_json)
    else:
        click.echo(path)


def main() -> None:
    """Run the command line and exit."""
    as_json = "--json" in sys.argv
    # Whoever ends the program ends what it started too, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(cli.main(standalone_mode=False))
    except CortadoError as error:
        _fail(error, as_json)
    except MemoryError as error:
        _fail(CortadoError(f"this machine must have memory for the run; use a smaller batch ({error})"), as_json)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; there is nothing left to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _fail(error: CortadoError, as_json: bool) -> None:
    if as_json and not isinstance(error, _Verdict):
        click.echo(json.dumps({"error": {"type": type(error).__name__, "message": str(error)}}))
    click.echo(f"error: {error}", err=True)
    sys.exit(1)


def _show(report: Report, as_json: bool) -> None:
    try:
        if as_json:
            click.echo(report.to_json())
            return
        from rich.console import Console

        # A pipe gets whole lines: a program that reads them knows no width.
        report.print(Console() if _is_terminal(sys.stdout) else Console(width=200))
    except BrokenPipeError:
        raise
    except OSError as error:
        click.echo(f"error: standard output must take the report, not refuse with '{error.strerror}'", err=True)
        sys.exit(1)


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it; a stream that was closed before we began is None."""
    return stream is not None and stream.isatty()


def _pipeline(model: str, batch: int, options: dict[str, Any]) -> MixedPipeline:
    from cortado.executor.mixed_pipeline import MixedPipeline
    from cortado.frontends.model import load_model

    return MixedPipeline(load_model(model, weights=options["weights"], mean=options.get("mean")), batch=batch, **{
        name: options[name] for name in ("fields", "fpga", "host", "inner_products", "strict", "seed")},
        other_fields=options.get("other_fields", ()))


def _model_notes(pipeline: MixedPipeline) -> dict[str, str]:
    """How pictures become the input, where weights come from, and what is missing, by topic, for a run's report."""
    model, notes = pipeline.model, {}
    if model.metadata and model.metadata.picture:
        notes["pictures"] = f"from files: {model.metadata.picture}"
    if pipeline.seeded:
        hint = f"; {model.weights_words}" if model.weights_words else ""
        notes["weights"] = f"none were given: drawn He-normal from seed {pipeline.seed}{hint}"
    else:
        notes["weights"] = model.weights_words
    if model.labels_words and not pipeline.seeded:
        notes["classes"] = f"by number; {model.labels_words}"
    return notes


def _require_layer(pipeline: MixedPipeline, layer: str) -> None:
    """The error for a layer that cannot be verified: it is not there, or it is on the host."""
    try:
        place = pipeline.cut.placement(layer)
    except LookupError as error:
        raise ModelFileError(str(error)) from None
    raise MismatchError(f"layer '{layer}': it must run on the FPGA to be verified, it runs on the host: {place.reason}")


def _device(name: str, max_cycles: int | None, memory_mib: int, wave: Path | None,
            progress: Callable[[int], None]) -> Device:
    from cortado.device.device import DeviceOptions, device_types

    return device_types[name](DeviceOptions(memory_bytes=memory_mib * 2**20, max_cycles=max_cycles, progress=progress,
                                            wave=wave))


def _announce(cut: Cut) -> None:
    """Say on standard error how long a long simulation will take."""
    from cortado.simulation.pace import expected_seconds, words

    cycles = sum(place.estimate.cycles for place in cut.placements if place.estimate)
    seconds = expected_seconds(cycles, cut.engine.multipliers)
    if seconds > LONG_SECONDS:
        click.echo(f"about {cycles:,} cycles to simulate, {words(seconds)}; Ctrl-C ends it cleanly", err=True)


class _Progress:
    """One line on standard error: the layer that runs and how far its job is."""

    def __init__(self, line: Any = None) -> None:
        self._line = line
        self._words, self._expected = "", 0

    def layer(self, placement: Any) -> None:
        """A layer begins."""
        self._words = placement.layer
        self._expected = placement.estimate.cycles if placement.estimate else 0
        if self._line is not None:
            self._line.update(f"{self._words} on the {placement.target.value}")

    def bench_layer(self, layer: Any, number: int, count: int, cycles: int) -> None:
        """A layer of a bench begins."""
        self._words, self._expected = f"{layer.network} {layer.name}, {number} of {count},", cycles
        self.say(f"{self._words} on the FPGA")

    def say(self, words: str) -> None:
        """What is going on, in words."""
        if self._line is not None:
            self._line.update(words)

    def cycles(self, cycles: int) -> None:
        """A job is at this cycle."""
        if self._line is not None:
            self._line.update(f"{self._words} on the FPGA: {cycles:,} of about {self._expected:,} cycles")


@contextmanager
def _progress(as_json: bool, begin: str = "starting: the first run builds the simulator") -> Iterator[_Progress]:
    """Progress while the block runs, on a terminal only; `begin` is said first."""
    if as_json or not _is_terminal(sys.stderr):
        yield _Progress()
        return
    from rich.console import Console

    with Console(stderr=True).status(begin) as line:
        yield _Progress(line)
