"""How maps and weights lie in the engine's memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cortado.gateware.channel_record import RECORD_LAYOUT, ChannelFlag
from cortado.gateware.configuration import CHANNEL_RECORD_BYTES, WinogradConfiguration
from cortado.numerics.convolution import IntegerConvolution

_RECORD = np.dtype([("bias", "<i4"), ("multiplier", "<u2"), ("shift", "u1"), ("flags", "u1")])
assert _RECORD.itemsize == CHANNEL_RECORD_BYTES == RECORD_LAYOUT.size // 8


@dataclass(frozen=True, kw_only=True)
class MapLayout:
    """A batch of int8 maps (N, C, H, W) in memory: image, block of `lanes` channels, row, pixel, channel.

    A pixel is `lanes` bytes; channels beyond the last are zero. Every row starts on a beat.
    """

    batch: int
    channels: int
    height: int
    width: int
    lanes: int
    beat_bytes: int

    @property
    def blocks(self) -> int:
        """Blocks of `lanes` channels."""
        return -(-self.channels // self.lanes)

    @property
    def row_beats(self) -> int:
        """Beats of one row."""
        return -(-self.width * self.lanes // self.beat_bytes)

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

    def pack(self, maps: np.ndarray) -> np.ndarray:
        """The bytes of int8 `maps` of shape (N, C, H, W), as uint8."""
        assert maps.dtype == np.int8, maps.dtype
        assert maps.shape == (self.batch, self.channels, self.height, self.width), maps.shape
        rows = np.zeros((self.batch, self.blocks, self.height, self.row_pitch), np.int8)
        pixels = rows[..., : self.width * self.lanes].reshape(
            self.batch, self.blocks, self.height, self.width, self.lanes)
        padded = np.zeros((self.batch, self.blocks * self.lanes, self.height, self.width), np.int8)
        padded[:, : self.channels] = maps
        pixels[...] = padded.reshape(
            self.batch, self.blocks, self.lanes, self.height, self.width).transpose(0, 1, 3, 4, 2)
        rows[..., : self.width * self.lanes] = pixels.reshape(self.batch, self.blocks, self.height, -1)
        return rows.reshape(-1).view(np.uint8)

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """The int8 maps (N, C, H, W) in the bytes `packed`."""
        rows = packed.view(np.int8).reshape(self.batch, self.blocks, self.height, self.row_pitch)
        pixels = rows[..., : self.width * self.lanes].reshape(
            self.batch, self.blocks, self.height, self.width, self.lanes)
        maps = pixels.transpose(0, 1, 4, 2, 3).reshape(self.batch, -1, self.height, self.width)
        return np.ascontiguousarray(maps[:, : self.channels])


def pack_weights(convolution: IntegerConvolution, configuration: WinogradConfiguration) -> np.ndarray:
    """Records and kernels of a layer in the order the engine reads them, as uint8.

    For each block of pk output channels: pk records, then for each block of pc input channels pk * pc kernels of nine
    bytes, output channel outermost; records and passes are filled up to whole beats.
    """
    filters, channels = convolution.weight.shape[:2]
    filter_blocks, channel_blocks = configuration.filter_blocks(filters), configuration.channel_blocks(channels)
    pk, pc = configuration.pk, configuration.pc

    records = np.zeros(filter_blocks * pk, _RECORD)
    for name in ("bias", "multiplier", "shift"):
        records[name][:filters] = getattr(convolution, name)
    records["flags"] = ChannelFlag.RELU if convolution.relu else 0
    kernels = np.zeros((filter_blocks * pk, channel_blocks * pc, 9), np.int8)
    kernels[:filters, :channels] = convolution.weight.reshape(filters, channels, 9)

    record_bytes = np.zeros((filter_blocks, configuration.record_beats * configuration.beat_bytes), np.uint8)
    record_bytes[:, : pk * CHANNEL_RECORD_BYTES] = records.view(np.uint8).reshape(filter_blocks, -1)
    pass_pitch = configuration.pass_beats * configuration.beat_bytes
    pass_bytes = np.zeros((filter_blocks, channel_blocks, pass_pitch), np.uint8)
    pass_bytes[..., : pk * pc * 9] = kernels.view(np.uint8).reshape(
        filter_blocks, pk, channel_blocks, pc, 9).transpose(0, 2, 1, 3, 4).reshape(filter_blocks, channel_blocks, -1)
    return np.concatenate([record_bytes, pass_bytes.reshape(filter_blocks, -1)], axis=1).reshape(-1)
