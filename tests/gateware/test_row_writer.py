"""The writer in simulation: see sim/benches/bench_row_writer.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "segments_smaller_than_beats": {"m": 2, "pc": 1, "pk": 1, "beat_bits": 64},
    "segments_as_wide_as_beats": {"m": 4, "pc": 1, "pk": 4, "beat_bits": 128},
    "segments_of_two_beats": {"m": 4, "pc": 1, "pk": 4, "beat_bits": 64},
    "wide_beats": {"m": 4, "pc": 1, "pk": 2, "beat_bits": 256},
    "wide": {"m": 2, "pc": 1, "pk": 2, "beat_bits": 128, "data_bits": 16},
}


@pytest.mark.rtlsim
def test_memory_equals_rows_written_one_by_one(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("row_writer", CASES)
