"""The writer of bursts in simulation: see sim/benches/bench_write_master.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "narrow_beats": {"beat_bits": 64},
    "wide_beats": {"beat_bits": 512},
}


@pytest.mark.rtlsim
def test_memory_equals_what_was_sent(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("write_master", CASES)
