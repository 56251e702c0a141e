"""`cortado bench device`."""

from __future__ import annotations

import click

from cortado.cli.bench import bench
from cortado.cli.options import LARGEST_SEED, json_option, key_value, memory_option
from cortado.cli.output import Verdict, show
from cortado.cli.progress import progress_line

# 3x3 layers that take seconds each.
DEFAULT_NETWORK = "vgg_a"


@bench.command(name="device")
@click.option("--network", default=DEFAULT_NETWORK, show_default=True, metavar="MODEL",
              help="Network to take convolutions from.")
@click.option("--layer", "patterns", multiple=True, metavar="PATTERN", help="Only layers of such names, as 'conv3_*'.")
@click.option("--kind", type=click.Choice(("3x3", "1x1", "all")), default="all", show_default=True,
              help="Kernels, without stride.")
@click.option("--batch", type=click.IntRange(1, 1024), default=1, show_default=True, help="Images of a job.")
@click.option("--engine", "fields", multiple=True, callback=key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, as m=4,pc=2,pk=2.")
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True, help="Runs of each; the least counts.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="For maps and weights.")
@memory_option
@json_option
def bench_device(network: str, patterns: tuple[str, ...], kind: str, batch: int, fields: dict[str, int], repeats: int,
                 seed: int, memory_mib: int, as_json: bool) -> None:
    """Time the driver against the bare simulator, and a served device against the driver.

    The three run in turns, each layer with packed operands in and the result out.
    """
    from cortado.bench.device_bench import DeviceBench
    from cortado.bench.layer import layers_of
    from cortado.device.device import DeviceOptions
    from cortado.engines.engine import engine_types
    from cortado.report.device_bench_report import device_bench_report

    engine = engine_types["winograd"].from_fields(fields)
    layers = layers_of(network, batch=batch, kind=kind, patterns=patterns or ("*",))
    with progress_line(as_json) as progress:
        times = DeviceBench(engine, DeviceOptions(memory_bytes=memory_mib * 2**20), repeats=repeats, seed=seed,
                            started=progress.bench_layer).run(layers)
    if not times:
        raise Verdict("bench device: at least one layer must be one the engine takes, none is; cortado bench engine "
                      "says why")
    show(device_bench_report(engine, times, repeats=repeats), as_json)
