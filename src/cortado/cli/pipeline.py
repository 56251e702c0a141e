"""From options to a pipeline and a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

# Rooms are imported inside the commands: torch and amaranth take seconds, and help must not wait for them.
if TYPE_CHECKING:
    from cortado.device.device import Device
    from cortado.executor.mixed_pipeline import MixedPipeline
    from cortado.planner.plan import Cut

# A simulation expected to take longer is announced.
LONG_SECONDS = 5.0


def pipeline_of(model: str, batch: int, options: dict[str, Any]) -> MixedPipeline:
    """A model as the options of `model_options` and `or_engine_options` want it cut."""
    from cortado.executor.mixed_pipeline import MixedPipeline
    from cortado.frontends.model import load_model

    return MixedPipeline(load_model(model, weights=options["weights"], mean=options.get("mean")), batch=batch, **{
        name: options[name] for name in ("fields", "fpga", "host", "inner_products", "strict", "seed")},
        other_fields=options.get("other_fields", ()),
        program_cycles=1e3 * options.get("program_ms", 0) * (options.get("clock_mhz") or 0))


def model_notes(pipeline: MixedPipeline) -> dict[str, str]:
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


def open_chosen_device(address: str, max_cycles: int | None, memory_mib: int, wave: Path | None,
                       progress: Callable[[int], None], *, timeout_s: float | None = None,
                       token_file: Path | None = None, wave_cycles: tuple[int, int] | None = None,
                       look_cycles: int | None = None) -> Device:
    """A device as the options of `device_options` want it."""
    from cortado.device.device import DeviceOptions, open_device

    if wave_cycles is not None and wave is None:
        raise click.UsageError("--wave-cycles says which cycles of a wave; add --wave FILE")
    return open_device(address, DeviceOptions(memory_bytes=memory_mib * 2**20, max_cycles=max_cycles,
                                              timeout_s=timeout_s, progress=progress, wave=wave,
                                              wave_cycles=wave_cycles, look_cycles=look_cycles,
                                              token=read_token(token_file)))


def read_token(file: Path | None) -> str | None:
    """The token in a file, without blanks around it; None without a file. Raises `DeviceError`."""
    from cortado.errors import DeviceError

    if file is None:
        return None
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(f"token file '{file}': it must be a text that can be read ({error})") from None
    if not token.isascii() or not token.isprintable() or not token:
        raise DeviceError(f"token file '{file}': it must hold one line of printable ASCII")
    return token


def announce(cut: Cut, parts: int = 1) -> None:
    """Say on standard error how long a long simulation of so many parts will take."""
    from cortado.simulation.pace import expected_seconds, words

    cycles = parts * sum(place.estimate.cycles for place in cut.placements if place.estimate)
    seconds = expected_seconds(cycles, cut.engine.multipliers)
    if seconds > LONG_SECONDS:
        click.echo(f"about {cycles:,} cycles to simulate, {words(seconds)}; Ctrl-C ends it cleanly", err=True)
