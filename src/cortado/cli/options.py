"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DEFAULT_MODEL = "digits"

DEFAULT_CLOCK_MHZ = 200.0

# About a full bitstream of 4 MB by a configuration port of 32 bits that is not driven at its limit.
DEFAULT_PROGRAM_MS = 100.0

# What torch takes.
LARGEST_SEED = 2**63 - 1


def key_value(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
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


def several_key_values(context: click.Context, parameter: click.Parameter,
                        values: tuple[str, ...]) -> tuple[dict[str, int], ...]:
    """Each value as a mapping of its own."""
    return tuple(key_value(context, parameter, (value,)) for value in values)


def known_device(context: click.Context, parameter: click.Parameter, address: str | None) -> str | None:
    """The address of a device; one that cannot be is refused before anything is computed."""
    if address is None:
        return None
    from cortado.device.device import parse_address
    from cortado.errors import DeviceError

    try:
        parse_address(address)
    except DeviceError as error:
        raise click.BadParameter(str(error)) from None
    return address


class ClockMhz(click.FloatRange):
    """A clock somebody could build; a range alone lets "nan" through."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        number = super().convert(value, parameter, context)
        if number != number:
            self.fail(f"{value!r} is not a number.", parameter, context)
        return number


class CycleWindow(click.ParamType):
    """FIRST:LAST, two cycles of a job."""

    name = "window"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        first, mark, last = value.partition(":")
        if not (mark and first.isdecimal() and last.isdecimal() and int(first) <= int(last) < 2**63):
            self.fail(f"{value!r} must be FIRST:LAST, two whole numbers of which the second is not the smaller one, as "
                      "in 1000:2000", parameter, context)
        return int(first), int(last)


class ItemShape(click.ParamType):
    """Dimensions without the batch, as 3x227x227."""

    name = "shape"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        dims = value.split("x")
        if not all(dim.isdecimal() and 1 <= int(dim) < 2**31 for dim in dims):
            self.fail(f"{value!r} must be dimensions from 1 on, as in 3x227x227", parameter, context)
        return tuple(int(dim) for dim in dims)


class Interval(click.ParamType):
    """How often something is done: `every` time, or a whole number N."""

    name = "interval"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> int:
        if value == "every":
            return 1
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r} must be every, or a whole number from 1 on", parameter, context)
        return number


CLOCK_MHZ = ClockMhz(0.001, 100_000)


def options_of(*options: Callable) -> Callable:
    def decorate(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command
    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md).")


model_options = options_of(
    click.option("--weights", type=click.Path(path_type=Path),
                 help="A .caffemodel, or a .net of Deep Compression, instead of the model's own."),
    click.option("--engine", "fields", multiple=True, callback=key_value, metavar="FIELD=N,...",
                 help="Fields of the engine's configuration, as m=4,pc=2,pk=2."),
    click.option("--fpga", multiple=True, metavar="LAYER", help="Want this layer on the FPGA, or fail."),
    click.option("--fpga-inner-products", "inner_products", is_flag=True,
                 help="Want inner products on the FPGA where there are several pictures."),
    click.option("--host", multiple=True, metavar="LAYER", help="Keep this layer on the host."),
    click.option("--strict", is_flag=True, help="Fail if a layer wanted on the FPGA falls to the host."),
    click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
                 help="For weights and pictures nobody gives."),
)


or_engine_options = options_of(
    click.option("--or-engine", "other_fields", multiple=True, callback=several_key_values, metavar="FIELD=N,...",
                 help="Another configuration, over that of --engine; layers go where all of them together, and "
                 "programming the device in between, take the least time by estimate."),
    click.option("--program-ms", type=click.FloatRange(0, 1e6), default=DEFAULT_PROGRAM_MS, show_default=True,
                 help="Time it takes to program the device, assumed for --or-engine and for the report."),
    click.option("--clock-mhz", type=CLOCK_MHZ, default=DEFAULT_CLOCK_MHZ, show_default=True,
                 help="Clock the simulated time is told at."),
)


picture_options = options_of(
    click.option("--input", "input_path", type=click.Path(path_type=Path),
                 help="A picture, a folder of pictures, or an .npy file."),
    click.option("--mean", type=click.Path(path_type=Path),
                 help="A mean picture (.npy, .binaryproto) instead of the model's mean."),
    click.option("--percentile", type=float, show_default="the range of least squared error",
                 help="Of the magnitudes of a blob that its range covers."),
)


network_state_options = options_of(
    click.option("--stage", "stages", multiple=True, help="A stage that rules of layers ask for; may be given "
                 "repeatedly."),
    click.option("--level", type=int, help="The level that rules of layers ask for."),
)


memory_option = click.option("--memory-mib", type=click.IntRange(1, 4096), default=256, show_default=True,
                           help="Memory of a simulated device; others have their own.")


token_option = click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False),
                            help="A file with the token of a served device.")


def device_option(purpose: str) -> Callable:
    """`--device`, with what the device is for."""
    return click.option("--device", "device_name", default="rtlsim", show_default=True, callback=known_device,
                        metavar="NAME|URL", help=f"{purpose}: rtlsim (Verilator), csim (HLS C++), golden (exact "
                        "integers), remote://HOST:PORT, or a board (docs/devices.md).")


device_options = options_of(
    device_option("Who runs FPGA layers"),
    click.option("--max-cycles", type=click.IntRange(1), help="Give a job up after this many cycles."),
    click.option("--timeout", "timeout_s", type=click.FloatRange(0.001),
                 help="Give a job up after this many seconds.  [default: what the device says]"),
    memory_option,
    token_option,
    click.option("--wave", type=click.Path(path_type=Path), help="Write an FST wave of the first job."),
    click.option("--wave-cycles", type=CycleWindow(), metavar="FIRST:LAST",
                 help="Of these cycles of the job only.  [default: all]"),
)
