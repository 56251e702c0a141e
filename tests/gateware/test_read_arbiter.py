"""The arbiter of the readers in simulation: see sim/benches/bench_read_arbiter.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "three_readers": {"readers": ["a", "b", "c"], "beat_bits": 128},
    "one_reader_of_wide_beats": {"readers": ["a"], "beat_bits": 512},
}


@pytest.mark.rtlsim
def test_beats_find_their_readers(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("read_arbiter", CASES)
