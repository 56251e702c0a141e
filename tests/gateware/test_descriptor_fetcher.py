"""The fetcher of descriptors in simulation: see sim/benches/bench_descriptor_fetcher.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "beats_of_64_bits": {"beat_bits": 64},
    "beats_of_512_bits": {"beat_bits": 512},
}


@pytest.mark.rtlsim
def test_words_equal_the_list_in_memory(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("descriptor_fetcher", CASES)
