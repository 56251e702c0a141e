"""The weight unpacker in simulation: see sim/benches/bench_weight_unpacker.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "one_pair": {"m": 2, "pc": 1, "pk": 1, "beat_bits": 64},
    "one_pair_a_step": {"m": 2, "pc": 2, "pk": 4, "beat_bits": 64},
    "two_pairs_a_step": {"m": 4, "pc": 4, "pk": 1, "beat_bits": 128},
    "fewer_pairs_than_a_beat_holds": {"m": 4, "pc": 1, "pk": 2, "beat_bits": 256},
    "wide_beats": {"m": 4, "pc": 4, "pk": 4, "beat_bits": 512},
    "wide": {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "data_bits": 16, "weight_bits": 16},
    "wide_pairs_at_once": {"m": 2, "pc": 2, "pk": 2, "beat_bits": 512, "data_bits": 16, "weight_bits": 16},
}


@pytest.mark.rtlsim
def test_weights_equal_the_bytes_in_memory(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("weight_unpacker", CASES)
