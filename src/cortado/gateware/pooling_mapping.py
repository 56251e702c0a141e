"""How a pooling of whole maps runs: its layout, its descriptors, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cortado.gateware.blocking import END_CYCLES, START_CYCLES
from cortado.gateware.column_maximum import LARGEST_STEP, WIDEST
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import Flag
from cortado.gateware.map_descriptor import FACTOR_NAMES, MapDescriptor, MapFlag
from cortado.gateware.memory_layout import MapLayout
from cortado.numerics.pooling import IntegerPooling, PoolingKind
from cortado.numerics.requantize import MULTIPLIER_BITS

# Planes of one descriptor: what sixteen bits count.
LARGEST_PLANES = 2**16 - 1


@dataclass(frozen=True, kw_only=True)
class PoolingMapping:
    """A pooling of `batch` maps of `channels` x `height` x `width` on an engine; `rejects` says what does not fit."""

    configuration: WinogradConfiguration
    pooling: IntegerPooling
    batch: int
    channels: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a map."""
        return self.height, self.width

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of a window."""
        return self.pooling.kernel_over(self.size)

    @property
    def source(self) -> MapLayout:
        """How the maps lie in memory."""
        return self._layout(self.size)

    @property
    def target(self) -> MapLayout:
        """How the pooled maps lie in memory."""
        return self._layout(self.pooling.output_size(self.size))

    @property
    def needed(self) -> tuple[int, int]:
        """Rows and columns of a map that lie in a window or before one."""
        rows, columns = (min(size, (windows - 1) * stride + kernel - pad) for size, windows, stride, kernel, pad in zip(
            self.size, self.pooling.output_size(self.size), self.pooling.stride, self.kernel, self.pooling.pad,
            strict=True))
        return rows, columns

    @property
    def cycles(self) -> int:
        """Estimated cycles of the job, for a memory that delivers a beat a cycle."""
        (rows, _), source, target = self.needed, self.source, self.target
        windows, (vertical, horizontal) = self.pooling.output_size(self.size), self.pooling.stride
        # A row of one beat takes two cycles: it is written before it is read again.
        row = max(source.row_beats, 2)
        planes = source.batch * source.blocks
        pixels = source.beat_bytes // source.lanes
        beats = max(rows * source.row_beats, target.height * target.row_beats)
        if (self.pooling.kind is PoolingKind.MAX and pixels > 1 and self.kernel[1] <= WIDEST
                and horizontal <= LARGEST_STEP):
            # All windows that end in a beat at once, and those that end behind the last beat or row.
            ends = [(windows[side] - 1) * self.pooling.stride[side] + self.kernel[side] - self.pooling.pad[side]
                    for side in (0, 1)]
            below = -(-max(0, ends[0] - rows) // vertical)
            behind = windows[0] * (ends[1] > source.row_beats * pixels)
            return START_CYCLES + planes * max((rows + below) * row + behind, beats) + END_CYCLES
        # A row's columns are walked, padding behind the map too. Rows in which no window ends come in during the walk
        # along the last beat, the first ones of a map during that of the map before.
        walk = max((windows[1] - 1) * horizontal + self.kernel[1] + 1, row)
        between = max(0, min(vertical - 1, rows) * row - pixels)
        ahead = max(0, min(self.kernel[0] - 1, rows) * row - pixels)
        plane = ahead + windows[0] * walk + (windows[0] - 1) * between
        return START_CYCLES + planes * max(plane, beats) + END_CYCLES

    def descriptors(self, *, first_address: int, output_address: int) -> Iterator[MapDescriptor]:
        """The job: one descriptor, or several where there are more planes than one counts."""
        source, target, pooling = self.source, self.target, self.pooling
        (rows, columns), (output_rows, output_columns) = self.needed, pooling.output_size(self.size)
        average = pooling.kind is PoolingKind.AVERAGE
        factors = [1] * len(FACTOR_NAMES)
        if average:
            requantize = pooling.requantize(self.size)
            factors = [int(multiplier) | int(shift) << MULTIPLIER_BITS for multiplier, shift in zip(
                requantize.multiplier, requantize.shift, strict=True)]
        total = source.batch * source.blocks
        for first in range(0, total, LARGEST_PLANES):
            planes = min(LARGEST_PLANES, total - first)
            yield MapDescriptor(
                flags=MapFlag.POOL | (MapFlag.AVERAGE if average else 0)
                | (Flag.LAST if first + planes == total else 0),
                first_address=first_address + first * source.plane_pitch, plane_pitch=source.plane_pitch,
                planes=planes, run_beats=rows * source.row_beats,
                output_address=output_address + first * target.plane_pitch, output_plane_pitch=target.plane_pitch,
                output_run_beats=output_rows * target.row_beats,
                input_rows=rows, input_row_beats=source.row_beats, input_columns=columns,
                top_rows=pooling.pad[0], left_columns=pooling.pad[1],
                kernel_rows=self.kernel[0], kernel_columns=self.kernel[1],
                row_stride=pooling.stride[0], column_stride=pooling.stride[1],
                output_rows=output_rows, output_columns=output_columns,
                **dict(zip(FACTOR_NAMES, factors, strict=True)))

    def _layout(self, size: tuple[int, int]) -> MapLayout:
        return MapLayout(batch=self.batch, channels=self.channels, height=size[0], width=size[1],
                         lanes=self.configuration.pk, beat_bytes=self.configuration.beat_bytes)
