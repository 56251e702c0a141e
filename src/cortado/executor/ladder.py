"""The ladder: reference (float) -> golden (integers) -> device, one FPGA layer at a time.

Only the first step has a tolerance, and it is derived, not chosen: what rounding weights, bias, multiplier and result
can do to this layer on these inputs. Every other step is equal to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from cortado.device.device import Device
from cortado.executor.executor import Executor, run_job
from cortado.graph.spec import LayerSpec
from cortado.net.net import Net
from cortado.planner.plan import Plan
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


class Ladder:
    """Climbs the ladder for FPGA layers of a plan; each layer's input is what golden made of the layers before it."""

    def __init__(self, plan: Plan, net: Net, device: Device) -> None:
        self._plan, self._net, self._device = plan, net, device

    def climb(self, layer: LayerSpec, source: np.ndarray, executor: Executor) -> tuple[Rung, Rung]:
        """Both steps of one layer on int8 maps (N, C, H, W): golden against reference, the device against golden."""
        job = executor.job(layer.name, source)
        golden = job.convolution.golden(source)
        reference, tolerance = self._reference(layer, source)
        scale = self._plan.scales[layer.tops[0]]
        # The device saturates; a float result beyond the range counts as the end of the range.
        expected = np.clip(reference / scale, ACTIVATIONS.min, ACTIVATIONS.max)
        first = _compare(layer.name, "reference", "golden", expected, golden, tolerance / scale)
        result, _ = run_job(self._device, job, source)
        second = _compare(layer.name, "golden", self._device.name, golden, result, np.zeros(1))
        return first, second

    def _reference(self, layer: LayerSpec, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The float layer on the same (dequantised) input, and how far golden may be from it, number by number."""
        layer_format = self._plan.formats[layer.name]
        values = torch.from_numpy(source.astype(np.float64) * layer_format.input_scale)
        stage = self._net.stage(layer.name)
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
