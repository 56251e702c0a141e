"""Formats: from float ranges and weights to int8 with scales.

Activations: int8, symmetric, one scale a blob (blobs of one scale group share it). Weights: int8, symmetric, one scale
an output channel. Results come back by an integer multiplier and shift per output channel, rounding half to even.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cortado.errors import ConfigurationError, PlanError
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.requantize import Requantize

ACTIVATIONS = FixedPoint(width=8)
# -128 is left out, so that a weight and its negative are both there.
LARGEST_WEIGHT = 127
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
    clipped_biases: int = 0
    """Biases beyond 32 bits of input scale times weight scale."""

    @property
    def words(self) -> tuple[str, str, str]:
        """Input, weights and output for people, as in int8 x 0.05."""
        low, high = min(self.weight_scales), max(self.weight_scales)
        return (f"int{self.input_bits} x {self.input_scale:.3g}",
                f"int{self.weight_bits} x {low:.3g} to {high:.3g}",
                f"int{self.output_bits} x {self.output_scale:.3g}")


def blob_scales(net: NetSpec, ranges: Mapping[str, float]) -> dict[str, float]:
    """The scale of every blob: the range over 127, of the whole group where blobs share a scale."""
    group_of = {blob: group for group in net.scale_groups for blob in group}
    scales = {}
    for blob in ranges:
        widest = max(ranges[member] for member in group_of.get(blob, {blob}) if member in ranges)
        # A blob that is zero on every picture has no range; any scale represents it.
        scales[blob] = widest / ACTIVATIONS.max if widest > 0 else 1.0
    return scales


def quantise_convolution(layer: LayerSpec, blobs: tuple[np.ndarray, ...], scales: Mapping[str, float],
                         ) -> tuple[IntegerConvolution, LayerFormat]:
    """The integer convolution of a layer and its format.

    `blobs` are the float weight (K, C, R, S) and, where the layer has one, the bias (K,). Raises `PlanError` naming the
    layer when its scales cannot be represented.
    """
    weight = blobs[0].astype(np.float64)
    bias = blobs[1].astype(np.float64) if len(blobs) > 1 else np.zeros(len(weight))
    input_scale, output_scale = scales[layer.bottoms[0]], scales[layer.tops[0]]
    widest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    weight_scales = np.where(widest > 0, widest / LARGEST_WEIGHT, 1.0)
    numbers = np.rint(weight / weight_scales[:, None, None, None]).astype(np.int8)
    sums = np.rint(bias / (input_scale * weight_scales))
    clipped = int(np.count_nonzero((sums < BIAS.min) | (sums > BIAS.max)))
    try:
        requantize = Requantize.from_scale(input_scale * weight_scales / output_scale)
    except ConfigurationError as error:
        raise PlanError(f"layer '{layer.name}': {error}") from None
    vertical, horizontal = layer.parameters.pads
    convolution = IntegerConvolution(
        weight=numbers, bias=np.clip(sums, BIAS.min, BIAS.max).astype(np.int32), multiplier=requantize.multiplier,
        shift=requantize.shift, pad=(vertical, vertical, horizontal, horizontal),
        relu=any(fused.type == "ReLU" for fused in layer.fused))
    return convolution, LayerFormat(
        input_bits=ACTIVATIONS.width, input_scale=input_scale, weight_bits=8,
        weight_scales=tuple(float(scale) for scale in weight_scales), output_bits=ACTIVATIONS.width,
        output_scale=output_scale, clipped_biases=clipped)
