"""The inverse transform in simulation: see sim/benches/bench_inverse_transform.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 1, "pk": 2, "largest_taps": 27},
    "m4": {"m": 4, "pc": 1, "pk": 1, "largest_taps": 27},
    "m6": {"m": 6, "pc": 1, "pk": 1, "largest_taps": 27},
    "m2_wide": {"m": 2, "pc": 1, "pk": 1, "largest_taps": 27, "data_bits": 16},
    "m4_widest": {"m": 4, "pc": 1, "pk": 1, "largest_taps": 27, "data_bits": 16, "weight_bits": 16},
}


@pytest.mark.rtlsim
def test_results_equal_golden_and_a_naive_convolution(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("inverse_transform", CASES)
