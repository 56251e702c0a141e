"""The convolutions of a network, by shape alone, and random numbers to run them with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from cortado.bench.roofline import ConvolutionGeometry
from cortado.errors import CortadoError
from cortado.frontends.model import load_model
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.net.shape_inference import bottom_shapes, infer_shapes
from cortado.numerics.convolution import IntegerConvolution, sum_range
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.requantize import Requantize

# Kinds of convolutions a bench can be limited to.
KINDS = ("3x3", "1x1", "all")

# Standard deviations of the results between 0 and the end of their format: some saturate and most do not.
DEVIATIONS_IN_RANGE = 3
BIAS = FixedPoint(width=32)


@dataclass(frozen=True, kw_only=True)
class BenchLayer:
    """One convolution of a network on a batch, with maps and weights of `data_bits` and `weight_bits`: 8 or 16."""

    network: str
    spec: LayerSpec
    bottom: TensorShape
    top: TensorShape
    data_bits: int = 8
    weight_bits: int = 8

    @property
    def name(self) -> str:
        """Of the layer in its network."""
        return self.spec.name

    @property
    def geometry(self) -> ConvolutionGeometry:
        """Its sizes."""
        parameters = self.spec.parameters
        batch, channels, *size = self.bottom.dims
        return ConvolutionGeometry(
            batch=batch, channels=channels, filters=parameters.num_output, size=tuple(size),
            out_size=self.top.dims[2:], kernel=parameters.kernel, strides=parameters.strides,
            dilations=parameters.dilations, pads=parameters.pads, group=parameters.group,
            data_bytes=self.data_bits // 8, weight_bytes=self.weight_bits // 8)

    @property
    def kind(self) -> str:
        """3x3 or 1x1 for these kernels without stride and dilation, else other."""
        geometry = self.geometry
        plain = geometry.strides == geometry.dilations == (1, 1)
        return {(3, 3): "3x3", (1, 1): "1x1"}.get(geometry.kernel, "other") if plain else "other"

    @property
    def words(self) -> str:
        """Its sizes: 64x56x56 -> 192, 3x3, and stride, dilation, groups where there are some."""
        geometry = self.geometry
        text = (f"{geometry.channels}x{geometry.size[0]}x{geometry.size[1]} -> {geometry.filters}, "
                f"{geometry.kernel[0]}x{geometry.kernel[1]}")
        if geometry.strides != (1, 1):
            text += "/" + "x".join(str(stride) for stride in sorted(set(geometry.strides)))
        if geometry.dilations != (1, 1):
            text += f" dilated {geometry.dilations[0]}x{geometry.dilations[1]}"
        return text + (f" in {geometry.group} groups" if geometry.group > 1 else "")

    def source(self, seed: int) -> np.ndarray:
        """Maps over the whole range of int8 or int16, (N, C, H, W); the same for the same seed."""
        return _evenly(self._random(seed, "maps"), self.data_bits, self.bottom.dims)

    def convolution(self, seed: int) -> IntegerConvolution:
        """Weights over the whole range of int8 or int16, scaled so that the results fill theirs.

        Biases are as large as the sums, as far as their 32 bits hold that.
        """
        random, geometry = self._random(seed, "weights"), self.geometry
        shape = (geometry.filters, geometry.channels // geometry.group, *geometry.kernel)
        deviation = _deviation(self.data_bits) * _deviation(self.weight_bits) * np.sqrt(np.prod(shape[1:]))
        highest = FixedPoint(width=self.data_bits).max
        requantize = Requantize.from_scale(
            np.full(geometry.filters, highest / (DEVIATIONS_IN_RANGE * deviation)),
            result=FixedPoint(width=self.data_bits), sums=sum_range(self.data_bits, self.weight_bits))
        (vertical, horizontal), spread = geometry.pads, min(int(deviation), BIAS.max)
        return IntegerConvolution(
            weight=_evenly(random, self.weight_bits, shape),
            bias=random.integers(-spread, spread + 1, geometry.filters, np.int32), multiplier=requantize.multiplier,
            shift=requantize.shift, pad=(vertical, vertical, horizontal, horizontal), stride=geometry.strides,
            dilation=geometry.dilations, group=geometry.group, data_bits=self.data_bits)

    def _random(self, seed: int, use: str) -> np.random.Generator:
        # The name goes in as well: two layers of one shape are to differ.
        words = hashlib.sha256(f"{seed} {self.network} {self.name} {use}".encode()).digest()
        return np.random.default_rng(int.from_bytes(words[:8], "little"))


def _deviation(bits: int) -> float:
    """Standard deviation of numbers drawn evenly from a format of so many bits."""
    return float(np.sqrt((4**bits - 1) / 12))


def _evenly(random: np.random.Generator, bits: int, shape: tuple[int, ...]) -> np.ndarray:
    number = FixedPoint(width=bits)
    return random.integers(number.min, number.max + 1, shape, number.dtype)


def layers_of(network: str, *, batch: int, kind: str = "all", patterns: Iterable[str] = ("*",)) -> list[BenchLayer]:
    """The convolutions of a network of that `kind` whose names match one of `patterns`, in the order they run.

    `network` is what `load_model` takes. Raises `ModelFileError` and `GraphError` as it does, and `CortadoError` for a
    pattern no convolution matches.
    """
    model = load_model(network)
    shapes = infer_shapes(model.spec, batch=batch)
    found = [BenchLayer(network=model.name, spec=layer, bottom=bottom_shapes(layer, shapes)[0],
                        top=shapes[layer.tops[0]])
             for layer in model.spec.layers if layer.type == "Convolution"]
    for pattern in patterns:
        if not any(fnmatchcase(layer.name, pattern) for layer in found):
            raise CortadoError(f"network '{model.name}': a convolution must match '{pattern}', none does (it has: "
                               f"{', '.join(layer.name for layer in found) or 'none'})")
    return [layer for layer in found if kind in ("all", layer.kind)
            and any(fnmatchcase(layer.name, pattern) for pattern in patterns)]
