"""What `cortado generate --target hls` writes: the kernels of a network as an HLS project, with golden vectors."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cortado import __version__
from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.errors import CortadoError
from cortado.executor.bundle import require_one_engine
from cortado.executor.executor import Executor
from cortado.executor.fpga_layer import FpgaLayer
from cortado.executor.ladder import noise
from cortado.executor.output_folder import MANIFEST_FILE, file_stem, new_folder
from cortado.hls.convolution_call import ConvolutionCalls
from cortado.hls.estimate import estimate
from cortado.hls.project import VECTORS, HlsProject, LayerVectors, faults
from cortado.net.net import Net
from cortado.planner.plan import Plan

HLS_MANIFEST_VERSION = 1
RANDOM_SEED = 0
# Maps each layer is run on: what golden makes of the pictures, and random numbers over the whole range.
INPUTS = ("pictures", "random")
TOOLS = ("hls4ml",)


def write_hls_bundle(plan: Plan, net: Net, inputs: Mapping[str, np.ndarray], folder: Path, *, part: str,
                     clock_mhz: float, force: bool = False) -> dict[str, object]:
    """Write the project of a plan to `folder` and return its manifest; `inputs` are float32 pictures by blob.

    The folder appears whole or not at all. Raises `PlanError` when no layer runs on the FPGA or one is no convolution,
    `LayerError` when one does not fit the kernels, `ToolError` without the headers of the HLS types, and as
    `new_folder` does.
    """
    require_one_engine(plan)
    placed = [FpgaLayer(plan, name) for name in plan.cut.fpga_layers]
    with GoldenDevice(DeviceOptions()) as device:
        values = Executor(plan, net, device).run(inputs, keep={layer.spec.bottoms[0] for layer in placed}).values
    maps = {layer.name: layer.operands(values)[0] for layer in placed}
    layers = tuple(LayerVectors(stem=file_stem(index, layer.name), inputs=INPUTS,
                                convolution=ConvolutionCalls(job=layer.job(maps[layer.name].shape)))
                   for index, layer in enumerate(placed))
    design = plan.cut.engine.design()
    project = HlsProject(network=plan.cut.net.name, configuration=design.configuration, layers=layers, part=part,
                         clock_mhz=clock_mhz)
    with new_folder(folder, force=force) as new:
        project.write(new)
        (new / VECTORS).mkdir()
        for layer in layers:
            _write_vectors(layer, maps[layer.convolution.job.layer], new / VECTORS)
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
            "layers": [{"layer": layer.convolution.job.layer, "kernel": layer.convolution.kernel,
                        "calls": len(layer.convolution.calls()), "macs": layer.convolution.job.shape.macs,
                        **asdict(estimate(layer.convolution))} for layer in layers],
            "calibration": plan.calibration,
            "formats": {name: asdict(layer_format) for name, layer_format in plan.formats.items()},
            "tools": {"cortado": __version__, "python": platform.python_version(),
                      **{name: importlib.metadata.version(name) for name in TOOLS}},
        }
        (new / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def _write_vectors(layer: LayerVectors, maps: np.ndarray, folder: Path) -> None:
    """Weights, input and expected output of a layer, and which bytes of the output count."""
    job = layer.convolution.job
    layer.convolution.weights.tofile(folder / layer.file("weights"))
    for name, numbers in zip(INPUTS, (maps, noise(maps, np.random.default_rng(RANDOM_SEED))), strict=True):
        expected = job.golden(numbers)
        job.source.pack(numbers).tofile(folder / layer.file(name, "input"))
        job.target.pack(expected).tofile(folder / layer.file(name, "expected"))
    job.target.pack(np.full_like(expected, -1)).tofile(folder / layer.file("counts"))
