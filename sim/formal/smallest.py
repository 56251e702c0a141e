"""The smallest engine: what a contract needs of a datapath, and no more."""

from __future__ import annotations

SMALLEST = {"m": 2, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 4, "buffer_words": 24, "block_columns": 4,
            "largest_taps": 216}
"""Keyword arguments of a `WinogradConfiguration`."""

PAIRS = {**SMALLEST, "pc": 2, "pk": 2}
"""Two channels in and out at a time."""
