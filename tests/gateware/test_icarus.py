"""The Verilog is for every simulator: a job of the whole engine in Icarus, equal to golden."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TINY = {"m": 2, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 8, "block_columns": 4, "largest_taps": 72,
        "buffer_words": 24}


@pytest.mark.rtlsim
def test_jobs_of_the_whole_engine_equal_golden_in_icarus(run_in_icarus: Callable[[str, dict, str], None]) -> None:
    run_in_icarus("axi_engine", {"m2": TINY}, "jobs_run_one_after_the_other.*free")
