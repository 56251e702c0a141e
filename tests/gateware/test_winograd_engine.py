"""The whole engine in simulation: see sim/benches/bench_winograd_engine.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TINY = {"tiles": 8, "block_columns": 4, "largest_taps": 98}
M2 = {"m2": {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "buffer_words": 24, **TINY}}
LARGER = {
    "m4": {"m": 4, "pc": 1, "pk": 2, "beat_bits": 64, "buffer_words": 40, **TINY},
    "m6": {"m": 6, "pc": 1, "pk": 1, "beat_bits": 64, "buffer_words": 40, **TINY},
}


@pytest.mark.rtlsim
def test_jobs_equal_golden_and_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("winograd_engine", M2)


@pytest.mark.slow
@pytest.mark.rtlsim
def test_jobs_of_larger_tiles_equal_golden_and_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("winograd_engine", LARGER)
