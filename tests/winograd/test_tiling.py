"""Cutting maps into tiles and joining tiles into maps, against the pixel each entry must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import GraphError
from cortado.winograd.tiling import TileGrid
from cortado.winograd.transform import WinogradTransform

F4 = WinogradTransform(4)


@pytest.mark.parametrize(
    ("m", "height", "width", "pad", "out", "tiles"),
    [
        (4, 56, 56, (1, 1, 1, 1), (56, 56), (14, 14)),
        (4, 7, 7, (1, 1, 1, 1), (7, 7), (2, 2)),
        (2, 7, 7, (1, 1, 1, 1), (7, 7), (4, 4)),
        (6, 13, 14, (0, 0, 0, 0), (11, 12), (2, 2)),
        (4, 1, 1, (1, 1, 1, 1), (1, 1), (1, 1)),
        (4, 8, 5, (0, 2, 1, 0), (8, 4), (2, 1)),
    ],
)
def test_sizes_as_a_table(m: int, height: int, width: int, pad: tuple, out: tuple, tiles: tuple) -> None:
    grid = TileGrid(transform=WinogradTransform(m), height=height, width=width, pad=pad)
    assert (grid.out_height, grid.out_width) == out
    assert (grid.tiles_y, grid.tiles_x) == tiles
    assert grid.tiles == tiles[0] * tiles[1]


@settings(deadline=None)
@given(m=st.sampled_from([2, 4, 6]), size=st.tuples(st.integers(1, 15), st.integers(1, 15)),
       pad=st.tuples(*[st.integers(1, 3)] * 4))
def test_every_entry_is_the_pixel_under_it(m: int, size: tuple[int, int], pad: tuple[int, int, int, int]) -> None:
    height, width = size
    grid = TileGrid(transform=WinogradTransform(m), height=height, width=width, pad=pad)
    maps = 1 + np.arange(2 * height * width).reshape(2, height, width)  # 0 is only the pad
    tiles = grid.cut(maps)
    assert tiles.shape == (2, grid.tiles, m + 2, m + 2)
    for channel, tile, y, x in np.ndindex(tiles.shape):
        row = tile // grid.tiles_x * m + y - pad[0]
        column = tile % grid.tiles_x * m + x - pad[2]
        inside = 0 <= row < height and 0 <= column < width
        assert tiles[channel, tile, y, x] == (maps[channel, row, column] if inside else 0)


@settings(deadline=None)
@given(m=st.sampled_from([2, 4, 6]), size=st.tuples(st.integers(3, 15), st.integers(3, 15)))
def test_joined_tiles_lie_side_by_side_without_the_surplus(m: int, size: tuple[int, int]) -> None:
    grid = TileGrid(transform=WinogradTransform(m), height=size[0], width=size[1])
    tiles = np.arange(3 * grid.tiles * m * m).reshape(3, grid.tiles, m, m)
    joined = grid.join(tiles)
    assert joined.shape == (3, size[0] - 2, size[1] - 2)
    for channel, row, column in np.ndindex(joined.shape):
        tile = row // m * grid.tiles_x + column // m
        assert joined[channel, row, column] == tiles[channel, tile, row % m, column % m]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"height": 0, "width": 5}, r"the map must be at least 1x1, not 0x5"),
        ({"height": 5, "width": 5, "pad": (0, -1, 0, 0)},
         r"pad must be \(top, bottom, left, right\), each at least 0, not \(0, -1, 0, 0\)"),
        ({"height": 5, "width": 5, "pad": (1, 1)},
         r"pad must be \(top, bottom, left, right\), each at least 0, not \(1, 1\)"),
        ({"height": 1, "width": 1, "pad": (1, 0, 1, 1)},
         r"the padded map must be at least 3x3, not 2x3; enlarge the pad"),
    ],
)
def test_grids_without_an_output_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(GraphError, match=rf"^tile grid: {message}$"):
        TileGrid(transform=F4, **fields)
