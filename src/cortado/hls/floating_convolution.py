"""A convolution on the floating-point kernels, and how far it may be from float64.

Source of the bound: Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1: a sum of products in
which no operand passes more than n roundings is off by at most gamma(n) = n u / (1 - n u) times the sum of the
magnitudes, u half the distance from 1 to the next number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortado.errors import GraphError
from cortado.gateware.memory_layout import MapLayout
from cortado.hls.convolution_call import DIRECT, WINOGRAD
from cortado.hls.floating import FloatingConfiguration
from cortado.hls.kernel_library import KernelLibrary
from cortado.hls.weight_packing import pack_kernels
from cortado.winograd.tiling import TileGrid

_RECORD = np.dtype([("bias", "<f4"), ("zero", "<u2"), ("flags", "u1"), ("last", "u1")])
RELU_FLAG = 1 << 6
KERNEL = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatingConvolution:
    """A 3 x 3 convolution of stride 1 in the value type of `configuration`.

    `weight` is (K, C, 3, 3), `bias` (K,) float32; `pad` counts the zeros at (top, bottom, left, right). Raises
    `GraphError` for another kernel.
    """

    configuration: FloatingConfiguration
    weight: NDArray[np.floating]
    bias: NDArray[np.float32]
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    relu: bool = False

    def __post_init__(self) -> None:
        if self.weight.ndim != 4 or self.weight.shape[2:] != (KERNEL, KERNEL):
            raise GraphError(f"floating convolution: weight must have shape (K, C, {KERNEL}, {KERNEL}), not "
                             f"{self.weight.shape}")

    def run(self, library: KernelLibrary, maps: NDArray[np.floating], *, winograd: bool = True) -> NDArray[np.floating]:
        """Maps (N, C, H, W) of the value type through the Winograd kernel, or the direct one: (N, K, P, Q)."""
        configuration = self.configuration
        grid = TileGrid(transform=configuration.transform, height=maps.shape[2], width=maps.shape[3], pad=self.pad)
        filters, channels = self.weight.shape[:2]
        source = self._layout(len(maps), channels, *maps.shape[2:], lanes=configuration.pc)
        target = self._layout(len(maps), filters, grid.out_height, grid.out_width, lanes=configuration.pk)
        edge = configuration.m if winograd else 1
        rows, columns = self._block(grid, edge)
        blocks = -(-grid.out_height // (rows * edge)) * -(-grid.out_width // (columns * edge))
        scalars = (maps.shape[2], maps.shape[3], self.pad[0], self.pad[2], grid.out_height, grid.out_width,
                   source.blocks, target.blocks, rows, columns, rows, 0, blocks)
        packed = source.pack(maps.astype(configuration.dtype).view(source.data_type))
        output, weights = np.zeros(target.size_bytes, np.uint8), self._weights(winograd)
        for image in range(len(maps)):
            library.call(WINOGRAD if winograd else DIRECT, packed[image * source.image_pitch :], weights,
                         output[image * target.image_pitch :], *scalars,
                         *(() if winograd else (KERNEL, KERNEL, 1, 1, 1, 1)))
        return target.unpack(output).view(configuration.dtype)

    def exact(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """The same in float64."""
        sums = _sums(maps.astype(np.float64), self.weight.astype(np.float64), self.pad)
        sums += self.bias.astype(np.float64)[:, np.newaxis, np.newaxis]
        return np.maximum(sums, 0) if self.relu else sums

    def bound(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """How far the Winograd kernel in float may be from `exact`, for each value."""
        transform = self.configuration.transform
        bt, g, at = (np.abs(np.array(matrix, np.float64)) for matrix in transform.published)
        grid = TileGrid(transform=transform, height=maps.shape[2], width=maps.shape[3], pad=self.pad)
        u = g @ np.abs(self.weight.astype(np.float64)) @ g.T
        magnitudes = []
        for picture in maps:
            v = bt @ grid.cut(np.abs(picture.astype(np.float64))) @ bt.T
            magnitudes.append(grid.join(at @ np.einsum("kcij,ctij->ktij", u, v) @ at.T))
        # Constants are rounded once, products with them once more, then the terms of a line are added: twice for the
        # input, the weights and the way back; one product; the channels; the bias.
        lines = sum(int((matrix != 0).sum(1).max()) + 1 for matrix in (bt, g, at))
        roundings = 2 * lines + 1 + self.weight.shape[1] + self.configuration.pc + 1
        unit = float(np.finfo(np.float32).eps) / 2
        gamma = roundings * unit / (1 - roundings * unit)
        return gamma * (np.stack(magnitudes) + np.abs(self.bias.astype(np.float64))[:, np.newaxis, np.newaxis])

    def _layout(self, batch: int, channels: int, height: int, width: int, *, lanes: int) -> MapLayout:
        configuration = self.configuration
        return MapLayout(batch=batch, channels=channels, height=height, width=width, lanes=lanes,
                         beat_bytes=configuration.beat_bytes, data_bits=8 * configuration.dtype.itemsize)

    def _block(self, grid: TileGrid, edge: int) -> tuple[int, int]:
        """Rows and columns of tiles: one row of whole width. Raises `GraphError` where it does not fit."""
        columns, tiles = -(-grid.out_width // edge), self.configuration.tiles
        if columns > tiles:
            raise GraphError(f"floating convolution: a row must have at most {tiles} tiles (tiles of the "
                             f"configuration), not {columns}")
        return 1, columns

    def _weights(self, winograd: bool) -> NDArray[np.uint8]:
        configuration = self.configuration
        filters, channels = self.weight.shape[:2]
        padding = [(0, -filters % configuration.pk), (0, -channels % configuration.pc), (0, 0), (0, 0)]
        records = np.zeros(filters + padding[0][1], _RECORD)
        records["bias"][:filters] = self.bias
        records["flags"] = RELU_FLAG if self.relu else 0
        return pack_kernels(np.pad(self.weight.astype(configuration.dtype), padding), records.view(np.uint8),
                            pk=configuration.pk, pc=configuration.pc, beat_bytes=configuration.beat_bytes,
                            winograd=winograd)


def error_growth(convolution: FloatingConvolution, library: KernelLibrary, maps: NDArray[np.floating]) -> float:
    """The mean error of the Winograd kernel against float64, over that of the direct kernel in the same type."""
    exact = convolution.exact(maps.astype(convolution.configuration.dtype))
    errors = [float(np.abs(convolution.run(library, maps, winograd=winograd).astype(np.float64) - exact).mean())
              for winograd in (True, False)]
    return errors[0] / errors[1]


def _sums(maps: NDArray[np.float64], weight: NDArray[np.float64], pad: tuple[int, int, int, int]
          ) -> NDArray[np.float64]:
    top, bottom, left, right = pad
    padded = np.pad(maps, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), axis=(2, 3))
    return np.einsum("kcrs,ncpqrs->nkpq", weight, windows, optimize=True)
