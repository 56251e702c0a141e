"""The adder of maps in simulation: see sim/benches/bench_elementwise_add.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "narrow": {"beat_bits": 64},
    "wide": {"beat_bits": 128},
}


@pytest.mark.rtlsim
def test_sums_equal_fractions(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("elementwise_add", CASES)
