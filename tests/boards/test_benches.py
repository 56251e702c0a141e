"""The circuits around an engine on a board, in simulation: see sim/benches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TINY = {"m": 2, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 8, "block_columns": 4, "largest_taps": 72,
        "buffer_words": 24}


@pytest.mark.rtlsim
@pytest.mark.parametrize("name", ["uart_receiver", "uart_transmitter"])
def test_a_serial_line(run_bench: Callable[[str, dict], None], name: str) -> None:
    run_bench(name, {"fast": {"divisor": 4}, "slower": {"divisor": 13}})


@pytest.mark.rtlsim
def test_a_memory_of_block_ram(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("block_memory", {"narrow": {"beat_bits": 64, "size_bytes": 1024},
                               "wide": {"beat_bits": 128, "size_bytes": 8192}})


@pytest.mark.rtlsim
def test_registers_and_memory_over_the_line(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("serial_bridge", {"bridge": {}})


@pytest.mark.rtlsim
def test_a_job_over_the_line(run_bench: Callable[[str, dict], None]) -> None:
    run_bench("serial_top", {"m2": TINY})
