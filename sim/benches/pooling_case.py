"""Random pooling jobs, and what nested loops over their windows make of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from benches.number import int8_numbers
from benches.payload import Plain
from numpy.typing import NDArray

from cortado.errors import GraphError
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.pooling_command import WINDOW_SIZES
from cortado.numerics.pooling import IntegerPooling, PoolingKind

# Kernel, stride and pad of one side: those of known networks, and the odd ones out.
SIDES = ((2, 2, 0), (3, 2, 0), (3, 1, 1), (3, 2, 1), (1, 1, 0), (1, 3, 0), (2, 3, 0), (5, 2, 2), (4, 4, 3), (2, 1, 1))


@dataclass(frozen=True, kw_only=True)
class PoolingCase:
    """One job: maps (N, C, H, W) and their pooling."""

    pooling: IntegerPooling
    maps: NDArray[np.int8]
    lanes: int
    beat_bytes: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the maps."""
        return self.maps.shape[2:]

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the output."""
        return self.pooling.output_size(self.size)

    @property
    def layout(self) -> MapLayout:
        """How the maps lie in memory."""
        batch, channels, height, width = self.maps.shape
        return MapLayout(batch=batch, channels=channels, height=height, width=width, lanes=self.lanes,
                         beat_bytes=self.beat_bytes)

    @property
    def target(self) -> MapLayout:
        """How the output lies in memory."""
        batch, channels, _, _ = self.maps.shape
        return MapLayout(batch=batch, channels=channels, height=self.out[0], width=self.out[1], lanes=self.lanes,
                         beat_bytes=self.beat_bytes)

    @property
    def needed(self) -> tuple[int, int]:
        """Rows and columns of the map that lie in some window or before one."""
        kernel, stride, pad = self.pooling.kernel_over(self.size), self.pooling.stride, self.pooling.pad
        rows, columns = (min(size, (out - 1) * s + k - p)
                         for size, out, k, s, p in zip(self.size, self.out, kernel, stride, pad, strict=True))
        return rows, columns

    @property
    def average(self) -> bool:
        """Whether it is an average."""
        return self.pooling.kind is PoolingKind.AVERAGE

    def command(self) -> dict[str, Plain]:
        """What the units are told."""
        kernel = self.pooling.kernel_over(self.size)
        factors = [{"multiplier": 1, "shift": 0}] * WINDOW_SIZES
        if self.average:
            numbers = self.pooling.requantize(self.size)
            factors = [{"multiplier": int(multiplier), "shift": int(shift)}
                       for multiplier, shift in zip(numbers.multiplier, numbers.shift, strict=True)]
        return {
            "planes": self.layout.batch * self.layout.blocks,
            "input_rows": self.needed[0], "input_row_beats": self.layout.row_beats,
            "input_columns": self.needed[1],
            "top_rows": self.pooling.pad[0], "left_columns": self.pooling.pad[1],
            "kernel_rows": kernel[0], "kernel_columns": kernel[1],
            "row_stride": self.pooling.stride[0], "column_stride": self.pooling.stride[1],
            "output_rows": self.out[0], "output_columns": self.out[1],
            "average": int(self.average), "factors": factors,
        }

    def beats(self) -> NDArray[np.int8]:
        """The rows that are read, (planes, rows, beats, bytes); what follows a row in its last beat is not zero."""
        layout = self.layout
        rows = layout.pack(self.maps).view(np.int8).reshape(-1, layout.height, layout.row_pitch).copy()
        rows[..., layout.width * layout.lanes:] = 99
        return rows[:, : self.needed[0]].reshape(len(rows), self.needed[0], layout.row_beats, layout.beat_bytes)

    def reduced(self, numbers: NDArray[np.integer], axis: int) -> NDArray[np.int64]:
        """The numbers of each window along an axis (0 rows, 1 columns) reduced, window by window."""
        kernel, stride, pad = (pair[axis] for pair in (
            self.pooling.kernel_over(self.size), self.pooling.stride, self.pooling.pad))
        results = []
        for window in range(self.out[axis]):
            first = window * stride - pad
            lines = numbers[max(first, 0): min(first + kernel, self.size[axis])].astype(np.int64)
            results.append(lines.sum(axis=0) if self.average else lines.max(axis=0))
        return np.stack(results)


def random_case(rng: random.Random, *, lanes: int, beat_bytes: int, row_beats: int, average: bool) -> PoolingCase:
    """Any job the units take: at most `row_beats` beats a row."""
    largest = min(9, row_beats * beat_bytes // lanes)
    while True:
        size = (rng.randint(1, 9), rng.randint(1, largest))
        kind = PoolingKind.AVERAGE if average and rng.random() < 0.6 else PoolingKind.MAX
        factor = 1.0 if kind is PoolingKind.MAX else rng.choice([1.0, rng.uniform(0.2, 5)])
        kernel, stride, pad = zip(rng.choice(SIDES), rng.choice(SIDES), strict=True)
        if rng.random() < 0.2:
            kernel, stride, pad = None, (1, 1), (0, 0)
        pooling = IntegerPooling(kind=kind, kernel=kernel, stride=stride, pad=pad, factor=factor,
                                 round_up=rng.random() < 0.7)
        try:
            pooling.output_size(size)
        except GraphError:
            continue
        shape = (rng.randint(1, 2), rng.randint(1, 2 * lanes), *size)
        return PoolingCase(pooling=pooling, maps=int8_numbers(rng, shape).astype(np.int8), lanes=lanes,
                           beat_bytes=beat_bytes)
