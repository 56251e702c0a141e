"""The engine behind its AXI ports in simulation: see sim/benches/bench_axi_engine.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TINY = {"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "tiles": 8, "block_columns": 4, "largest_taps": 72,
        "buffer_words": 24}


@pytest.mark.rtlsim
def test_jobs_and_faults_behind_axi(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("axi_engine", {"m2": TINY})
