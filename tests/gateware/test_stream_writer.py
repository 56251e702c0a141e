"""The writer of a stream in simulation: see sim/benches/bench_stream_writer.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "narrow": {"beat_bits": 64},
    "wide": {"beat_bits": 128},
}


@pytest.mark.rtlsim
def test_bursts_equal_a_list(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("stream_writer", CASES)
