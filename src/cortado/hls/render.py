"""Renders the C++ of the kernels from the templates in top-level `hls/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import jinja2

from cortado import __version__
from cortado.gateware.configuration import BURST_BEATS, WinogradConfiguration
from cortado.hls.kernel_configuration import ARRANGE_CYCLES, KernelConfiguration
from cortado.hls.linear_expression import shifted_sum
from cortado.resources import hls_root
from cortado.simulation.memory_model import MemoryModel
from cortado.winograd.division import ExactDivision
from cortado.winograd.transform import WinogradTransform
from cortado.winograd.width import WinogradWidths

KERNELS_FOLDER = "kernels"
SUFFIX = ".j2"
PORTS = ("input", "weights", "output")
OPERANDS = ("first", "second")
# Inputs of an inner product on chip: those of VGG's first.
LARGEST_INPUTS = 25088
WHOLE_NUMBERS = (
    "Each row is scaled to whole numbers. Constants are shifts and additions, modulo two to the width of the result,",
    "in which every result fits. A sum is a multiple of the scale modulo two to its width: it is shifted, then",
    "multiplied by the inverse of the odd part.")
# Of a memory port in co-simulation, unless told.
DEFAULT_DEPTH = 2**16


@lru_cache(maxsize=16)
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


def kernel_files(configuration: WinogradConfiguration, depths: Mapping[str, int] | None = None) -> dict[str, str]:
    """The text of every kernel and header by file name; the same arguments always give the same texts.

    `depths` are the beats of each memory port that co-simulation needs room for.
    """
    kernels = KernelConfiguration(configuration)
    values = kernel_values(kernels, {port: DEFAULT_DEPTH for port in (*PORTS, *OPERANDS)} | dict(depths or {}))
    folder = hls_root() / KERNELS_FOLDER
    return {path.name.removesuffix(SUFFIX): render(f"{KERNELS_FOLDER}/{path.name}", kernels, values)
            for path in sorted(folder.glob(f"*{SUFFIX}"))}


def render(template: str, kernels: KernelConfiguration, values: Mapping[str, Any]) -> str:
    """One file; its banner names the template, the parameters and the configuration hash."""
    return render_text(template, f"{kernels.engine}; configuration {kernels.engine.hash}", values)


def render_text(template: str, parameters: str, values: Mapping[str, Any]) -> str:
    """One file whose banner has these parameters."""
    return _template(template).render(banner=f"cortado {__version__}: {template}; {parameters}", **values)


def kernel_values(kernels: KernelConfiguration, depths: Mapping[str, int]) -> dict[str, Any]:
    """What the templates of the kernels are filled with: finished numbers and expressions."""
    engine, transform, widths = kernels.engine, kernels.engine.transform, kernels.engine.widths
    memory = MemoryModel(beat_bits=engine.beat_bits)
    return {
        **asdict(engine),
        "transform": transform, "r": transform.r, "widths": widths,
        "sum_bits": engine.sum_bits, "product_bits": kernels.product_bits,
        "winograd_pass_beats": engine.pass_beats, "pass_beats": engine.point_pass_beats,
        "record_beats": engine.record_beats, "pairs": kernels.pairs,
        "banks": kernels.banks, "buffer_words": kernels.buffer_words,
        "accumulate_cycles": kernels.accumulate_cycles, "arrange_cycles": ARRANGE_CYCLES,
        "largest_width": kernels.largest_width, "largest_inputs": LARGEST_INPUTS,
        "output_pixels": kernels.output_pixels, "beat_weights": engine.beat_bytes // engine.weight_bytes,
        "burst_beats": BURST_BEATS, "outstanding_bursts": memory.outstanding_bursts,
        "input_sums": [shifted_sum(row, "x") for row in transform.bt],
        "weight_sums": [shifted_sum(row, "x") for row in transform.g],
        "inverse_sums": [shifted_sum(row, "s") for row in transform.at],
        "scale": transform.scale, "transform_notes": WHOLE_NUMBERS, "division": division_statements(transform, widths),
        "memory_ports": lambda names: "\n".join(memory_port(name, depths[name], memory) for name in names),
        "scalar_ports": scalar_ports,
    }


def division_statements(transform: WinogradTransform, widths: WinogradWidths) -> list[str]:
    """The division by the scale: a shift, then the inverse of the odd part modulo two to the rest of the width."""
    division = ExactDivision(transform.scale, widths.accumulator_bits)
    steps = [f"quotient = quotient {'+' if step.sign > 0 else '-'} (quotient << {step.shift});"
             for step in division.steps]
    return [f"y_t quotient = multiple >> {division.v2};", *steps,
            *(["quotient = -quotient;"] if division.negate else []), "return quotient;"]


def memory_port(name: str, depth: int, memory: MemoryModel) -> str:
    """The pragma that makes a pointer an AXI master with a bundle of its own; numbers, for a pragma takes no names."""
    return (f"#pragma HLS INTERFACE mode=m_axi port={name} bundle={name} offset=slave depth={depth} "
            f"latency={memory.latency_cycles} max_read_burst_length={BURST_BEATS} "
            f"max_write_burst_length={BURST_BEATS} num_read_outstanding={memory.outstanding_bursts} "
            f"num_write_outstanding={memory.outstanding_bursts}")


def scalar_ports(names: list[str]) -> str:
    """The pragmas that make scalars, and the start and end of the kernel, registers of an AXI-Lite port."""
    return "\n".join(f"#pragma HLS INTERFACE mode=s_axilite port={name}" for name in [*names, "return"])


def _environment() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(hls_root()), undefined=jinja2.StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
