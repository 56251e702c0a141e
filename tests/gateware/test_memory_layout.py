"""Maps in memory, byte by byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortado.gateware.memory_layout import MapLayout


def map_layouts() -> st.SearchStrategy[MapLayout]:
    """Small maps for every number of lanes and two widths of the port."""
    edges = st.integers(1, 9)
    return st.builds(MapLayout, batch=st.integers(1, 3), channels=edges, height=edges, width=edges,
                     lanes=st.sampled_from([1, 2, 4, 8]), beat_bytes=st.sampled_from([8, 32]))


def random_maps(layout: MapLayout, seed: int) -> np.ndarray:
    shape = layout.batch, layout.channels, layout.height, layout.width
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


def naive_pack(layout: MapLayout, maps: np.ndarray) -> bytearray:
    """Image, block of channels, row, pixel, channel: one byte at a time, rows filled up to whole beats."""
    content = bytearray()
    for image in maps:
        for block in range(0, layout.channels, layout.lanes):
            for row in range(layout.height):
                for column in range(layout.width):
                    for channel in range(block, block + layout.lanes):
                        content.append(int(image[channel, row, column]) & 255 if channel < layout.channels else 0)
                while len(content) % layout.beat_bytes:
                    content.append(0)
    return content


@given(layout=map_layouts(), seed=st.integers(0, 2**32 - 1))
def test_maps_lie_as_nested_loops_write_them(layout: MapLayout, seed: int) -> None:
    maps = random_maps(layout, seed)
    packed = layout.pack(maps)
    assert packed.dtype == np.uint8
    assert packed.tobytes() == bytes(naive_pack(layout, maps))
    assert layout.size_bytes == len(packed)


@given(layout=map_layouts(), seed=st.integers(0, 2**32 - 1))
def test_maps_come_back(layout: MapLayout, seed: int) -> None:
    maps = random_maps(layout, seed)
    unpacked = layout.unpack(layout.pack(maps))
    assert unpacked.dtype == np.int8
    np.testing.assert_array_equal(unpacked, maps)


@given(layout=map_layouts(), seed=st.integers(0, 2**32 - 1))
def test_what_fills_rows_and_channels_up_is_ignored(layout: MapLayout, seed: int) -> None:
    maps = random_maps(layout, seed)
    filling = np.frombuffer(bytes(naive_pack(layout, np.full_like(maps, -1))), np.uint8) == 0
    packed = np.where(filling, 0x55, layout.pack(maps)).astype(np.uint8)
    np.testing.assert_array_equal(layout.unpack(packed), maps)


def test_a_small_map_byte_by_byte() -> None:
    layout = MapLayout(batch=1, channels=3, height=2, width=3, lanes=2, beat_bytes=8)
    # 10c + 3r + column: channel c, row r.
    maps = (10 * np.arange(3)[:, None, None] + np.arange(6).reshape(2, 3)).astype(np.int8)[None]
    assert layout.pack(maps).tolist() == [
        0, 10, 1, 11, 2, 12, 0, 0,
        3, 13, 4, 14, 5, 15, 0, 0,
        20, 0, 21, 0, 22, 0, 0, 0,
        23, 0, 24, 0, 25, 0, 0, 0,
    ]
    assert (layout.blocks, layout.row_beats, layout.row_pitch, layout.plane_pitch, layout.image_pitch) == (
        2, 1, 8, 16, 32)


@pytest.mark.parametrize("maps", [np.zeros((1, 3, 2, 3), np.int16), np.zeros((1, 3, 3, 2), np.int8)])
def test_other_maps_are_a_callers_bug(maps: np.ndarray) -> None:
    layout = MapLayout(batch=1, channels=3, height=2, width=3, lanes=2, beat_bytes=8)
    with pytest.raises(AssertionError):
        layout.pack(maps)
