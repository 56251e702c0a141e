"""The most an engine with a memory port can do on a convolution, whoever builds it.

Two mappings are considered and the better one counts. *Winograd*: the kernel is cut into 3 x 3 pieces, those of the
phases of a stride each by itself, and every piece costs the (m + 2)**2 products of a tile. *Pointwise*: each tap is a
1 x 1 convolution, one product for each output. Channels count as if they filled the lanes of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod

# A channel record: bias, multiplier, shift.
RECORD_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class ConvolutionGeometry:
    """The sizes of a convolution; pairs are (vertical, horizontal), `pads` has zeros on both sides."""

    batch: int
    channels: int
    filters: int
    size: tuple[int, int]
    out_size: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int] = (0, 0)
    group: int = 1
    data_bytes: int = 1
    """Of a value of a map."""
    weight_bytes: int = 1

    @property
    def pairs(self) -> int:
        """Kernels: pairs of an input and an output channel."""
        return self.channels // self.group * self.filters

    @property
    def outputs(self) -> int:
        """Pixels of the output, over the batch."""
        return self.batch * prod(self.out_size)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the direct computation, over the batch."""
        return self.outputs * self.pairs * prod(self.kernel)

    @property
    def bytes_in(self) -> int:
        """Bytes that have to be read at least once: kernels, channel records and the pixels a kernel touches."""
        touched = prod(min(size, out * kernel) for size, out, kernel in zip(
            self.size, self.out_size, self.kernel, strict=True))
        return (self.pairs * prod(self.kernel) * self.weight_bytes + self.filters * RECORD_BYTES
                + self.batch * self.channels * touched * self.data_bytes)

    @property
    def bytes_out(self) -> int:
        """Bytes that have to be written."""
        return self.outputs * self.filters * self.data_bytes


@dataclass(frozen=True, kw_only=True)
class Roofline:
    """Ceilings of F(m x m, 3 x 3) with `multipliers` and ports of `beat_bytes` on one convolution.

    Ceilings are MACs of the direct computation for each multiplier and cycle.
    """

    geometry: ConvolutionGeometry
    m: int
    multipliers: int
    beat_bytes: int

    @property
    def peak(self) -> float:
        """The ceiling far from every edge: 2.25, 4 or 5.06 for 3 x 3 by m, 1 for 1 x 1."""
        return max(1.0, prod(self.geometry.kernel) * self.m**2 / (self._pieces * (self.m + 2)**2))

    @property
    def with_edges(self) -> float:
        """The ceiling with whole tiles only, images of a batch laid side by side where that takes fewer."""
        return self.geometry.macs / (self.multipliers * self.compute_cycles)

    @property
    def with_memory(self) -> float:
        """The ceiling with whole tiles and the memory port: the roofline."""
        return self.geometry.macs / (self.multipliers * self.cycles)

    @cached_property
    def compute_cycles(self) -> float:
        """Cycles of the products with every multiplier busy."""
        products = (self.m + 2)**2
        winograd = self._pieces * self._tiles
        pointwise = prod(self.geometry.kernel) * ceil(self.geometry.outputs / products)
        return min(winograd, pointwise) * products * self.geometry.pairs / self.multipliers

    @property
    def read_cycles(self) -> int:
        """Cycles of the read port to bring everything once."""
        return ceil(self.geometry.bytes_in / self.beat_bytes)

    @property
    def write_cycles(self) -> int:
        """Cycles of the write port."""
        return ceil(self.geometry.bytes_out / self.beat_bytes)

    @property
    def cycles(self) -> float:
        """The fewest cycles: the slowest of computing, reading and writing."""
        return max(self.compute_cycles, self.read_cycles, self.write_cycles)

    @property
    def bound(self) -> str:
        """What sets the roofline: compute, read or write."""
        cycles = {"compute": self.compute_cycles, "read": self.read_cycles, "write": self.write_cycles}
        return max(cycles, key=lambda name: cycles[name])

    @property
    def _pieces(self) -> int:
        """3 x 3 pieces of the kernel, over the phases of the stride."""
        return prod(sum(ceil(len(range(phase, kernel, stride)) / 3) for phase in range(stride))
                    for kernel, stride in zip(self.geometry.kernel, self.geometry.strides, strict=True))

    @cached_property
    def _tiles(self) -> int:
        """Tiles of one piece over the batch: the images in equal rectangles, with the shared zero lines between."""
        batch = self.geometry.batch
        fewest = batch * self._tiles_of(1, 1)
        for images in range(2, batch + 1):
            for columns in range(1, images + 1):
                fewest = min(fewest, ceil(batch / images) * self._tiles_of(ceil(images / columns), columns))
        return fewest

    def _tiles_of(self, rows: int, columns: int) -> int:
        """Tiles of `rows` x `columns` images side by side, each a pitch of its map and its zeros from the next."""
        tiles = 1
        for count, size, out, stride, pad in zip((rows, columns), self.geometry.size, self.geometry.out_size,
                                                 self.geometry.strides, self.geometry.pads, strict=True):
            pitch = ceil((size + pad) / stride)
            tiles *= ceil(((count - 1) * pitch + out) / self.m)
        return tiles
