"""Choosing how a convolution runs: how the batch is arranged, and how the arranged convolution is cut."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from cortado.errors import LayerError
from cortado.gateware.arrangement import Arrangement, Flat, Mosaic, Plain, Rows, SpaceToDepth
from cortado.gateware.blocking import Blocking, choose_blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.memory_layout import MapLayout

# Mosaics tried for a batch: those with the fewest tiles.
MOST_MOSAICS = 3

# Tiles of an image above which neighbours have nothing to gain from it.
LARGE_IMAGE_TILES = 512


# What a copy between host and device costs, packing included: 800 MB/s at a clock of 200 MHz.
COPY_BYTES_PER_CYCLE = 4


@dataclass(frozen=True, kw_only=True)
class Staying:
    """Which maps of a convolution can stay on the device, if they lie as they are.

    Its neighbours there write the source or read the target. With `joined`, the target must lie as it is: a Concat
    joins it by address.
    """

    source: bool = False
    target: bool = False
    joined: bool = False


NOTHING_STAYS = Staying()


@dataclass(frozen=True)
class Alternative:
    """A mapping that was weighed, and its estimated cycles."""

    words: str
    cycles: int
    copied_bytes: int = 0
    """As of `Mapping.copied_bytes`."""


@dataclass(frozen=True)
class Mapping:
    """How one convolution runs on an engine."""

    arrangement: Arrangement
    blocking: Blocking
    alternatives: tuple[Alternative, ...] = ()
    """Everything that was weighed, the cheapest first; the first is this one."""

    @property
    def shape(self) -> ConvolutionShape:
        """The convolution as the network has it."""
        return self.arrangement.shape

    @property
    def method(self) -> str:
        """Which way through the multipliers: `winograd` or `pointwise`."""
        return "pointwise" if self.blocking.pointwise else "winograd"

    @property
    def pieces(self) -> int:
        """3 x 3 views of the map that one output adds up; 1 for a pointwise one."""
        return len(self.blocking.views)

    @property
    def cycles(self) -> int:
        """Estimated."""
        return self.blocking.cycles

    def copied_bytes(self, staying: Staying) -> int:
        """Bytes that are copied between host and device because this mapping wants maps another way than they lie."""
        return sum(layout.size_bytes for layout, stays in ((self.source, staying.source), (self.target, staying.target))
                   if stays and not isinstance(layout.canonical, MapLayout))

    @property
    def words(self) -> str:
        """In words."""
        pieces = f", {self.pieces} pieces" if self.pieces > 1 else ""
        return f"{self.method}{pieces}, {self.arrangement}"

    @cached_property
    def source(self) -> ArrangedLayout:
        """How the input lies in memory."""
        shape, configuration = self.blocking.shape, self.blocking.configuration
        return ArrangedLayout(self.arrangement, False, MapLayout(
            batch=shape.batch, channels=shape.channels, height=shape.height, width=shape.width, lanes=configuration.pc,
            beat_bytes=configuration.beat_bytes, data_bits=configuration.data_bits))

    @cached_property
    def target(self) -> ArrangedLayout:
        """How the output lies in memory."""
        shape, configuration = self.blocking.shape, self.blocking.configuration
        return ArrangedLayout(self.arrangement, True, MapLayout(
            batch=shape.batch, channels=shape.filters, height=shape.out_height, width=shape.out_width,
            lanes=configuration.pk, beat_bytes=configuration.beat_bytes, data_bits=configuration.data_bits))


@dataclass(frozen=True)
class ArrangedLayout:
    """A batch arranged for the engine, in memory."""

    arrangement: Arrangement
    is_target: bool
    layout: MapLayout

    @property
    def size_bytes(self) -> int:
        """Bytes of the batch."""
        return self.layout.size_bytes

    @property
    def maps_bytes(self) -> int:
        """As `size_bytes`."""
        return self.size_bytes

    @property
    def canonical(self) -> Hashable:
        """As in `PackedLayout`: a batch that is arranged as it is lies as without an arrangement."""
        return self.arrangement.canonical(self.layout, is_target=self.is_target)

    def pack(self, maps: np.ndarray) -> np.ndarray:
        """The bytes of `maps` of shape (N, C, H, W), as uint8."""
        arrange = self.arrangement.arrange_target if self.is_target else self.arrangement.arrange_source
        return self.layout.pack(arrange(maps))

    def put(self, maps: np.ndarray, memory: np.ndarray) -> None:
        """Write `maps` of shape (N, C, H, W) to the beginning of `memory`, uint8."""
        memory[: self.size_bytes] = self.pack(maps)

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """The maps (N, C, H, W) in the bytes `packed`."""
        restore = self.arrangement.restore_target if self.is_target else self.arrangement.restore_source
        return restore(self.layout.unpack(packed))


def choose_mapping(configuration: WinogradConfiguration, shape: ConvolutionShape, layer: str,
                   staying: Staying = NOTHING_STAYS) -> Mapping:
    """The mapping with the fewest estimated cycles, those of copies included that maps make which could stay.

    Raises `LayerError` when none fits the engine.
    """
    mappings, refusal = [], None
    for arrangement in _arrangements(configuration, shape, staying):
        try:
            blocking = _cached_blocking(configuration, arrangement.lowered, layer,
                                        pointwise=isinstance(arrangement, Flat | Rows))
        except LayerError as error:
            refusal = refusal or error
        else:
            mappings.append(Mapping(arrangement, blocking))
    if staying.joined:
        mappings = [mapping for mapping in mappings if isinstance(mapping.target.canonical, MapLayout)]
    if not mappings:
        raise refusal or LayerError(layer, "its results lie in no way on the engine in which a Concat can join them")
    mappings.sort(key=lambda mapping: mapping.cycles + mapping.copied_bytes(staying) / COPY_BYTES_PER_CYCLE)
    return Mapping(mappings[0].arrangement, mappings[0].blocking,
                   tuple(Alternative(mapping.words, mapping.cycles, mapping.copied_bytes(staying))
                         for mapping in mappings))


# A planner asks for the same convolution with and without maps that stay: what is cut is the same.
_cached_blocking = lru_cache(maxsize=4096)(choose_blocking)


def _arrangements(configuration: WinogradConfiguration, shape: ConvolutionShape,
                  staying: Staying) -> Iterator[Arrangement]:
    """What may pay for a shape."""
    if shape.kernel == (1, 1):
        yield Flat(shape)
        pitch = _row_pitch(configuration, shape)
        if (staying.source or staying.target) and pitch is not None:
            yield Rows(shape, pitch)
        return
    yield Plain(shape)
    if shape.stride != (1, 1) and shape.dilation == (1, 1):
        yield SpaceToDepth(shape)
    if shape.batch > 1 and shape.stride == (1, 1):
        yield from _mosaics(configuration.m, shape)


def _row_pitch(configuration: WinogradConfiguration, shape: ConvolutionShape) -> int | None:
    """Pixels from one row of a 1 x 1 convolution's maps to the next; None where its two sides differ in that."""
    if shape.stride != (1, 1) or any(shape.pad):
        return None
    pitches = {-(-shape.width * pixel // configuration.beat_bytes) * configuration.beat_bytes // pixel
               for pixel in (configuration.input_pixel_bytes, configuration.output_pixel_bytes)}
    return pitches.pop() if len(pitches) == 1 else None


def _mosaics(edge: int, shape: ConvolutionShape) -> list[Mosaic]:
    """The grids with the fewest tiles; of two with equally many the one that is closer to a square."""
    def tiles(rows: int, columns: int) -> int:
        lowered = Mosaic(shape, rows, columns).lowered
        return lowered.batch * -(-lowered.out_height // edge) * -(-lowered.out_width // edge)

    if -(-shape.out_height // edge) * -(-shape.out_width // edge) > LARGE_IMAGE_TILES:
        return []
    grids = {(rows, columns) for rows in range(1, shape.batch + 1) for columns in range(1, -(-shape.batch // rows) + 1)
             if rows * columns > 1}
    best = sorted(grids, key=lambda grid: (tiles(*grid), abs(grid[0] - grid[1])))[:MOST_MOSAICS]
    return [Mosaic(shape, *grid) for grid in best]
