"""The scaling of windows in simulation: see sim/benches/bench_window_scaling.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "one": {"lanes": 1},
    "four": {"lanes": 4},
}


@pytest.mark.rtlsim
def test_averages_equal_fractions(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("window_scaling", CASES)
