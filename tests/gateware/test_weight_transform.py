"""The weight transform in simulation: see sim/benches/bench_weight_transform.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 128},
    "m4": {"m": 4, "pc": 1, "pk": 2, "beat_bits": 64},
    "m6": {"m": 6, "pc": 1, "pk": 1, "beat_bits": 64},
    "m2_wide": {"m": 2, "pc": 1, "pk": 1, "data_bits": 16, "weight_bits": 16},
    "m4_wide": {"m": 4, "pc": 1, "pk": 1, "data_bits": 16, "weight_bits": 16},
}


@pytest.mark.rtlsim
def test_kernels_equal_golden(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("weight_transform", CASES)
