"""How maps lie in the engine's memory."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class PackedLayout(Protocol):
    """How a batch of maps (N, C, H, W) lies in memory."""

    @property
    def size_bytes(self) -> int:
        """Bytes it reaches over, from the beginning of a buffer on."""

    @property
    def maps_bytes(self) -> int:
        """Bytes of the batch by itself."""

    @property
    def canonical(self) -> Hashable:
        """Layouts in which this is equal hold a batch of maps in the same bytes."""

    def put(self, maps: np.ndarray, memory: np.ndarray) -> None:
        """Write `maps` of shape (N, C, H, W) to their place in `memory`, uint8 of at least `size_bytes`."""

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """The maps (N, C, H, W) in the bytes `packed`."""


@dataclass(frozen=True, kw_only=True)
class MapLayout:
    """A batch of int8 or int16 maps (N, C, H, W) in memory: image, block of `lanes` channels, row, pixel, channel.

    A pixel is `lanes` numbers of `data_bits`, the low byte first; channels beyond the last are zero. Every row starts
    on a beat.
    """

    batch: int
    channels: int
    height: int
    width: int
    lanes: int
    beat_bytes: int
    data_bits: int = 8

    @property
    def data_type(self) -> np.dtype:
        """Of the numbers in memory."""
        return np.dtype(f"<i{self.data_bits // 8}")

    @property
    def blocks(self) -> int:
        """Blocks of `lanes` channels."""
        return -(-self.channels // self.lanes)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel of a block."""
        return self.lanes * self.data_type.itemsize

    @property
    def row_beats(self) -> int:
        """Beats of one row."""
        return -(-self.width * self.pixel_bytes // self.beat_bytes)

    @property
    def row_pitch(self) -> int:
        """Bytes from one row to the next."""
        return self.row_beats * self.beat_bytes

    @property
    def plane_pitch(self) -> int:
        """Bytes from one block of channels to the next."""
        return self.height * self.row_pitch

    @property
    def image_pitch(self) -> int:
        """Bytes from one image to the next."""
        return self.blocks * self.plane_pitch

    @property
    def size_bytes(self) -> int:
        """Bytes of the batch."""
        return self.batch * self.image_pitch

    @property
    def maps_bytes(self) -> int:
        """As `size_bytes`: nothing else lies between."""
        return self.size_bytes

    @property
    def offset(self) -> int:
        """Bytes before the first image: none."""
        return 0

    @property
    def canonical(self) -> MapLayout:
        """Maps as they are lie alike where their layouts are equal."""
        return self

    def put(self, maps: np.ndarray, memory: np.ndarray) -> None:
        """Write `maps` of shape (N, C, H, W) to the beginning of `memory`, uint8."""
        memory[: self.size_bytes] = self.pack(maps)

    def pack(self, maps: np.ndarray) -> np.ndarray:
        """The bytes of `maps` of shape (N, C, H, W), as uint8."""
        assert maps.dtype == self.data_type, maps.dtype
        assert maps.shape == (self.batch, self.channels, self.height, self.width), maps.shape
        rows = np.zeros((self.batch, self.blocks, self.height, self.row_pitch // self.data_type.itemsize),
                        self.data_type)
        pixels = rows[..., : self.width * self.lanes].reshape(
            self.batch, self.blocks, self.height, self.width, self.lanes)
        padded = np.zeros((self.batch, self.blocks * self.lanes, self.height, self.width), self.data_type)
        padded[:, : self.channels] = maps
        pixels[...] = padded.reshape(
            self.batch, self.blocks, self.lanes, self.height, self.width).transpose(0, 1, 3, 4, 2)
        rows[..., : self.width * self.lanes] = pixels.reshape(self.batch, self.blocks, self.height, -1)
        return rows.reshape(-1).view(np.uint8)

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """The maps (N, C, H, W) in the bytes `packed`."""
        rows = packed.view(self.data_type).reshape(self.batch, self.blocks, self.height, -1)
        pixels = rows[..., : self.width * self.lanes].reshape(
            self.batch, self.blocks, self.height, self.width, self.lanes)
        maps = pixels.transpose(0, 1, 4, 2, 3).reshape(self.batch, -1, self.height, self.width)
        return np.ascontiguousarray(maps[:, : self.channels])
