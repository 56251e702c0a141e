"""The reader in simulation: see sim/benches/bench_stream_reader.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "beats_of_64_bits": {"beat_bits": 64},
    "beats_of_128_bits": {"beat_bits": 128},
}


@pytest.mark.rtlsim
def test_beats_equal_nested_loops(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("stream_reader", CASES)
