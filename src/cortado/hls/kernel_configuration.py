"""What the C++ kernels are built for: an engine's configuration, and what follows from it for HLS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cortado.errors import ConfigurationError
from cortado.gateware.configuration import ACCUMULATE_CYCLES, WinogradConfiguration
from cortado.numerics.interval import Interval
from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS

# A block buffer and its sums are arrays of a function: in C simulation they lie on the stack of 8 MiB that a thread
# has, and on a part the buffer is doubled.
LARGEST_ON_CHIP_BYTES = 4 * 2**20

# Cycles from a tile's arrival in the buffer of output rows until it can be read there.
ARRANGE_CYCLES = 3


@dataclass(frozen=True)
class KernelConfiguration:
    """The kernels of one engine configuration; the memories are as large as those of the gateware.

    Raises `ConfigurationError` where they are more than C simulation can hold.
    """

    engine: WinogradConfiguration

    def __post_init__(self) -> None:
        if self.on_chip_bytes > LARGEST_ON_CHIP_BYTES:
            raise ConfigurationError(
                f"HLS kernels: buffer_words, tiles, pc and pk must ask for at most {LARGEST_ON_CHIP_BYTES} bytes on "
                f"chip, not {self.on_chip_bytes}; take fewer (--engine buffer_words=N,tiles=N)")

    @property
    def banks(self) -> int:
        """Rows and columns of banks a window is spread over: the power of two that holds one."""
        return 1 << (self.engine.alpha - 1).bit_length()

    @property
    def buffer_words(self) -> int:
        """Words of banks x banks pixels in the block buffer."""
        engine = self.engine
        return 4 * engine.m**2 * engine.buffer_words // self.banks**2

    @property
    def input_pixels(self) -> int:
        """Pixels of pc channels in a beat."""
        return self.engine.beat_bytes // self.engine.input_pixel_bytes

    @property
    def output_pixels(self) -> int:
        """Pixels of pk channels in a beat."""
        return self.engine.beat_bytes // self.engine.output_pixel_bytes

    @property
    def pairs(self) -> int:
        """Pairs of channels whose weights are transformed in a cycle."""
        return self.engine.pairs_per_step

    @property
    def weight_steps(self) -> int:
        """Cycles to transform the weights of a pass."""
        return -(-self.engine.pc * self.engine.pk // self.pairs)

    @property
    def load_steps(self) -> int:
        """Cycles in which the weights of a Winograd pass are read and transformed."""
        return max(self.engine.pass_beats, self.weight_steps)

    @cached_property
    def product_bits(self) -> int:
        """A sum times its multiplier, and the half that is added before the shift."""
        product = Interval.signed(self.engine.sum_bits) * Interval.unsigned(MULTIPLIER_BITS)
        return (product + Interval(0, 1 << LARGEST_SHIFT - 1)).bits

    @property
    def on_chip_bytes(self) -> int:
        """Of the block buffer and the sums as C++ holds them."""
        engine = self.engine
        sums = engine.tiles * engine.pk * engine.alpha**2 * storage_bytes(engine.widths.accumulator_bits)
        return self.buffer_words * self.banks**2 * engine.input_pixel_bytes + sums

    @property
    def largest_width(self) -> int:
        """Pixels of the longest row that can be pooled: that of the gateware."""
        return self.engine.pooling_row_beats * self.output_pixels

    @property
    def accumulate_cycles(self) -> int:
        """Cycles between two visits of one sum."""
        return ACCUMULATE_CYCLES


def storage_bytes(bits: int) -> int:
    """Bytes in which C simulation holds an `ap_int` of up to 64 bits."""
    return 1 << (-(-bits // 8) - 1).bit_length()
