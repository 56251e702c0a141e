"""The ladder: reference (float) -> golden (integers) -> device, one FPGA layer at a time.

Only the first step has a tolerance, and it is derived, not chosen: what rounding weights, bias, multiplier and result
can do to this layer on these inputs. Every other step is equal to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from cortado.device.device import Device, DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.engines.job import Job
from cortado.executor.executor import Executor, run_job
from cortado.graph.spec import LayerSpec
from cortado.net.net import Net
from cortado.planner.plan import Placement, Plan
from cortado.planner.quantisation import ACTIVATIONS

# Relative error of a 16-bit multiplier that uses all its bits, and of float32 sums of up to 10,000 terms.
MULTIPLIER_ERROR = 2.0**-16
FLOAT_ERROR = 1e-5


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of one layer: the upper rung against the lower one."""

    layer: str
    lower: str
    upper: str
    equal: bool
    """Within the derived tolerance for the first step, to the bit for every other."""
    compared: int
    """Numbers compared."""
    different: int
    """Numbers beyond the tolerance."""
    max_error: float
    """In steps of the output's scale."""
    mean_error: float
    worst: tuple[int, ...]
    """(n, k, y, x) of the largest error."""
    largest_tolerance: float
    """In steps of the output's scale; 0 where every bit counts."""


def climb(plan: Plan, net: Net, device: Device, inputs: Mapping[str, np.ndarray], *, layers: Collection[str],
          started: Callable[[Placement], None] | None = None) -> tuple[Rung, ...]:
    """Both steps of each of `layers`: golden against reference, the device against golden.

    The input of each layer is what golden makes of the layers before it, so that one layer's difference does not show
    in the next. `inputs` are float32 pictures by blob.
    """
    if layers:
        device.program(plan.cut.engine.design())
    rungs: list[Rung] = []
    with GoldenDevice(DeviceOptions(memory_bytes=device.options.memory_bytes)) as golden:
        executor = Executor(plan, net, golden)
        values = executor.run(inputs).values
    for name in layers:
        if started is not None:
            started(plan.cut.placement(name))
        layer = plan.cut.net.layer(name)
        blob = layer.bottoms[0]
        source = ACTIVATIONS.quantise(values[blob], plan.scales[blob])
        rungs.extend(_climb_layer(plan, net, device, layer, executor.job(name, source), source))
    return tuple(rungs)


def _climb_layer(plan: Plan, net: Net, device: Device, layer: LayerSpec, job: Job,
                 source: np.ndarray) -> tuple[Rung, Rung]:
    golden = job.convolution.golden(source)
    reference, tolerance = _reference(plan, net, layer, source)
    scale = plan.scales[layer.tops[0]]
    # The device saturates; a float result beyond the range counts as the end of the range.
    expected = np.clip(reference / scale, ACTIVATIONS.min, ACTIVATIONS.max)
    result, _ = run_job(device, job, source)
    return (_compare(layer.name, "reference", "golden", expected, golden, tolerance / scale),
            _compare(layer.name, "golden", device.name, golden, result, np.zeros(1)))


def _reference(plan: Plan, net: Net, layer: LayerSpec, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The float layer on the same (dequantised) input, and how far golden may be from it, number by number."""
    layer_format = plan.formats[layer.name]
    values = torch.from_numpy(source.astype(np.float64) * layer_format.input_scale)
    stage = net.stage(layer.name)
    with torch.no_grad():
        reference = stage(values.float())[0].numpy().astype(np.float64)
        # A weight is off by half its scale at most, so a sum is off by half of sum |x|, channel by channel.
        channels = source.shape[1]
        ones = torch.ones((1, channels, *layer.parameters.kernel), dtype=torch.float64)
        magnitude = functional.conv2d(values.abs(), ones, padding=layer.parameters.pads).numpy()
    weight_scales = np.asarray(layer_format.weight_scales)[None, :, None, None]
    tolerance = (
        magnitude * weight_scales / 2
        + layer_format.input_scale * weight_scales / 2
        + layer_format.output_scale * (0.5 + MULTIPLIER_ERROR * 2 * ACTIVATIONS.max)
        + FLOAT_ERROR * (np.abs(reference) + magnitude * weight_scales * ACTIVATIONS.max)
    )
    return reference, tolerance


def _compare(layer: str, lower: str, upper: str, expected: np.ndarray, actual: np.ndarray,
             tolerance: np.ndarray) -> Rung:
    errors = np.abs(actual.astype(np.float64) - expected)
    beyond = errors > tolerance
    worst = tuple(int(index) for index in np.unravel_index(int(errors.argmax()), errors.shape))
    return Rung(layer=layer, lower=lower, upper=upper, equal=not beyond.any(), compared=errors.size,
                different=int(np.count_nonzero(beyond)), max_error=float(errors.max()),
                mean_error=float(errors.mean()), worst=worst, largest_tolerance=float(tolerance.max()))
