"""`cortado synth`."""

from __future__ import annotations

from pathlib import Path

import click

from cortado.cli.group import cli
from cortado.cli.options import CLOCK_MHZ, json_option, key_value
from cortado.cli.output import Verdict, show
from cortado.cli.progress import progress_line

DEFAULT_ENGINE = "winograd"


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


@cli.command()
@click.argument("engine_name", metavar="[ENGINE]", default=DEFAULT_ENGINE, callback=_known_engine)
@click.option("--family", "family_name", required=True, callback=_known_family, metavar="xc7|xcup|ecp5",
              help="FPGA family: Xilinx 7 series, Xilinx UltraScale+ or Lattice ECP5.")
@click.option("--engine", "fields", multiple=True, callback=key_value, metavar="FIELD=N,...",
              help="Fields of the engine's configuration, as m=2,pc=2,pk=1.")
@click.option("--pnr", is_flag=True, help="Place and route too (ecp5 only): Fmax and the path that limits it.")
@click.option("--target-mhz", type=CLOCK_MHZ, help="Clock to try for.  [default: 150]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Where placement starts.  [default: 1]")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Copy Verilog, netlist, logs and the report here.")
@json_option
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
    with progress_line(as_json, "starting") as progress:
        synthesis = synthesise(design, families[family_name], place_and_route=pnr, target_mhz=target_mhz or TARGET_MHZ,
                               seed=SEED if seed is None else seed, say=progress.say)
    report = synth_report(synthesis)
    if folder is not None:
        save(synthesis, folder, report.to_json())
    show(report, as_json)
    if synthesis.faults:
        raise Verdict(f"engine '{engine_name}' on {family_name}: {synthesis.faults[0]}")
