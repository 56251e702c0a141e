"""The counters in simulation: see sim/benches/bench_cycle_counters.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "only": {},
}


@pytest.mark.rtlsim
def test_counts_equal_a_list(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("cycle_counters", CASES)
