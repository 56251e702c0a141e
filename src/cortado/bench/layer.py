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
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.requantize import Requantize

# Kinds of convolutions a bench can be limited to.
KINDS = ("3x3", "1x1", "all")

# Standard deviation of a product of two int8 numbers drawn evenly, and of the results in steps: three of them reach
# the ends of int8, so that some results saturate and most do not.
PRODUCT_DEVIATION = (256**2 - 1) / 12
RESULT_DEVIATION = 43


@dataclass(frozen=True, kw_only=True)
class BenchLayer:
    """One convolution of a network on a batch."""

    network: str
    spec: LayerSpec
    bottom: TensorShape
    top: TensorShape

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
            dilations=parameters.dilations, pads=parameters.pads, group=parameters.group)

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
        """Maps over the whole range of int8, (N, C, H, W); the same for the same seed."""
        return self._random(seed, "maps").integers(-128, 128, self.bottom.dims, np.int8)

    def convolution(self, seed: int) -> IntegerConvolution:
        """Weights over the whole range of int8, scaled so that the results fill theirs."""
        random, geometry = self._random(seed, "weights"), self.geometry
        shape = (geometry.filters, geometry.channels // geometry.group, *geometry.kernel)
        deviation = PRODUCT_DEVIATION * np.sqrt(np.prod(shape[1:]))
        requantize = Requantize.from_scale(np.full(geometry.filters, RESULT_DEVIATION / deviation))
        (vertical, horizontal), spread = geometry.pads, int(deviation)
        return IntegerConvolution(
            weight=random.integers(-128, 128, shape, np.int8),
            bias=random.integers(-spread, spread + 1, geometry.filters, np.int32), multiplier=requantize.multiplier,
            shift=requantize.shift, pad=(vertical, vertical, horizontal, horizontal), stride=geometry.strides,
            dilation=geometry.dilations, group=geometry.group)

    def _random(self, seed: int, use: str) -> np.random.Generator:
        # The name goes in as well: two layers of one shape are to differ.
        words = hashlib.sha256(f"{seed} {self.network} {self.name} {use}".encode()).digest()
        return np.random.default_rng(int.from_bytes(words[:8], "little"))


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
