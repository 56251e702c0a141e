"""The numbers that shape one Winograd engine, and their legal range."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

from cortado.errors import ConfigurationError
from cortado.winograd.transform import WinogradTransform
from cortado.winograd.width import WinogradWidths

# The words of one job descriptor and the layout of weights and maps in memory. A change of any of them is a new
# version, and the version is part of the configuration hash, so an old driver refuses a new engine.
FORMAT_VERSION = 1

# Bytes of one output channel's record ahead of its weights: bias, multiplier, shift, flags.
CHANNEL_RECORD_BYTES = 8

# Longest burst a master asks for. With 16 bursts in flight it covers 256 cycles of latency at full rate.
BURST_BEATS = 16

# Beats each read master keeps room for before it asks: eight full bursts, so that an answer never waits at the memory.
PREFETCH_BEATS = 8 * BURST_BEATS

# Cycles between two visits of one accumulator word: product, sum over channels, add, write.
ACCUMULATE_CYCLES = 3

# Output channels of a job, in blocks of pk: what sixteen bits count.
LARGEST_FILTER_BLOCKS = 2**16 - 1

LEGAL_VALUES = {
    "m": (2, 4),
    "pc": (1, 2, 4, 8, 16),
    "pk": (1, 2, 4, 8, 16),
    "beat_bits": (64, 128, 256, 512),
    "data_bits": (8,),
    "weight_bits": (8,),
}
LEGAL_RANGES = {
    "largest_channels": (1, 4096),
    "tiles": (4, 1024),
    "buffer_words": (4, 16384),
    "block_columns": (1, 256),
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
    weight_bits: int = 8
    beat_bits: int = 128
    """Width of the memory port."""
    largest_channels: int = 512
    """Most input channels of a layer; sets the widths of the accumulators."""
    tiles: int = 256
    """Most tiles in a block: the depth of the accumulators."""
    buffer_words: int = 2048
    """Depth of the block buffer: m x m pixels of pc channels a word, in each of four memories."""
    block_columns: int = 64
    """Widest block in tiles: half the depth of the row buffer."""

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
        for name in ("pc", "pk"):
            if getattr(self, name) > self.beat_bytes:
                raise ConfigurationError(f"engine configuration: {name} must be at most the {self.beat_bytes} bytes of "
                                         f"a {self.beat_bits}-bit beat, not {getattr(self, name)}")
        if self.buffer_words < self.channel_blocks(self.largest_channels):
            raise ConfigurationError(
                f"engine configuration: buffer_words must be at least {self.channel_blocks(self.largest_channels)} to "
                f"hold one tile of {self.largest_channels} channels, not {self.buffer_words}")

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
                              largest_taps=9 * self.largest_channels)

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
        """Weight pairs transformed in one cycle: enough to keep up with one beat (nine bytes a pair) each cycle."""
        return min(self.beat_bytes // 8, self.pc * self.pk)

    @property
    def pass_beats(self) -> int:
        """Beats of the weights of one pass: pc * pk pairs of nine bytes."""
        return -(-9 * self.pc * self.pk // self.beat_bytes)

    @property
    def record_beats(self) -> int:
        """Beats of the pk channel records ahead of the weights of a filter block."""
        return -(-CHANNEL_RECORD_BYTES * self.pk // self.beat_bytes)

    @property
    def block_column_step(self) -> int:
        """A block that stops short of the right edge is a multiple of this many tiles wide: it ends on a beat."""
        return max(1, self.beat_bytes // (self.m * self.pk))

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
