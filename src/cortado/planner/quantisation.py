"""Formats: from float ranges and weights to int8 or int16 with scales.

Activations: int8 or int16 as the engine has them, symmetric, one scale a blob (blobs of one scale group share it).
Weights: int8 or int16, symmetric, one scale an output channel. Results come back by an integer multiplier and shift per
output channel, rounding half to even. A leaky ReLU acts on the results, with a slope in 256ths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cortado.errors import ConfigurationError, PlanError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.layers.convolution_view import ConvolutionView, kernel_weight
from cortado.numerics.convolution import IntegerConvolution, sum_range
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.leaky_relu import SLOPE_ONE, nearest_slope
from cortado.numerics.requantize import Requantize

INT8 = FixedPoint(width=8)
BIAS = FixedPoint(width=32)


@dataclass(frozen=True, kw_only=True)
class LayerFormat:
    """The numbers of one FPGA layer, as the plan shows them: a real value is its integer times the scale."""

    input_bits: int
    input_scale: float
    weight_bits: int
    weight_scales: tuple[float, ...]
    """One for each output channel."""
    output_bits: int
    output_scale: float
    relu_slope: float | None = None
    """What negative results are multiplied by, a whole number of 256ths; None without a ReLU."""
    clipped_biases: int = 0
    """Biases beyond 32 bits of input scale times weight scale."""

    @property
    def words(self) -> tuple[str, str, str, str]:
        """Input, weights, output and ReLU for people, as in int8 x 0.05."""
        low, high = min(self.weight_scales), max(self.weight_scales)
        relu = "" if self.relu_slope is None else "ReLU"
        if self.relu_slope:
            relu = f"leaky ReLU, {round(self.relu_slope * SLOPE_ONE)}/{SLOPE_ONE}"
        return (f"int{self.input_bits} x {self.input_scale:.3g}",
                f"int{self.weight_bits} x {low:.3g} to {high:.3g}",
                f"int{self.output_bits} x {self.output_scale:.3g}", relu)


def largest_weight(weight_bits: int) -> int:
    """Of int8 weights 127: -128 is left out, so that a weight and its negative are both there."""
    return FixedPoint(width=weight_bits).max


def blob_scales(net: NetSpec, ranges: Mapping[str, float], activations: FixedPoint = INT8) -> dict[str, float]:
    """The scale of every blob: the range over 127 (int16: 32767), of the whole group where blobs share a scale."""
    group_of = {blob: group for group in net.scale_groups for blob in group}
    scales = {}
    for blob in ranges:
        widest = max(ranges[member] for member in group_of.get(blob, {blob}) if member in ranges)
        # A blob that is zero on every picture has no range; any scale represents it.
        scales[blob] = widest / activations.max if widest > 0 else 1.0
    return scales


def negative_slope(layer: LayerSpec) -> float | None:
    """The slope of the ReLU fused into a layer, 0 for the plain one; None without a ReLU."""
    return next((fused.parameters.negative_slope for fused in layer.fused if fused.type == "ReLU"), None)


def quantise_convolution(layer: LayerSpec, bottom: TensorShape, blobs: tuple[np.ndarray, ...],
                         scales: Mapping[str, float], *, data_bits: int = 8,
                         weight_bits: int = 8) -> tuple[IntegerConvolution, LayerFormat]:
    """The integer convolution of a Convolution or InnerProduct layer on a bottom of that shape, and its format.

    `scales` are for activations of `data_bits`. `blobs` are the float weight as the layer has it and, where it has one,
    the bias (K,). Raises `PlanError` naming the layer when its scales or the slope of its ReLU cannot be represented.
    """
    view = ConvolutionView(layer=layer, bottom=bottom)
    weight = kernel_weight(layer, blobs[0])
    bias = blobs[1].astype(np.float64) if len(blobs) > 1 else np.zeros(len(weight))
    input_scale, output_scale = scales[layer.bottoms[0]], scales[layer.tops[0]]
    widest = np.abs(weight).reshape(len(weight), -1).max(axis=1).astype(np.float64)
    # A bias beyond what its bits hold takes resolution from the weights of its channel, as long as they have it to
    # spare: those of int8 do not.
    if weight_bits > INT8.width:
        widest = np.maximum(widest, np.abs(bias) * largest_weight(weight_bits) / (input_scale * BIAS.max))
    weight_scales = np.where(widest > 0, widest / largest_weight(weight_bits), 1.0)
    # By output channel: all of an inner product's weights in float64 would take a gigabyte.
    numbers = np.stack([np.rint(kernels.astype(np.float64) / scale).astype(FixedPoint(width=weight_bits).dtype)
                        for kernels, scale in zip(weight, weight_scales, strict=True)])
    sums = np.rint(bias / (input_scale * weight_scales))
    clipped = int(np.count_nonzero((sums < BIAS.min) | (sums > BIAS.max)))
    try:
        requantize = Requantize.from_scale(input_scale * weight_scales / output_scale,
                                           sums=sum_range(data_bits, weight_bits))
    except ConfigurationError as error:
        raise PlanError(f"layer '{layer.name}': {error}") from None
    real_slope = negative_slope(layer)
    slope = nearest_slope(real_slope or 0)
    if slope is None:
        raise PlanError(f"layer '{layer.name}': the slope of its ReLU must be from 0 to 255/256 on the FPGA, "
                        f"not {real_slope:g}; keep the layer on the host (--host {layer.name})")
    convolution = IntegerConvolution(
        weight=numbers, bias=np.clip(sums, BIAS.min, BIAS.max).astype(np.int32), multiplier=requantize.multiplier,
        shift=requantize.shift, pad=view.pad, stride=view.stride, dilation=view.dilation, group=view.group,
        relu=real_slope is not None, slope=slope, data_bits=data_bits)
    return convolution, LayerFormat(
        input_bits=data_bits, input_scale=input_scale, weight_bits=weight_bits,
        weight_scales=tuple(float(scale) for scale in weight_scales), output_bits=data_bits,
        output_scale=output_scale, relu_slope=None if real_slope is None else slope / SLOPE_ONE, clipped_biases=clipped)
