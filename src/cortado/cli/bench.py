"""`cortado bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cortado.cli.group import Commands, cli
from cortado.cli.options import (
    CLOCK_MHZ,
    DEFAULT_CLOCK_MHZ,
    LARGEST_SEED,
    device_option,
    json_option,
    key_value,
    token_option,
)
from cortado.cli.output import Verdict, show
from cortado.cli.pipeline import LONG_SECONDS, read_token
from cortado.cli.progress import Progress, progress_line

# Rooms are imported inside the commands: torch and amaranth take seconds, and help must not wait for them.
if TYPE_CHECKING:
    from cortado.bench.engine_bench import EngineResult
    from cortado.bench.preset import EngineRun
    from cortado.bench.results_file import ResultsFile

# What `bench engine` runs unless told: every kind of convolution, in seconds once the simulator is built.
BENCH_NETWORKS = ("alexnet", "squeezenet")


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


@cli.group(cls=Commands)
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
@click.option("--engine", "fields", multiple=True, callback=key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, as m=4,pc=2,pk=2.")
@device_option("Who runs the layers; it must count cycles")
@token_option
@click.option("--port-bits", type=int, help="Width of the memory port, the field beat_bits.")
@click.option("--latency-cycles", type=int, default=64, show_default=True, help="Latency of the memory.")
@click.option("--outstanding-bursts", type=int, default=16, show_default=True, help="Most bursts in flight.")
@click.option("--memory-mib", type=click.IntRange(1, 4096), default=256, show_default=True,
              help="Memory of the device.")
@click.option("--max-cycles", type=click.IntRange(1), help="Give a layer up after this many cycles.")
@click.option("--clock-mhz", type=CLOCK_MHZ, default=DEFAULT_CLOCK_MHZ, show_default=True,
              help="Clock GOPS are told at; it is assumed.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For maps and weights.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Keep measurements in this file; layers it has are not run again.")
@json_option
def bench_engine(preset_name: str | None, networks: tuple[str, ...], patterns: tuple[str, ...], kind: str | None,
                 batch: int | None, clock_mhz: float, seed: int, output: Path | None, as_json: bool,
                 **options: Any) -> None:
    """Run convolutions of published networks at RTL, beside their ceilings.

    Maps and weights are random over the whole range of the engine's formats; every result is compared with golden.
    Each layer is told with its cycles, idle cycles by cause, and the roofline: the fewest cycles its tiles and the
    memory port allow. Ctrl-C ends it; with -o it goes on where it stopped.
    """
    from cortado.bench.preset import EngineRun, Preset, Workload, presets
    from cortado.bench.results_file import ResultsFile
    from cortado.report.bench_report import bench_report

    if options["device_name"] in ("golden", "csim"):
        raise click.UsageError(f"device '{options['device_name']}' has no clock; the cycles of a bench come from "
                               "rtlsim or a board")
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
        with progress_line(as_json) as progress:
            measured = [_bench_run(run, results, progress, seed, options) for run in preset.runs]
    except KeyboardInterrupt:
        if output is not None:
            click.echo(f"measurements kept in {output}: {len(results)}; the same command goes on from there",
                       err=True)
        raise
    show(bench_report(measured, [run.bars for run in preset.runs], title=preset.title, clock_mhz=clock_mhz), as_json)
    if not any(result.layers for result in measured):
        raise Verdict("bench engine: at least one layer must be one the engine takes, none is; the report says why")
    different = [layer.layer for result in measured for layer in result.layers if layer.measurement.different]
    if different:
        raise Verdict(f"network '{different[0].network}': every layer must equal golden to the bit, layer "
                       f"'{different[0].name}' is the first that differs")


def _bench_run(run: EngineRun, results: ResultsFile, progress: Progress, seed: int,
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
                                   max_cycles=options["max_cycles"], progress=progress.cycles,
                                   token=read_token(options["token_file"]))
    bench_of_engine = EngineBench(engine, device_options, results=results, seed=seed, address=options["device_name"],
                                  started=progress.bench_layer)
    return bench_of_engine.run(layers, times_generation=run.times_generation)
