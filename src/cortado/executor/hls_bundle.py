"""What `cortado generate --target hls` writes: the kernels of a network as an HLS project, with golden vectors."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cortado import __version__
from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.errors import CortadoError
from cortado.executor.bundle import require_one_engine
from cortado.executor.executor import Executor
from cortado.executor.hls_layer import hls_layers
from cortado.executor.ladder import noise
from cortado.executor.output_folder import MANIFEST_FILE, file_stem, new_folder
from cortado.hls.project import VECTORS, WEIGHTS, HlsProject, LayerVectors, faults
from cortado.net.net import Net
from cortado.planner.plan import Plan

HLS_MANIFEST_VERSION = 1
RANDOM_SEED = 0
# Maps each layer is run on: what golden makes of the pictures, and random numbers over the whole range.
INPUTS = ("pictures", "random")
TOOLS = ("hls4ml",)


def write_hls_bundle(plan: Plan, net: Net, inputs: Mapping[str, np.ndarray], folder: Path, *, part: str,
                     clock_mhz: float, kernels: Collection[str] = (), force: bool = False) -> dict[str, object]:
    """Write the project of a plan to `folder` and return its manifest; `inputs` are float32 pictures by blob.

    `kernels` of `WANTED_KERNELS` are written beside those the layers on the FPGA run on. The folder appears whole or
    not at all. Raises `PlanError` when no layer runs on the FPGA or none of the network runs on a kernel that is
    wanted, `LayerError` when one does not fit the kernels, `ToolError` without the headers of the HLS types, and as
    `new_folder` does.
    """
    require_one_engine(plan)
    runs = hls_layers(plan, kernels)
    with GoldenDevice(DeviceOptions()) as device:
        values = Executor(plan, net, device).run(inputs, keep={bottom for run in runs for bottom in run.bottoms}).values
    maps = [run.operands(values) for run in runs]
    layers = tuple(LayerVectors(stem=file_stem(index, run.name), inputs=INPUTS, calls=run.calls(operands))
                   for index, (run, operands) in enumerate(zip(runs, maps, strict=True)))
    design = plan.cut.engine.design()
    project = HlsProject(network=plan.cut.net.name, configuration=design.configuration, layers=layers, part=part,
                         clock_mhz=clock_mhz)
    with new_folder(folder, force=force) as new:
        project.write(new)
        (new / VECTORS).mkdir()
        for layer, operands in zip(layers, maps, strict=True):
            _write_vectors(layer, operands, new / VECTORS)
        found = faults(new)
        if found:
            raise CortadoError(f"network '{project.network}': the scripts must agree with the kernels; "
                               f"{'; '.join(found)}")
        manifest = {
            "manifest": HLS_MANIFEST_VERSION,
            "network": project.network,
            "engine": plan.cut.engine.name,
            "configuration": asdict(design.configuration),
            "configuration_hash": design.configuration_hash,
            "part": part,
            "clock_mhz": clock_mhz,
            "kernels": list(project.kernels),
            "layers": [{"layer": layer.calls.layer, "kernel": layer.calls.kernel, "calls": len(layer.calls.calls()),
                        "macs": layer.calls.macs, "estimated_cycles": layer.calls.cycles,
                        "estimated_dsps": layer.calls.dsps} for layer in layers],
            "calibration": plan.calibration,
            "formats": {name: asdict(layer_format) for name, layer_format in plan.formats.items()},
            "tools": {"cortado": __version__, "python": platform.python_version(),
                      **{name: importlib.metadata.version(name) for name in TOOLS}},
        }
        (new / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def _write_vectors(layer: LayerVectors, maps: Sequence[np.ndarray], folder: Path) -> None:
    """Weights, operands and expected output of a layer, and which bytes of the output count."""
    calls, rng = layer.calls, np.random.default_rng(RANDOM_SEED)
    if calls.weights is not None:
        calls.weights.tofile(folder / layer.file(WEIGHTS))
    for name, operands in zip(INPUTS, (maps, [noise(numbers, rng) for numbers in maps]), strict=True):
        expected = calls.golden(*operands)
        ports = [port for port in calls.ports[:-1] if port != WEIGHTS]
        for port, numbers in zip(ports, operands, strict=True):
            calls.pack(numbers).tofile(folder / layer.file(name, port))
        calls.pack_result(expected).tofile(folder / layer.file(name, "expected"))
    calls.pack_result(np.full_like(expected, -1)).tofile(folder / layer.file("counts"))
