"""The numbers that shape one Winograd engine, and their legal range."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from math import lcm

from cortado.errors import ConfigurationError
from cortado.numerics.convolution import BIAS_BITS
from cortado.numerics.interval import Interval
from cortado.winograd.transform import WinogradTransform
from cortado.winograd.width import WinogradWidths

# The words of one job descriptor and the layout of weights and maps in memory. A change of any of them is a new
# version, and the version is part of the configuration hash, so an old driver refuses a new engine.
FORMAT_VERSION = 2

# Bytes of one output channel's record ahead of its weights: bias, multiplier, shift, flags, slope.
CHANNEL_RECORD_BYTES = 8

# Longest burst a master asks for. With 16 bursts in flight it covers 256 cycles of latency at full rate.
BURST_BEATS = 16

# Beats each read master keeps room for before it asks: eight full bursts, so that an answer never waits at the memory.
PREFETCH_BEATS = 8 * BURST_BEATS

# Cycles between two visits of one accumulator word: read with the product, sum over channels, add, write.
ACCUMULATE_CYCLES = 4

# Largest distance of two neighbouring pixels of a stepped view: the strides a convolution may have.
LARGEST_STRIDE = 4

# Output channels of a job, in blocks of pk: what sixteen bits count.
LARGEST_FILTER_BLOCKS = 2**16 - 1

# Values of the field `pooling`.
MAX_POOLING, AVERAGE_POOLING = 1, 2

LEGAL_VALUES = {
    "m": (2, 4, 6),
    "pc": (1, 2, 4, 8, 16),
    "pk": (1, 2, 4, 8, 16),
    "beat_bits": (64, 128, 256, 512),
    "data_bits": (8, 16),
    "weight_bits": (8, 16),
    "leaky": (0, 1),
    "pooling": (0, MAX_POOLING, AVERAGE_POOLING),
    "elementwise_add": (0, 1),
}
# Tile edges for each pair of data_bits and weight_bits.
LEGAL_FORMATS = {
    (8, 8): (2, 4, 6),
    (16, 8): (2, 4),
    (16, 16): (2, 4),
}
LEGAL_RANGES = {
    "largest_taps": (9, 2**17 - 1),
    "tiles": (4, 1024),
    "buffer_words": (4, 16384),
    "block_columns": (1, 256),
    "pooling_row_beats": (1, 1024),
}


@dataclass(frozen=True, kw_only=True)
class WinogradConfiguration:
    """One F(m x m, 3 x 3) engine with (m + 2)**2 * pc * pk multipliers.

    Raises `ConfigurationError` outside the legal range, naming the field, the limit and the value.
    """

    m: int = 4
    """Outputs per tile edge."""
    pc: int = 4
    """Input channels multiplied in one cycle."""
    pk: int = 4
    """Output channels multiplied in one cycle."""
    data_bits: int = 8
    """Of a number of the maps, going in and coming out."""
    weight_bits: int = 8
    beat_bits: int = 128
    """Width of the memory port."""
    largest_taps: int = 4608
    """Most products in one output, C * kernel height * kernel width; sets the widths of the accumulators."""
    tiles: int = 256
    """Most tiles in a block: the depth of the accumulators."""
    buffer_words: int = 2048
    """Depth of the block buffer: m x m pixels of pc channels a word, in each of four memories."""
    block_columns: int = 64
    """Widest block in tiles: half the depth of the row buffer."""
    leaky: int = 0
    """1: negative results can be multiplied by a slope instead of becoming 0."""
    pooling: int = 0
    """1: maps can be pooled by their maximum; 2: by their average too."""
    elementwise_add: int = 0
    """1: two maps can be added, each with a scale."""
    pooling_row_beats: int = 128
    """Longest row of a map to pool, in beats: the depth of the memories that hold its open windows."""

    def __post_init__(self) -> None:
        for name, legal in LEGAL_VALUES.items():
            value = getattr(self, name)
            if value not in legal or isinstance(value, bool):
                raise ConfigurationError(
                    f"engine configuration: {name} must be one of {', '.join(map(str, legal))}, not {value}")
        for name, (low, high) in LEGAL_RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ConfigurationError(f"engine configuration: {name} must be from {low} to {high}, not {value}")
        if self.m not in LEGAL_FORMATS.get((self.data_bits, self.weight_bits), ()):
            legal = "; ".join(f"{data} and {weight} with m {' or '.join(map(str, edges))}"
                              for (data, weight), edges in LEGAL_FORMATS.items())
            raise ConfigurationError(f"engine configuration: data_bits and weight_bits must be {legal}; not "
                                     f"{self.data_bits} and {self.weight_bits} with m {self.m}")
        for name in ("pooling", "elementwise_add"):
            if getattr(self, name) and self.data_bits != 8:
                raise ConfigurationError(f"engine configuration: {name} must be 0 where data_bits is {self.data_bits}, "
                                         f"not {getattr(self, name)}; maps of 8 bits are pooled and added")
        for name in ("pc", "pk"):
            if getattr(self, name) * self.data_bytes > self.beat_bytes:
                unit = "bytes" if self.data_bytes == 1 else f"{self.data_bits}-bit numbers"
                raise ConfigurationError(f"engine configuration: {name} must be at most the "
                                         f"{self.beat_bytes // self.data_bytes} {unit} of a {self.beat_bits}-bit beat, "
                                         f"not {getattr(self, name)}")

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in asdict(self).items())

    @cached_property
    def transform(self) -> WinogradTransform:
        """The exact integer transform F(m, 3)."""
        return WinogradTransform(self.m, 3)

    @cached_property
    def widths(self) -> WinogradWidths:
        """Every width of the datapath, derived."""
        return WinogradWidths(self.transform, data_bits=self.data_bits, weight_bits=self.weight_bits,
                              largest_taps=self.largest_taps)

    @property
    def sum_bits(self) -> int:
        """Width of a result of the convolution with its bias."""
        return (Interval.signed(self.widths.y_bits) + Interval.signed(BIAS_BITS)).bits

    @property
    def data_bytes(self) -> int:
        """Bytes of a number of the maps."""
        return self.data_bits // 8

    @property
    def weight_bytes(self) -> int:
        """Bytes of a weight."""
        return self.weight_bits // 8

    @property
    def input_pixel_bytes(self) -> int:
        """Bytes of pc channels of a pixel."""
        return self.pc * self.data_bytes

    @property
    def output_pixel_bytes(self) -> int:
        """Bytes of pk channels of a pixel."""
        return self.pk * self.data_bytes

    @property
    def alpha(self) -> int:
        """Edge of an input tile: m + 2."""
        return self.m + 2

    @property
    def multipliers(self) -> int:
        """Products in one cycle."""
        return self.alpha**2 * self.pc * self.pk

    @property
    def beat_bytes(self) -> int:
        """Bytes of one memory beat."""
        return self.beat_bits // 8

    @property
    def pairs_per_step(self) -> int:
        """Weight pairs transformed in one cycle: enough to keep up with one beat (nine weights a pair) each cycle."""
        return min(max(1, self.beat_bytes // (8 * self.weight_bytes)), self.pc * self.pk)

    @property
    def pass_beats(self) -> int:
        """Beats of the weights of one pass: pc * pk pairs of nine weights."""
        return -(-9 * self.weight_bytes * self.pc * self.pk // self.beat_bytes)

    @property
    def points_per_step(self) -> int:
        """Weights of a pointwise pass that arrive in one cycle: those of a beat."""
        return min(self.beat_bytes // self.weight_bytes, self.pc * self.pk)

    @property
    def point_pass_beats(self) -> int:
        """Beats of the weights of one pointwise pass: pc * pk of them."""
        return -(-self.weight_bytes * self.pc * self.pk // self.beat_bytes)

    @property
    def point_banks(self) -> int:
        """Groups of m pixels in a pointwise tile, one from each of so many memories of the block buffer."""
        return self.alpha**2 // self.m

    @property
    def point_pixels(self) -> int:
        """Pixels of a pointwise tile: one for each element of the Winograd domain, in whole groups of m."""
        return self.point_banks * self.m

    @property
    def point_steps(self) -> int:
        """Steps in which a pointwise tile leaves, for the path back is m * m values wide."""
        return -(-self.point_banks // self.m)

    @property
    def point_lanes(self) -> int:
        """Groups of m pixels in each of these steps."""
        return -(-self.point_banks // self.point_steps)

    @property
    def record_beats(self) -> int:
        """Beats of the pk channel records ahead of the weights of a filter block."""
        return -(-CHANNEL_RECORD_BYTES * self.pk // self.beat_bytes)

    @property
    def block_column_step(self) -> int:
        """A block that stops short of the right edge is a multiple of this many tiles wide: it ends on a beat."""
        return self.tile_step(self.m)

    def tile_step(self, tile_width: int) -> int:
        """The fewest tiles of `tile_width` outputs in a row that end on a beat."""
        tile_bytes = tile_width * self.output_pixel_bytes
        return lcm(tile_bytes, self.beat_bytes) // tile_bytes

    @property
    def map_units(self) -> bool:
        """Whether there is a unit for jobs from map to map."""
        return bool(self.pooling or self.elementwise_add)

    def channel_blocks(self, channels: int) -> int:
        """Blocks of pc input channels."""
        return -(-channels // self.pc)

    def filter_blocks(self, filters: int) -> int:
        """Blocks of pk output channels."""
        return -(-filters // self.pk)

    @cached_property
    def hash(self) -> str:
        """Sixteen hex digits that name this configuration; the engine carries them and the driver checks them."""
        text = json.dumps({"engine": "winograd", "format": FORMAT_VERSION, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
