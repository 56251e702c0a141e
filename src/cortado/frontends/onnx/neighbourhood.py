"""Local response normalisation as torch writes it: out of squares, padding and an average across channels.

torch.nn.LocalResponseNorm becomes x / (k + alpha * AveragePool(Pad(x * x)))**beta, with reshapes that make the channels
an axis which pooling runs along. No layer is made for the parts: they are gathered here and become one LRN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cortado.errors import ModelFileError
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.reshaped import add_reshape
from cortado.frontends.onnx.translation import Blob, Translation
from cortado.layers.lrn import LRNParameters
from cortado.layers.power import PowerParameters


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """As far as the parts have come: (k + alpha * mean over `size` channels of source**2)**beta.

    `size`, `alpha`, `k` and `beta` are None before their part. `dims` is the present shape, `padding` how many channels
    of zeros there are before and behind.
    """

    node: Node
    source: Blob
    dims: tuple[int, ...]
    axis: int | None = None
    padding: tuple[int, int] = (0, 0)
    size: int | None = None
    alpha: float | None = None
    k: float | None = None
    beta: float | None = None

    @property
    def only_squares(self) -> bool:
        """Whether nothing has come of the squares yet, so that pooling them runs over the picture."""
        return self.axis is None and self.dims == self.source.shape.dims

    def blob(self, net: Translation) -> Blob:
        """The squares, which others than local response normalisation may want too."""
        if self.axis is not None:
            raise self._refusal(self.node)
        squares = net.add(self.node, "Power", (self.source,), PowerParameters(power=2.0),
                          part="" if self.dims == self.source.shape.dims else "square")
        return add_reshape(self.node, net, squares, self.dims)

    def reshaped(self, node: Node, dims: tuple[int, ...]) -> Neighbourhood:
        """The same values in other dimensions."""
        if self.axis is not None and self.size is None:
            raise self._refusal(node)
        return replace(self, node=node, dims=dims)

    def padded(self, node: Node, pads: tuple[int, ...]) -> Neighbourhood:
        """Zeros around; there must be some along one axis only, the channels."""
        rank = len(self.dims)
        along = {index % rank for index, count in enumerate(pads) if count}
        if self.axis is not None or len(pads) != 2 * rank or len(along) != 1 or min(pads) < 0:
            raise self._refusal(node)
        axis = along.pop()
        self._check_channels(node, axis)
        padding = (pads[axis], pads[rank + axis])
        dims = (*self.dims[:axis], self.dims[axis] + sum(padding), *self.dims[axis + 1:])
        return replace(self, node=node, axis=axis, padding=padding, dims=dims)

    def averaged(self, node: Node) -> Neighbourhood:
        """The average over a window that is long in one axis only, the channels."""
        spatial = len(self.dims) - 2
        kernel = node.integers("kernel_shape")
        node.ignore("ceil_mode")
        pads = node.integers("pads", (0,) * 2 * spatial)
        if (self.size is not None or len(kernel) != spatial or sum(extent != 1 for extent in kernel) > 1
                or node.integers("strides", (1,) * spatial) != (1,) * spatial or len(pads) != 2 * spatial
                or node.integers("dilations", (1,) * spatial) != (1,) * spatial
                or node.text("auto_pad", "NOTSET") != "NOTSET"
                or (any(pads) and not node.integer("count_include_pad", 0))):
            raise self._refusal(node)
        node.ignore("count_include_pad")
        part = self if self.axis is not None else self.padded(node, (0, 0, *pads[:spatial], 0, 0, *pads[spatial:]))
        if part.axis < 2 or (part is self and any(pads)) or max(kernel) != kernel[part.axis - 2]:
            raise self._refusal(node)
        size, channels = kernel[part.axis - 2], self.source.shape.dims[1]
        if part.padding != (size // 2, size // 2) or size % 2 == 0:
            raise node.error(f"local response normalisation must be over an odd number of channels centred on each, "
                             f"not over {size} with {part.padding[0]} before and {part.padding[1]} behind")
        dims = (*part.dims[:part.axis], channels, *part.dims[part.axis + 1:])
        return replace(part, node=node, size=size, dims=dims)

    def times(self, node: Node, factor: float) -> Neighbourhood:
        """The factor alpha."""
        if self.size is None or self.alpha is not None or self.k is not None:
            raise self._refusal(node)
        return replace(self, node=node, alpha=factor)

    def plus(self, node: Node, summand: float) -> Neighbourhood:
        """The summand k."""
        if self.size is None or self.k is not None:
            raise self._refusal(node)
        return replace(self, node=node, k=summand)

    def raised(self, node: Node, exponent: float) -> Neighbourhood:
        """The exponent beta."""
        if self.size is None or self.beta is not None:
            raise self._refusal(node)
        return replace(self, node=node, beta=exponent)

    def dividing(self, node: Node, net: Translation, bottom: Blob) -> Blob:
        """The layer, once the values it normalises are divided by it."""
        if self.beta is None or bottom != self.source or self.dims != bottom.shape.dims:
            raise self._refusal(node)
        parameters = LRNParameters(local_size=self.size, alpha=1.0 if self.alpha is None else self.alpha,
                                   k=self.k or 0.0, beta=self.beta)
        return net.add(node, "LRN", (bottom,), parameters)

    def _check_channels(self, node: Node, axis: int) -> None:
        """The reshapes must have kept the channels whole, as that axis."""
        batch, channels, *places = self.source.shape.dims
        found = math.prod(self.dims[:axis]), self.dims[axis], math.prod(self.dims[axis + 1:])
        if found != (batch, channels, math.prod(places)):
            raise self._refusal(node)

    def _refusal(self, node: Node) -> ModelFileError:
        return node.error("squares that are padded or averaged must become local response normalisation as "
                          "torch.nn.LocalResponseNorm writes it: nothing else is supported")
