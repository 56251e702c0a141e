"""DSP48E2 (27 x 18 signed) that products take: an estimate no synthesis has confirmed."""

from __future__ import annotations

from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.numerics.requantize import MULTIPLIER_BITS

# Factors of a DSP48E2.
DSP_WIDE, DSP_NARROW = 27, 18


def dsps_of(first: int, second: int) -> int:
    """DSP48E2 of one signed product: each factor is cut into parts a DSP takes, all but the highest unsigned."""
    def parts(bits: int, width: int) -> int:
        return 1 if bits <= width else 1 + -(-(bits - width) // (width - 1))

    return min(parts(first, DSP_WIDE) * parts(second, DSP_NARROW), parts(first, DSP_NARROW) * parts(second, DSP_WIDE))


def requantise_dsps(kernels: KernelConfiguration, results: int) -> int:
    """Of the multipliers that requantise so many results in a cycle."""
    return results * dsps_of(kernels.engine.sum_bits, MULTIPLIER_BITS + 1)
