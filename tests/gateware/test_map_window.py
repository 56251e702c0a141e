"""Maps among other channels of the same images: every number where a loop over the whole finds it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cortado.gateware.map_window import MapWindow
from cortado.gateware.memory_layout import MapLayout


@st.composite
def windows(draw: st.DrawFn) -> MapWindow:
    """Any part of maps with pixels of 1 to 4 channels."""
    lanes, bits = draw(st.integers(1, 4)), draw(st.sampled_from([8, 16]))
    whole = MapLayout(batch=draw(st.integers(1, 3)), channels=draw(st.integers(1, 12)), height=draw(st.integers(1, 3)),
                      width=draw(st.integers(1, 5)), lanes=lanes, beat_bytes=8, data_bits=bits)
    first = draw(st.integers(0, whole.blocks - 1))
    return MapWindow(whole=whole, first_block=first, channels=draw(st.integers(1, whole.channels - first * lanes)))


@given(window=windows(), seed=st.integers(0, 2**32 - 1))
def test_a_window_is_a_part_of_the_whole(window: MapWindow, seed: int) -> None:
    rng, whole = np.random.default_rng(seed), window.whole
    everything = rng.integers(-100, 100, (whole.batch, whole.channels, whole.height, whole.width)).astype(
        whole.data_type)
    first = window.first_block * whole.lanes
    part = everything[:, first : first + window.channels]
    memory = whole.pack(everything)
    np.testing.assert_array_equal(window.unpack(memory), part)

    changed = rng.integers(-100, 100, part.shape).astype(whole.data_type)
    window.put(changed, memory)
    expected = everything.copy()
    expected[:, first : first + window.channels] = changed
    blocks = -(-window.channels // whole.lanes)
    # Lanes of its last block beyond its channels are its own too: they become 0.
    expected[:, first + window.channels : first + blocks * whole.lanes] = 0
    np.testing.assert_array_equal(whole.unpack(memory), expected)


def test_places_by_hand() -> None:
    """Channels 2 to 4 of 6 in pairs, maps of 2 x 3 in rows of one beat, two images."""
    window = MapWindow(whole=MapLayout(batch=2, channels=6, height=2, width=3, lanes=2, beat_bytes=8), first_block=1,
                       channels=3)
    assert (window.offset, window.row_beats, window.row_pitch, window.plane_pitch, window.image_pitch) == (
        16, 1, 8, 16, 48)
    assert (window.size_bytes, window.maps_bytes) == (96, 64)
    memory = np.zeros(96, np.uint8)
    maps = np.zeros((2, 3, 2, 3), np.int8)
    maps[1, 2, 1, 2] = 7
    window.put(maps, memory)
    # Image 1 begins at 48, the block of channels 4 and 5 at 32 in it, row 1 at 8, pixel 2 at 4.
    assert memory.nonzero()[0].tolist() == [48 + 32 + 8 + 4]
