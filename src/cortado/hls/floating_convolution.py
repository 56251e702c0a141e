"""A convolution on the floating-point kernels, and how far it may be from float64.

Source of the bound: Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1: a sum of products in
which no operand passes more than n roundings is off by at most gamma(n) = n u / (1 - n u) times the sum of the
magnitudes, u half the distance from 1 to the next number. A rounding to the type of the maps is off by at most
u (|x| + t), t the smallest normal number of that type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cortado.errors import GraphError, LayerError
from cortado.gateware.memory_layout import MapLayout
from cortado.hls.convolution_call import DIRECT, WINOGRAD
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.floating_calls import FloatingCalls, place, rounding_error
from cortado.hls.kernel_calls import KernelCall
from cortado.hls.kernel_library import KernelLibrary
from cortado.hls.weight_packing import pack_kernels
from cortado.winograd.tiling import TileGrid

_RECORD = np.dtype([("bias", "<f4"), ("zero", "<u2"), ("flags", "u1"), ("last", "u1")])
RELU_FLAG = 1 << 6
KERNEL = 3
SINGLE = np.dtype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatingConvolution(FloatingCalls):
    """A convolution of maps of shape `dims` (N, C, H, W) in the value type of `configuration`.

    `weight` is (K, C, R, S), `bias` (K,) float32; `pad` counts the zeros at (top, bottom, left, right). With `winograd`
    it runs on the Winograd kernel, which takes 3 x 3 kernels of stride 1; else on the direct one. Raises `GraphError`
    where these do not go together.
    """

    name: str
    configuration: FloatingConfiguration
    weight: NDArray[np.floating]
    bias: NDArray[np.float32]
    dims: tuple[int, int, int, int]
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    relu: bool = False
    winograd: bool = True
    first_channel: int = 0

    def __post_init__(self) -> None:
        if self.weight.ndim != 4 or self.weight.shape[1] != self.dims[1]:
            raise GraphError(f"floating convolution: weight must have shape (K, {self.dims[1]}, R, S), not "
                             f"{self.weight.shape}")
        if self.winograd and not takes_winograd(self.weight.shape[2:], self.stride, self.dilation):
            raise GraphError(f"floating convolution: the Winograd kernel takes {KERNEL} x {KERNEL} with stride and "
                             f"dilation 1, not {self.weight.shape[2:]}, {self.stride}, {self.dilation}")

    @property
    def layer(self) -> str:
        return self.name

    @property
    def kernel(self) -> str:
        return WINOGRAD if self.winograd else DIRECT

    @property
    def macs(self) -> int:
        batch, _, height, width = self.result_dims
        return batch * height * width * self.weight.size

    @property
    def result_dims(self) -> tuple[int, int, int, int]:
        sides = [(size + before + after - reach) // step + 1 for size, before, after, reach, step in zip(
            self.dims[2:], self.pad[::2], self.pad[1::2], self._reach, self.stride, strict=True)]
        return self.dims[0], len(self.weight), sides[0], sides[1]

    @cached_property
    def weights(self) -> NDArray[np.uint8]:
        """Records and weights, uint8."""
        configuration = self.configuration
        filters, channels = self.weight.shape[:2]
        padding = [(0, -filters % configuration.pk), (0, -channels % configuration.pc), (0, 0), (0, 0)]
        records = np.zeros(filters + padding[0][1], _RECORD)
        records["bias"][:filters] = self.bias
        records["flags"] = RELU_FLAG if self.relu else 0
        return pack_kernels(np.pad(self.weight.astype(configuration.dtype), padding), records.view(np.uint8),
                            pk=configuration.pk, pc=configuration.pc, beat_bytes=configuration.beat_bytes,
                            winograd=self.winograd)

    def calls(self) -> list[KernelCall]:
        _, _, height, width = self.dims
        batch, _, out_height, out_width = self.result_dims
        edge, columns = self._edge, self._block_columns
        rows = -(-out_height // edge)
        scalars = {
            "height": height, "width": width, "top": self.pad[0], "left": self.pad[2], "out_height": out_height,
            "out_width": out_width, "channel_blocks": self._source.blocks, "filter_blocks": self._target.blocks,
            "block_rows": 1, "block_columns": columns, "lead_rows": 1, "first_block": 0,
            "blocks": rows * -(-self._tile_columns // columns)}
        if not self.winograd:
            kernel = self.weight.shape[2:]
            scalars |= {"kernel_height": kernel[0], "kernel_width": kernel[1], "row_stride": self.stride[0],
                        "column_stride": self.stride[1], "row_dilation": self.dilation[0],
                        "column_dilation": self.dilation[1]}
        return [KernelCall(kernel=self.kernel, scalars=scalars, offsets=(
            image * self._source.image_pitch, 0, image * self._target.image_pitch)) for image in range(batch)]

    def run(self, library: KernelLibrary, maps: NDArray[np.floating]) -> NDArray[np.floating]:
        """Maps (N, C, H, W) of the value type through the kernel: (N, K, P, Q)."""
        packed, output = self.pack(maps), np.zeros(self._target.size_bytes, np.uint8)
        for call in self.calls():
            library.run(call, packed, self.weights, output)
        return self._target.unpack(output).view(self.configuration.dtype)

    def pack(self, operand: NDArray[np.floating]) -> NDArray[np.uint8]:
        return self._source.pack(operand.astype(self.configuration.dtype).view(self._source.data_type))

    def place(self, result: NDArray[np.float64]) -> NDArray[np.float64]:
        return place(self._target, result)

    def exact(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        sums = self._sums(maps.astype(np.float64), self.weight.astype(np.float64))
        sums += self.bias.astype(np.float64)[:, np.newaxis, np.newaxis]
        return np.maximum(sums, 0) if self.relu else sums

    def bound(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """For each value: what its terms may lose, then what its way into the type of the maps may."""
        dtype, weight = self.configuration.dtype, np.abs(self.weight.astype(np.float64))
        bias = np.abs(self.bias.astype(np.float64))[:, np.newaxis, np.newaxis]
        channels, taps = self.weight.shape[1], self.weight.shape[2] * self.weight.shape[3]
        if self.winograd:
            terms, magnitudes = channels, self._winograd_magnitudes(maps, weight)
            roundings, narrowings = self._transform_roundings, 3
        else:
            terms = channels * taps
            magnitudes = self._sums(np.abs(maps.astype(np.float64)), weight) + self._least * terms
            roundings, narrowings = 0, 1
        # The product, the sum over the channels, of pc of them first, and the bias.
        roundings += 1 + terms + self.configuration.pc + 1
        unit = float(np.finfo(SINGLE).eps) / 2
        lost = roundings * unit / (1 - roundings * unit)
        if dtype != SINGLE:
            lost = (1 + lost) * (1 + float(np.finfo(dtype).eps) / 2) ** narrowings - 1
        lost = lost * (magnitudes + bias)
        return lost + rounding_error(self.exact(maps), lost, dtype)

    @property
    def _transform_roundings(self) -> int:
        """Roundings on the way into Winograd's domain and back.

        Constants are rounded once, products with them once more, then the terms of a line are added: twice for the
        input, the weights and the way back.
        """
        return 2 * sum(int((np.array(matrix) != 0).sum(1).max()) + 1
                       for matrix in self.configuration.transform.published)

    def _winograd_magnitudes(self, maps: NDArray[np.floating], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums of magnitudes that arithmetic in Winograd's domain is off by a part of."""
        transform = self.configuration.transform
        bt, g, at = (np.abs(np.array(matrix, np.float64)) for matrix in transform.published)
        grid = TileGrid(transform=transform, height=self.dims[2], width=self.dims[3], pad=self.pad)
        least = self._least
        u = g @ weight @ g.T + least
        magnitudes = []
        for picture in maps:
            v = bt @ grid.cut(np.abs(picture.astype(np.float64))) @ bt.T + least
            products = np.einsum("kcij,ctij->ktij", u, v, optimize=True) + least * len(picture)
            magnitudes.append(grid.join(at @ products @ at.T))
        return np.stack(magnitudes)

    @property
    def _least(self) -> float:
        """The number below which numbers are rounded to the type of the maps like it; sums are float and stay so."""
        dtype = self.configuration.dtype
        return 0.0 if dtype == SINGLE else float(np.finfo(dtype).smallest_normal)

    def _sums(self, maps: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        top, bottom, left, right = self.pad
        padded = np.pad(maps, ((0, 0), (0, 0), (top, bottom), (left, right)))
        sums = np.zeros(self.result_dims)
        height, width = self.result_dims[2:]
        for row, column in np.ndindex(*self.weight.shape[2:]):
            begin = row * self.dilation[0], column * self.dilation[1]
            seen = padded[:, :, begin[0] : begin[0] + (height - 1) * self.stride[0] + 1 : self.stride[0],
                          begin[1] : begin[1] + (width - 1) * self.stride[1] + 1 : self.stride[1]]
            sums += np.einsum("kc,nchw->nkhw", weight[:, :, row, column], seen, optimize=True)
        return sums

    @property
    def _reach(self) -> tuple[int, ...]:
        return tuple((size - 1) * step + 1 for size, step in zip(self.weight.shape[2:], self.dilation, strict=True))

    @property
    def _edge(self) -> int:
        return self.configuration.m if self.winograd else 1

    @property
    def _tile_columns(self) -> int:
        return -(-self.result_dims[3] // self._edge)

    @property
    def _source(self) -> MapLayout:
        return self._layout(self.dims, self.configuration.pc)

    @property
    def _target(self) -> MapLayout:
        return self._layout(self.result_dims, self.configuration.pk)

    def _layout(self, dims: tuple[int, int, int, int], lanes: int) -> MapLayout:
        batch, channels, height, width = dims
        return MapLayout(batch=batch, channels=channels, height=height, width=width, lanes=lanes,
                         beat_bytes=self.configuration.beat_bytes, data_bits=8 * self.configuration.dtype.itemsize)

    @cached_property
    def _block_columns(self) -> int:
        """Tiles of a block, which is one row of them: as many as fit, to the end of a beat or of the map."""
        for columns in self._columns():
            if columns <= self.configuration.tiles and self._words(columns) <= self.configuration.buffer_words:
                return columns
        raise LayerError(self.name, f"no block of it fits the floating kernel '{self.kernel}': the window of one takes "
                                    f"{self._words(columns)} words of the buffer, which has "
                                    f"{self.configuration.buffer_words} (buffer_words of the configuration)")

    def _columns(self) -> Iterator[int]:
        yield self._tile_columns
        # Columns of tiles that end on a beat.
        pixels = self.configuration.beat_bytes // (self.configuration.pk * self.configuration.dtype.itemsize)
        step = max(1, pixels // self._edge)
        yield from range((self._tile_columns - 1) // step * step, 0, -step)

    def _words(self, columns: int) -> int:
        banks = self.configuration.banks
        if self.winograd:
            size = self.configuration.transform.alpha, (columns - 1) * self._edge + self.configuration.transform.alpha
        else:
            size = self._reach[0], (columns - 1) * self.stride[1] + self._reach[1]
        return self._source.blocks * -(-size[0] // banks) * -(-size[1] // banks)


def takes_winograd(kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]) -> bool:
    """Whether the Winograd kernel runs such a convolution."""
    return (tuple(kernel), tuple(stride), tuple(dilation)) == ((KERNEL, KERNEL), (1, 1), (1, 1))


def error_growth(winograd: FloatingConvolution, direct: FloatingConvolution, library: KernelLibrary,
                 maps: NDArray[np.floating]) -> float:
    """The mean error of the Winograd kernel against float64, over that of the direct kernel in the same type."""
    exact = winograd.exact(maps.astype(winograd.configuration.dtype))
    errors = [float(np.abs(convolution.run(library, maps).astype(np.float64) - exact).mean())
              for convolution in (winograd, direct)]
    return errors[0] / errors[1]
