"""How a padded map is cut into overlapping input tiles and its output into tiles side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortado.errors import GraphError
from cortado.numerics.convolution import Pad
from cortado.winograd.transform import WinogradTransform


@dataclass(frozen=True, kw_only=True)
class TileGrid:
    """The tiles of one map: `tiles_y` x `tiles_x`, in raster order.

    Output tile (y, x) holds rows y * m and on, columns x * m and on, and reads the (alpha, alpha) input tile that
    starts there in the padded map. Where the last tiles reach beyond the output, they read zeros and their surplus
    results are dropped.

    Raises `GraphError` for a size below 1, a negative pad, and a padded map smaller than r x r.
    """

    transform: WinogradTransform
    height: int
    width: int
    pad: Pad = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise GraphError(f"tile grid: the map must be at least 1x1, not {self.height}x{self.width}")
        if len(self.pad) != 4 or min(self.pad) < 0:
            raise GraphError(f"tile grid: pad must be (top, bottom, left, right), each at least 0, not {self.pad}")
        if min(self.out_height, self.out_width) < 1:
            r = self.transform.r
            raise GraphError(f"tile grid: the padded map must be at least {r}x{r}, not {self.out_height + r - 1}x"
                             f"{self.out_width + r - 1}; enlarge the pad")

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        top, bottom, _, _ = self.pad
        return self.height + top + bottom - self.transform.r + 1

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        _, _, left, right = self.pad
        return self.width + left + right - self.transform.r + 1

    @property
    def tiles_y(self) -> int:
        """Tiles from top to bottom."""
        return -(-self.out_height // self.transform.m)

    @property
    def tiles_x(self) -> int:
        """Tiles from left to right."""
        return -(-self.out_width // self.transform.m)

    @property
    def tiles(self) -> int:
        """Tiles of one map."""
        return self.tiles_y * self.tiles_x

    def cut(self, maps: NDArray[np.integer]) -> NDArray[np.integer]:
        """The input tiles of maps (..., height, width): (..., tiles, alpha, alpha), a copy."""
        m, alpha = self.transform.m, self.transform.alpha
        top, _, left, _ = self.pad
        rows, columns = ((count - 1) * m + alpha for count in (self.tiles_y, self.tiles_x))
        padded = np.zeros((*maps.shape[:-2], rows, columns), maps.dtype)
        padded[..., top : top + self.height, left : left + self.width] = maps
        windows = np.lib.stride_tricks.sliding_window_view(padded, (alpha, alpha), axis=(-2, -1))
        return windows[..., ::m, ::m, :, :].reshape(*maps.shape[:-2], self.tiles, alpha, alpha)

    def join(self, tiles: NDArray[np.integer]) -> NDArray[np.integer]:
        """The outputs (..., out_height, out_width) from output tiles (..., tiles, m, m)."""
        m = self.transform.m
        grid = tiles.reshape(*tiles.shape[:-3], self.tiles_y, self.tiles_x, m, m).swapaxes(-3, -2)
        whole = grid.reshape(*tiles.shape[:-3], self.tiles_y * m, self.tiles_x * m)
        return whole[..., : self.out_height, : self.out_width]
