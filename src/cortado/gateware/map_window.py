"""Maps that lie among other channels of the same images, as those a Concat joins do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cortado.gateware.memory_layout import MapLayout


@dataclass(frozen=True, kw_only=True)
class MapWindow:
    """`channels` channels from block `first_block` on of the maps that `whole` says how they lie.

    Who writes them so, next to what others write, joins them by address: nothing is copied.
    """

    whole: MapLayout
    first_block: int
    channels: int

    @property
    def own(self) -> MapLayout:
        """How the channels would lie without the others."""
        return replace(self.whole, channels=self.channels)

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole."""
        return self.whole.size_bytes

    @property
    def maps_bytes(self) -> int:
        """Bytes of the channels by themselves."""
        return self.own.size_bytes

    @property
    def offset(self) -> int:
        """Bytes before the first channel of the first image."""
        return self.first_block * self.whole.plane_pitch

    @property
    def row_beats(self) -> int:
        """Beats of one row."""
        return self.whole.row_beats

    @property
    def row_pitch(self) -> int:
        """Bytes from one row to the next."""
        return self.whole.row_pitch

    @property
    def plane_pitch(self) -> int:
        """Bytes from one block of channels to the next."""
        return self.whole.plane_pitch

    @property
    def image_pitch(self) -> int:
        """Bytes from one image to the next, with the channels of the others between."""
        return self.whole.image_pitch

    @property
    def canonical(self) -> MapWindow:
        """As in `PackedLayout`: windows that are equal hold the same maps in the same bytes."""
        return self

    def put(self, maps: np.ndarray, memory: np.ndarray) -> None:
        """Write maps (N, C, H, W) to their place in `memory`, uint8; what others have there stays."""
        images = memory[: self.size_bytes].reshape(self.whole.batch, -1)
        images[:, self.offset : self.offset + self.own.image_pitch] = self.own.pack(maps).reshape(len(images), -1)

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """The maps (N, C, H, W) out of the bytes of the whole."""
        images = packed[: self.size_bytes].reshape(self.whole.batch, -1)
        return self.own.unpack(np.ascontiguousarray(images[:, self.offset : self.offset + self.own.image_pitch]))
