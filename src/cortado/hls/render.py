"""Renders the C++ of the kernels from the templates in top-level `hls/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import jinja2

from cortado import __version__
from cortado.gateware.configuration import BURST_BEATS, WinogradConfiguration
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.linear_expression import shifted_sum
from cortado.resources import hls_root
from cortado.simulation.memory_model import MemoryModel
from cortado.winograd.division import ExactDivision

KERNELS_FOLDER = "kernels"
SUFFIX = ".j2"


def kernel_files(configuration: WinogradConfiguration) -> dict[str, str]:
    """The text of every kernel and header by file name; the same configuration always gives the same texts."""
    kernels = KernelConfiguration(configuration)
    folder = hls_root() / KERNELS_FOLDER
    return {path.name.removesuffix(SUFFIX): render(f"{KERNELS_FOLDER}/{path.name}", kernels, kernel_values(kernels))
            for path in sorted(folder.glob(f"*{SUFFIX}"))}


def render(template: str, kernels: KernelConfiguration, values: Mapping[str, Any]) -> str:
    """One file; its banner names the template, the parameters and the configuration hash."""
    engine = kernels.engine
    banner = (f"cortado {__version__}: {template}; {engine}; configuration {engine.hash}")
    return _environment().get_template(template).render(banner=banner, **values)


def kernel_values(kernels: KernelConfiguration) -> dict[str, Any]:
    """What the templates of the kernels are filled with: finished numbers and expressions."""
    engine, transform, widths = kernels.engine, kernels.engine.transform, kernels.engine.widths
    division = ExactDivision(transform.scale, widths.accumulator_bits)
    memory = MemoryModel(beat_bits=engine.beat_bits)
    return {
        **asdict(engine),
        "transform": transform, "r": transform.r, "widths": widths,
        "sum_bits": engine.sum_bits, "product_bits": kernels.product_bits,
        "winograd_pass_beats": engine.pass_beats, "pass_beats": engine.point_pass_beats,
        "record_beats": engine.record_beats, "pairs": kernels.pairs,
        "banks": kernels.banks, "buffer_words": kernels.buffer_words,
        "accumulate_cycles": kernels.accumulate_cycles,
        "burst_beats": BURST_BEATS, "outstanding_bursts": memory.outstanding_bursts,
        "memory_latency": memory.latency_cycles,
        "input_sums": [shifted_sum(row, "x") for row in transform.bt],
        "weight_sums": [shifted_sum(row, "x") for row in transform.g],
        "inverse_sums": [shifted_sum(row, "s") for row in transform.at],
        "scale": transform.scale, "v2": transform.v2, "odd": transform.odd,
        "division_steps": [{"sign": "+" if step.sign > 0 else "-", "shift": step.shift} for step in division.steps],
        "negate": division.negate,
        "memory_ports": memory_ports, "scalar_ports": scalar_ports,
    }


def memory_ports(names: list[str]) -> str:
    """The pragmas that make pointers AXI masters, each with a bundle of its own."""
    return "\n".join(
        f"#pragma HLS INTERFACE mode=m_axi port={name} bundle={name} offset=slave latency=MEMORY_LATENCY "
        f"max_read_burst_length=BURST_BEATS max_write_burst_length=BURST_BEATS "
        f"num_read_outstanding=OUTSTANDING_BURSTS num_write_outstanding=OUTSTANDING_BURSTS" for name in names)


def scalar_ports(names: list[str]) -> str:
    """The pragmas that make scalars, and the start and end of the kernel, registers of an AXI-Lite port."""
    return "\n".join(f"#pragma HLS INTERFACE mode=s_axilite port={name}" for name in [*names, "return"])


def _environment() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(hls_root()), undefined=jinja2.StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
