"""The bias in simulation: see sim/benches/bench_bias.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 1, "pk": 2, "largest_taps": 4608},
    "m4": {"m": 4, "pc": 1, "pk": 1, "largest_taps": 36864, "buffer_words": 4096},
    "wide": {"m": 4, "pc": 1, "pk": 1, "data_bits": 16, "weight_bits": 16},
}


@pytest.mark.rtlsim
def test_sums_equal_plain_addition(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("bias", CASES)
