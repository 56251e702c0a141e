"""How runs of beats are cut into bursts."""

from __future__ import annotations

LARGEST_BEATS = 16
PAGE_BYTES = 4096


def cut(address: int, beats: int, beat_bytes: int) -> list[dict[str, int]]:
    """The bursts of a run, beat by beat: a new one where the last is full or a page ends, as AXI4 demands."""
    bursts: list[dict[str, int]] = []
    for beat in range(address, address + beats * beat_bytes, beat_bytes):
        if not bursts or bursts[-1]["beats"] == LARGEST_BEATS or beat % PAGE_BYTES == 0:
            bursts.append({"address": beat, "beats": 0})
        bursts[-1]["beats"] += 1
    return bursts
