"""The requantiser in simulation: see sim/benches/bench_requantize.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 1, "pk": 2},
    "m4": {"m": 4, "pc": 1, "pk": 1},
    "leaky": {"m": 2, "pc": 1, "pk": 2, "leaky": 1},
    "wide": {"m": 2, "pc": 1, "pk": 2, "data_bits": 16},
    "widest": {"m": 2, "pc": 1, "pk": 1, "data_bits": 16, "weight_bits": 16, "largest_taps": 32767},
}


@pytest.mark.rtlsim
def test_results_equal_exact_fractions(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("requantize", CASES)
