"""The rectifier in simulation: see sim/benches/bench_relu.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "m2": {"m": 2, "pc": 1, "pk": 2},
    "m4": {"m": 4, "pc": 1, "pk": 1},
    "wide": {"m": 2, "pc": 1, "pk": 1, "data_bits": 16},
}


@pytest.mark.rtlsim
def test_results_equal_the_larger_of_zero(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("relu", CASES)
