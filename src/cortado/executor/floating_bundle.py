"""What `cortado generate --target hls --precision` writes: the convolutions and LRN of a network in floating point."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from cortado import __version__
from cortado.errors import CortadoError, PlanError
from cortado.executor.hls_bundle import INPUTS, RANDOM_SEED
from cortado.executor.output_folder import MANIFEST_FILE, file_stem, new_folder
from cortado.gateware.configuration import WinogradConfiguration
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.floating_calls import FloatingCalls
from cortado.hls.floating_convolution import FloatingConvolution, takes_winograd
from cortado.hls.floating_normalisation import FloatingNormalisation
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.hls.project import VECTORS, WEIGHTS, FloatingProject, LayerVectors, faults
from cortado.layers.convolution_view import ConvolutionView
from cortado.layers.lrn import NormRegion
from cortado.net.net import Net

FLOATING_MANIFEST_VERSION = 1


def write_floating_bundle(net: Net, engine: WinogradConfiguration, inputs: Mapping[str, np.ndarray], folder: Path, *,
                          value: str, part: str, clock_mhz: float, force: bool = False) -> dict[str, object]:
    """Write the project of a network to `folder` and return its manifest; `inputs` are float32 pictures by blob.

    m, pc and pk are those of `engine`. 3 x 3 convolutions of stride 1 run on the Winograd kernel and on the direct one,
    so that their errors can be compared. The folder appears whole or not at all. Raises `PlanError` where there is
    nothing to write or a layer is none the kernels take, `ConfigurationError` for an engine they do not follow,
    `LayerError` where a layer does not fit, `ToolError` without the headers of the HLS types, and as `new_folder` does.
    """
    configuration = _configuration(net, engine, value)
    with torch.no_grad():
        values = net({name: torch.from_numpy(array) for name, array in inputs.items()})
    layers, maps = [], []
    for spec in net.spec.layers:
        for calls in _calls(net, spec, values, configuration):
            layers.append(LayerVectors(stem=file_stem(len(layers), calls.layer), inputs=INPUTS, calls=calls))
            maps.append(_normalised(values[spec.bottoms[0]].numpy(), calls))
    if not layers:
        raise PlanError(f"network '{net.spec.name}': must have a Convolution or LRN to write in floating point")
    project = FloatingProject(network=net.spec.name, configuration=configuration, layers=tuple(layers), part=part,
                              clock_mhz=clock_mhz)
    with new_folder(folder, force=force) as new:
        project.write(new)
        (new / VECTORS).mkdir()
        for layer, pictures in zip(layers, maps, strict=True):
            _write_vectors(layer, pictures, new / VECTORS)
        found = faults(new)
        if found:
            raise CortadoError(f"network '{project.network}': the scripts must agree with the kernels; "
                               f"{'; '.join(found)}")
        manifest = {
            "manifest": FLOATING_MANIFEST_VERSION, "network": project.network, "precision": value,
            "configuration": asdict(configuration), "part": part, "clock_mhz": clock_mhz,
            "kernels": list(project.kernels),
            "layers": [{"layer": layer.calls.layer, "kernel": layer.calls.kernel, "calls": len(layer.calls.calls()),
                        "macs": layer.calls.macs} for layer in layers],
            "tools": {"cortado": __version__, "python": platform.python_version()},
        }
        (new / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def _configuration(net: Net, engine: WinogradConfiguration, value: str) -> FloatingConfiguration:
    """The kernels for a network. Raises `PlanError` where its LRN layers differ in what the kernel is built for."""
    sizes = {}
    for spec in net.spec.layers:
        if spec.type == "LRN":
            if spec.parameters.norm_region is not NormRegion.ACROSS_CHANNELS:
                raise PlanError(f"layer '{spec.name}': the LRN kernel works across channels, not within each, so the "
                                "network cannot be written")
            sizes.setdefault(spec.parameters.local_size, spec.name)
    if len(sizes) > 1:
        raise PlanError(f"network '{net.spec.name}': its LRN layers must have one local_size for one kernel, not "
                        f"{' and '.join(f'{size} ({name})' for size, name in sizes.items())}")
    memory = KernelConfiguration(engine)
    return FloatingConfiguration(
        value=value, m=engine.m, pc=engine.pc, pk=engine.pk, beat_bits=engine.beat_bits, tiles=engine.tiles,
        buffer_words=memory.buffer_words, **({"local_size": next(iter(sizes))} if sizes else {}))


def _calls(net: Net, spec: LayerSpec, values: Mapping[str, torch.Tensor],
           configuration: FloatingConfiguration) -> list[FloatingCalls]:
    """A layer on every kernel that runs it, each group of a convolution by itself; none for another type."""
    if spec.type == "LRN":
        parameters = spec.parameters
        return [FloatingNormalisation(name=spec.name, configuration=configuration,
                                      dims=tuple(values[spec.bottoms[0]].shape), alpha=parameters.alpha,
                                      beta=parameters.beta, k=parameters.k)]
    if spec.type != "Convolution":
        return []
    view = ConvolutionView(layer=spec, bottom=TensorShape(tuple(values[spec.bottoms[0]].shape)))
    fused = [layer for layer in spec.fused if layer.type == "ReLU"]
    if any(layer.parameters.negative_slope for layer in fused):
        raise PlanError(f"layer '{spec.name}': the floating kernels have the plain ReLU, not one with a slope")
    batch, channels, height, width = view.maps.dims
    blobs = net.weights()[spec.name]
    filters, inside = view.filters // view.group, channels // view.group
    found: list[FloatingCalls] = []
    for group in range(view.group):
        rows = slice(group * filters, (group + 1) * filters)
        direct = FloatingConvolution(
            name=spec.name if view.group == 1 else f"{spec.name} group {group}", configuration=configuration,
            weight=blobs[0][rows], bias=blobs[1][rows] if len(blobs) > 1 else np.zeros(filters, np.float32),
            dims=(batch, inside, height, width), pad=view.pad, stride=view.stride, dilation=view.dilation,
            relu=bool(fused), winograd=False, first_channel=group * inside)
        if takes_winograd(view.kernel, view.stride, view.dilation):
            found.append(replace(direct, winograd=True))
        found.append(direct)
    return found


def _normalised(maps: np.ndarray, calls: FloatingCalls) -> np.ndarray:
    """The channels that a layer reads, the largest of them 1 so that half does not overflow where pictures go in."""
    first = calls.first_channel
    read = maps[:, first : first + calls.dims[1]]
    return read / max(float(np.abs(read).max()), np.finfo(np.float32).tiny)


def _write_vectors(layer: LayerVectors[FloatingCalls], pictures: np.ndarray, folder: Path) -> None:
    """Weights, operand, what float64 makes of it and how far a result may be from that."""
    calls, rng = layer.calls, np.random.default_rng(RANDOM_SEED)
    if calls.weights is not None:
        calls.weights.tofile(folder / layer.file(WEIGHTS))
    for name, maps in zip(INPUTS, (pictures, rng.standard_normal(calls.dims)), strict=True):
        rounded = maps.astype(calls.configuration.dtype)
        calls.pack(rounded).tofile(folder / layer.file(name, "input"))
        calls.place(calls.exact(rounded)).tofile(folder / layer.file(name, "expected"))
        calls.place(calls.bound(rounded)).tofile(folder / layer.file(name, "bound"))
