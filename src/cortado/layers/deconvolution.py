"""Deconvolution: the transpose of a convolution over (N, C, H, W)."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.convolution import ConvolutionParameters, grouped_picture_dims
from cortado.layers.layer import Layer, layer_types


@layer_types.register("Deconvolution")
class Deconvolution(Layer):
    """What a Convolution with these parameters does backward, as Caffe's `deconv_layer.cpp`: (N, C, H, W) ->
    (N, K, OH, OW) with OH = stride * (H - 1) + kernel extent - 2 * pad.

    Blobs: weight (C, K / group, kernel height, kernel width), bias (K,) unless `bias_term` is false.
    """

    parameters_type = ConvolutionParameters
    parameters_field = "convolution_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        batch, _, height, width = grouped_picture_dims(spec, bottoms[0])
        sizes = []
        for side, size, kernel, stride, pad, dilation in zip(
                ("height", "width"), (height, width), parameters.kernel, parameters.strides, parameters.pads,
                parameters.dilations, strict=True):
            full = stride * (size - 1) + dilation * (kernel - 1) + 1
            if full <= 2 * pad:
                raise spec.error(f"pad must leave something of the {full} that the {side} of bottom "
                                 f"'{spec.bottoms[0]}' grows to, it takes {2 * pad}")
            sizes.append(full - 2 * pad)
        return (TensorShape((batch, parameters.num_output, *sizes)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        weight = TensorShape((bottoms[0].dims[1], parameters.num_output // parameters.group, *parameters.kernel))
        return (weight, TensorShape((parameters.num_output,))) if parameters.bias_term else (weight,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        batch, _, height, width = bottoms[0].dims
        return batch * height * width * cls.blob_shapes(spec, bottoms)[0].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """He-normal by the values that meet in one result: channels of a group times taps over strides."""
        weight, *biases = shapes
        fan_in = weight.dims[0] // spec.parameters.group * math.prod(weight.dims[2:]) / math.prod(
            spec.parameters.strides)
        values = (generator.standard_normal(weight.dims) * math.sqrt(2 / fan_in)).astype(np.float32)
        return (values, *(np.zeros(bias.dims, np.float32) for bias in biases))

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        bias = self.blobs[1] if parameters.bias_term else None
        return (functional.conv_transpose2d(bottoms[0], self.blobs[0], bias, parameters.strides, parameters.pads,
                                            groups=parameters.group, dilation=parameters.dilations),)
