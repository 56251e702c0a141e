"""The arithmetic of the headers against Python's integers, at every width the kernels use."""

from __future__ import annotations

import subprocess
from fractions import Fraction

import numpy as np
import pytest

from cortado.errors import ToolError
from cortado.gateware.configuration import LEGAL_FORMATS, WinogradConfiguration
from cortado.hls import headers
from cortado.hls.compilation import GCC_WARNINGS, STANDARD, WARNINGS
from cortado.hls.headers import include_flags
from cortado.hls.kernel_configuration import KernelConfiguration

CASES, FIXED_CASES = 40, 2000
PROGRAM = """
#include <ap_fixed.h>
#include <ap_int.h>
#include <cstdio>

template <int FIRST, int SECOND, int RESULT>
void check()
{
    long long first, second;
    for (int number = 0; number < %d && std::scanf("%%lld %%lld", &first, &second) == 2; ++number) {
        const ap_int<FIRST> left = first;
        const ap_int<SECOND> right = second;
        const ap_int<RESULT> sum = left + right, product = left * right, shifted = ap_int<RESULT>(left) << 3;
        std::printf("%%lld %%lld %%lld %%lld %%lld\\n", left.to_int64(), right.to_int64(), sum.to_int64(),
                    product.to_int64(), shifted.to_int64());
    }
}

// A number by a factor in 256ths, half to even.
template <int BITS>
void check_fixed()
{
    int value, slope;
    for (int number = 0; number < %d && std::scanf("%%d %%d", &value, &slope) == 2; ++number) {
        ap_ufixed<8, 0> factor;
        factor.range(7, 0) = slope;
        const ap_fixed<BITS, BITS, AP_RND_CONV> scaled = ap_fixed<BITS, BITS>(value) * factor;
        std::printf("%%d\\n", scaled.to_int());
    }
}

int main()
{
    %s
}
"""
# Of the maps.
DATA_WIDTHS = (8, 16)


def used_widths() -> list[tuple[int, int, int]]:
    """Widths of two operands and a result, for every legal format."""
    found = set()
    for (data, weight), edges in LEGAL_FORMATS.items():
        for m in edges:
            configuration = WinogradConfiguration(m=m, pc=2, pk=2, data_bits=data, weight_bits=weight)
            widths = configuration.widths
            found |= {(widths.v_bits, widths.u_bits, widths.accumulator_bits), (data, weight, widths.y_bits),
                      (data, data, widths.v_row_bits), (weight, weight, widths.u_row_bits),
                      (widths.v_row_bits, widths.v_row_bits, widths.v_bits),
                      (widths.u_row_bits, widths.u_row_bits, widths.u_bits),
                      (widths.y_bits, 32, configuration.sum_bits),
                      (configuration.sum_bits, 17, KernelConfiguration(configuration).product_bits)}
    return sorted(found)


def wrapped(value: int, bits: int) -> int:
    """Two's complement."""
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def test_arithmetic_at_every_width(tmp_path, rng):
    widths = used_widths()
    assert len(widths) > 30
    source = tmp_path / "types.cpp"
    source.write_text(PROGRAM % (CASES, FIXED_CASES, "\n    ".join((
        *(f"check<{a}, {b}, {c}>();" for a, b, c in widths), *(f"check_fixed<{bits}>();" for bits in DATA_WIDTHS)))))
    subprocess.run(["g++", STANDARD, "-O0", *WARNINGS, *GCC_WARNINGS, *include_flags(), str(source), "-o",
                    str(tmp_path / "types")], check=True, timeout=300)
    operands, expected = [], []
    for first, second, result in widths:
        for left, right in (whole_numbers(rng, first, second) for _ in range(CASES)):
            operands.append(f"{left} {right}")
            left, right = wrapped(left, first), wrapped(right, second)
            expected.append(f"{left} {right} {wrapped(left + right, result)} {wrapped(left * right, result)} "
                            f"{wrapped(left << 3, result)}")
    for bits in DATA_WIDTHS:
        for _ in range(FIXED_CASES):
            (value,), slope = whole_numbers(rng, bits), int(rng.integers(0, 256))
            value = wrapped(value, bits)
            operands.append(f"{value} {slope}")
            # Python rounds a fraction half to even.
            expected.append(str(round(Fraction(value * slope, 256))))
    printed = subprocess.run([str(tmp_path / "types")], input="\n".join(operands), capture_output=True, text=True,
                             check=True, timeout=60).stdout
    assert printed.splitlines() == expected


def whole_numbers(rng: np.random.Generator, *widths: int) -> tuple[int, ...]:
    """Numbers of those widths and of one bit more, the ends among them."""
    return tuple(int(rng.choice([-1 << bits - 1, (1 << bits - 1) - 1, (1 << bits) - 1, 0, -1,
                                 int(rng.integers(-1 << bits, 1 << bits))])) for bits in widths)


def test_missing_headers_say_how_to_get_them(monkeypatch):
    monkeypatch.setattr(headers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError) as caught:
        headers.types_folder()
    assert str(caught.value) == (
        "HLS types: ap_int.h and hls_stream.h must be there to compile the C++ kernels, not missing; pip install "
        "'cortado[hls]' (the wheel of hls4ml 1.3.0 packs them)")
