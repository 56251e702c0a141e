"""What a layer costs on the C++ kernels, without a vendor's tool: an estimate from II, trip counts and multipliers.

Cycles: each loop with `PIPELINE II=1` takes its trip count, the stages of a `DATAFLOW` region run at the same time
(`block_size`). DSPs: the multipliers of the kernel, by how many DSP48E2 (27 x 18 signed) a product of its widths takes.
No synthesis has confirmed either.
"""

from __future__ import annotations

from dataclasses import dataclass

from cortado.hls.convolution_call import DIRECT, WINOGRAD, ConvolutionCalls
from cortado.hls.kernel_configuration import KernelConfiguration
from cortado.numerics.requantize import MULTIPLIER_BITS

# Factors of a DSP48E2.
DSP_WIDE, DSP_NARROW = 27, 18


@dataclass(frozen=True, kw_only=True)
class HlsEstimate:
    """Estimated, not measured: cycles of a layer and DSP48E2 of the kernel it runs on."""

    estimated_cycles: int
    estimated_dsps: int


def estimate(convolution: ConvolutionCalls) -> HlsEstimate:
    """What a layer costs on the kernel it runs on."""
    return HlsEstimate(estimated_cycles=convolution.cycles,
                       estimated_dsps=kernel_dsps(convolution.kernels, convolution.kernel))


def kernel_dsps(kernels: KernelConfiguration, kernel: str) -> int:
    """DSP48E2 of a kernel: its products of data and weights, and those of the requantisation."""
    engine = kernels.engine
    pairs = engine.pc * engine.pk
    if kernel == WINOGRAD:
        products, results = engine.alpha**2 * pairs, engine.m**2
        factors = engine.widths.v_bits, engine.widths.u_bits
    else:
        pixels = 1 if kernel == DIRECT else kernels.input_pixels
        products, results = pixels * pairs, pixels * engine.pk
        factors = engine.data_bits, engine.weight_bits
    return products * dsps_of(*factors) + results * dsps_of(engine.sum_bits, MULTIPLIER_BITS + 1)


def dsps_of(first: int, second: int) -> int:
    """DSP48E2 of one signed product: each factor is cut into parts a DSP takes, all but the highest unsigned."""
    def parts(bits: int, width: int) -> int:
        return 1 if bits <= width else 1 + -(-(bits - width) // (width - 1))

    return min(parts(first, DSP_WIDE) * parts(second, DSP_NARROW), parts(first, DSP_NARROW) * parts(second, DSP_WIDE))
