"""What a layer gives in float, and how far its integers may be from that.

Two bounds, both derived. Golden is the exact sum over rounded weights and biases times a factor, rounded once: from
the real value of just that it is off by half a step and what sixteen bits do to the factor. And rounding weights and
biases moves a sum by no more than half a step of each weight times its input. The first bound is narrow enough to show
a single wrong weight; the second shows a scale that does not fit its weights, which the first would follow.

A leaky ReLU shrinks both bounds where it acts, and adds to them: golden rounds once more, and its slope is a whole
number of 256ths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from cortado.layers.convolution_view import ConvolutionView, kernel_weight
from cortado.net.net import Stage
from cortado.numerics.fixed_point import FixedPoint
from cortado.planner.quantisation import LayerFormat, largest_weight, negative_slope

# Relative error of a 16-bit multiplier that uses all its bits.
MULTIPLIER_ERROR = 2.0**-16
# Of a factor below 2**-33, itself: half of the last bit of a multiplier at the largest shift.
SMALL_FACTOR_ERROR = 2.0**-49
# Of float32 sums of up to 10,000 terms, and of the few float64 operations on an exact sum.
FLOAT_ERROR = 1e-5
DOUBLE_ERROR = 1e-12


@dataclass(frozen=True)
class Reference:
    """One layer on integer maps. All arrays are float64 (N, K, H, W), in steps of the output's scale."""

    values: np.ndarray
    """The layer in float."""
    rounded: np.ndarray
    """With weights and biases rounded to their formats, and nothing else."""
    tolerance: np.ndarray
    """How far golden may be from `rounded`."""
    weight_tolerance: np.ndarray
    """How far `rounded` may be from `values`."""

    def beyond(self, golden: np.ndarray) -> np.ndarray:
        """Where golden is farther off than rounding explains, bool (N, K, H, W)."""
        return ((np.abs(golden - self.rounded) > self.tolerance)
                | (np.abs(self.rounded - self.values) > self.weight_tolerance))

    @property
    def largest_tolerance(self) -> float:
        """The largest distance of golden from `values` that rounding explains."""
        return float((np.abs(self.rounded - self.values) + self.tolerance).max())


def make_reference(view: ConvolutionView, stage: Stage, layer_format: LayerFormat, source: np.ndarray) -> Reference:
    """What a layer gives for the integer maps `source` (N, C, H, W); `stage` is its module in the float network."""
    input_scale, step = layer_format.input_scale, layer_format.output_scale
    weight_scales = np.asarray(layer_format.weight_scales)[:, None, None]
    blob, *biases = (blob.detach().numpy() for blob in stage.layer.blobs)
    weight = kernel_weight(view.layer, blob).astype(np.float64)
    bias = biases[0].astype(np.float64)[:, None, None] if biases else np.zeros_like(weight_scales)
    activations, widest = FixedPoint(width=layer_format.output_bits), largest_weight(layer_format.weight_bits)
    numbers = np.clip(np.rint(weight / weight_scales[..., None]), -widest, widest)
    weight_step = input_scale * weight_scales / step
    sums = _convolve(view, source, numbers) + np.rint(bias / (input_scale * weight_scales))
    rounded = sums * weight_step
    bottom = (source * input_scale).astype(np.float32).reshape(-1, *view.bottom.dims[1:])
    with torch.no_grad():
        (top,) = stage(torch.from_numpy(bottom))
    values = top.numpy().astype(np.float64).reshape(rounded.shape) / step

    real_slope = negative_slope(view.layer)
    if real_slope:
        # Back to what the ReLU got: there the bounds are those of a layer without one.
        values = np.where(values < 0, values / real_slope, values)
    # A sum is off by half a weight's step times the sum of the inputs' magnitudes.
    magnitudes = _magnitudes(view, source)
    weight_tolerance = ((magnitudes + 1) * weight_step / 2
                        + FLOAT_ERROR * (np.abs(values) + magnitudes * weight_step * widest))
    # From twice the range on, a number is beyond it whatever the factor.
    factor_error = np.maximum(np.minimum(np.abs(rounded), 2 * activations.max) * MULTIPLIER_ERROR,
                              np.abs(sums) * SMALL_FACTOR_ERROR)
    tolerance = (0.5 + factor_error) * (1 + DOUBLE_ERROR)
    # The device saturates; a float result beyond the range counts as the end of the range.
    values = np.clip(values, activations.min, activations.max)
    rounded = np.clip(rounded, activations.min, activations.max)
    slope = layer_format.relu_slope
    if slope is not None:
        # Where both are negative, all is shrunk; the slopes of the two differ by a rounding, too.
        weight_tolerance = (np.where((values < 0) & (rounded < 0), slope, 1) * weight_tolerance
                            + abs(slope - real_slope) * np.maximum(-values, 0))
        tolerance = np.where(rounded < 0, slope * tolerance + 0.5, tolerance)
        values = np.maximum(values, real_slope * values)
        rounded = np.maximum(rounded, slope * rounded)
    return Reference(values, rounded, tolerance, weight_tolerance)


def _magnitudes(view: ConvolutionView, source: np.ndarray) -> np.ndarray:
    """The sum of the inputs' magnitudes under each window, float64 (N, K or 1, P, Q): of an output channel's group."""
    channels = view.maps.dims[1] // view.group
    sums = _convolve(view, np.abs(source.astype(np.int32)), np.ones((view.group, channels, *view.kernel)))
    return np.repeat(sums, view.filters // view.group, axis=1) if view.group > 1 else sums


def _convolve(view: ConvolutionView, source: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Whole numbers in float64: exact sums below 2**53."""
    vertical, _, horizontal, _ = view.pad
    return functional.conv2d(torch.from_numpy(source.astype(np.float64)), torch.from_numpy(weight), stride=view.stride,
                             padding=(vertical, horizontal), dilation=view.dilation, groups=view.group).numpy()
