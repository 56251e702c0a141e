"""How the driver arranges a batch before it is packed, so that the engine meets a shape it is good at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.memory_layout import MapLayout


@dataclass(frozen=True)
class Arrangement(ABC):
    """A convolution of `shape` on a batch and the convolution `lowered` that the engine runs instead.

    All methods take and give integer arrays (N, C, H, W), of one type; weights are (K, C / group, R, S).
    """

    shape: ConvolutionShape

    @property
    @abstractmethod
    def lowered(self) -> ConvolutionShape:
        """What the engine runs."""

    @abstractmethod
    def __str__(self) -> str:
        """In words."""

    @abstractmethod
    def arrange_source(self, maps: np.ndarray) -> np.ndarray:
        """The engine's input maps."""

    @abstractmethod
    def restore_source(self, arranged: np.ndarray) -> np.ndarray:
        """The batch back from the engine's input; pixels no output depends on are 0."""

    @abstractmethod
    def arrange_target(self, maps: np.ndarray) -> np.ndarray:
        """The engine's output for a batch of results; what means nothing is 0."""

    @abstractmethod
    def restore_target(self, arranged: np.ndarray) -> np.ndarray:
        """The batch of results back from the engine's output."""

    def arrange_weight(self, weight: np.ndarray) -> np.ndarray:
        """The kernels of the lowered convolution."""
        return weight

    def canonical(self, layout: MapLayout, *, is_target: bool) -> Hashable:
        """What the batch of maps that `layout` holds arranged lies like; see `PackedLayout`."""
        return self, is_target, layout


class Plain(Arrangement):
    """The batch as it is, one image after the other."""

    @property
    def lowered(self) -> ConvolutionShape:
        return self.shape

    def __str__(self) -> str:
        return "plain"

    def arrange_source(self, maps: np.ndarray) -> np.ndarray:
        return maps

    restore_source = arrange_target = restore_target = arrange_source

    def canonical(self, layout: MapLayout, *, is_target: bool) -> Hashable:
        return layout


@dataclass(frozen=True)
class Mosaic(Arrangement):
    """Images side by side in a grid, with so many zero lines between them as the kernel looks beyond an image.

    One set of weights then serves the tiles of all of them, and a tile may lie across two images. For stride 1. Places
    of the grid without an image are zero.
    """

    rows: int
    columns: int

    @property
    def gaps(self) -> tuple[int, int]:
        """Zero lines between two images, vertically and horizontally."""
        top, bottom, left, right = self.shape.pad
        return max(top, bottom), max(left, right)

    @property
    def pitches(self) -> tuple[int, int]:
        """From one image to the next."""
        return self.shape.height + self.gaps[0], self.shape.width + self.gaps[1]

    @property
    def lowered(self) -> ConvolutionShape:
        return replace(self.shape, batch=-(-self.shape.batch // (self.rows * self.columns)),
                       height=self.rows * self.pitches[0] - self.gaps[0],
                       width=self.columns * self.pitches[1] - self.gaps[1])

    def __str__(self) -> str:
        return f"mosaic {self.rows}x{self.columns}"

    def arrange_source(self, maps: np.ndarray) -> np.ndarray:
        return self._lay(maps, self.lowered.height, self.lowered.width)

    def restore_source(self, arranged: np.ndarray) -> np.ndarray:
        return self._take(arranged, self.shape.height, self.shape.width)

    def arrange_target(self, maps: np.ndarray) -> np.ndarray:
        return self._lay(maps, self.lowered.out_height, self.lowered.out_width)

    def restore_target(self, arranged: np.ndarray) -> np.ndarray:
        return self._take(arranged, self.shape.out_height, self.shape.out_width)

    def _lay(self, maps: np.ndarray, height: int, width: int) -> np.ndarray:
        arranged = np.zeros((self.lowered.batch, maps.shape[1], height, width), maps.dtype)
        for image, place in enumerate(self._places(maps.shape[2], maps.shape[3])):
            arranged[place] = maps[image]
        return arranged

    def _take(self, arranged: np.ndarray, height: int, width: int) -> np.ndarray:
        return np.stack([arranged[place] for place in self._places(height, width)])

    def _places(self, height: int, width: int) -> list[tuple[int, slice, slice, slice]]:
        """Where each image of the given size lies."""
        places = []
        for image in range(self.shape.batch):
            sheet, rest = divmod(image, self.rows * self.columns)
            row, column = divmod(rest, self.columns)
            top, left = row * self.pitches[0], column * self.pitches[1]
            places.append((sheet, slice(None), slice(top, top + height), slice(left, left + width)))
        return places


class Flat(Arrangement):
    """All pixels of the batch that a 1 x 1 kernel meets, in one row: no edges are left."""

    @property
    def lowered(self) -> ConvolutionShape:
        return replace(self.shape, batch=1, height=1, pad=(0, 0, 0, 0), stride=(1, 1), dilation=(1, 1),
                       width=self.shape.batch * self.shape.out_height * self.shape.out_width)

    def __str__(self) -> str:
        return "flat"

    def arrange_source(self, maps: np.ndarray) -> np.ndarray:
        shape = self.shape
        if any(shape.pad):
            top, bottom, left, right = shape.pad
            maps = np.pad(maps, ((0, 0), (0, 0), (top, bottom), (left, right)))
        met = maps[:, :, :: shape.stride[0], :: shape.stride[1]][:, :, : shape.out_height, : shape.out_width]
        return np.ascontiguousarray(met.swapaxes(0, 1)).reshape(1, shape.channels, 1, -1)

    def restore_source(self, arranged: np.ndarray) -> np.ndarray:
        shape = self.shape
        top, bottom, left, right = shape.pad
        padded = np.zeros((shape.batch, shape.channels, shape.height + top + bottom, shape.width + left + right),
                          arranged.dtype)
        met = padded[:, :, :: shape.stride[0], :: shape.stride[1]][:, :, : shape.out_height, : shape.out_width]
        met[...] = self._images(arranged)
        return padded[:, :, top : top + shape.height, left : left + shape.width]

    def arrange_target(self, maps: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(maps.swapaxes(0, 1)).reshape(1, self.shape.filters, 1, -1)

    def restore_target(self, arranged: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self._images(arranged))

    def canonical(self, layout: MapLayout, *, is_target: bool) -> Hashable:
        shape = self.shape
        if not is_target and (any(shape.pad) or shape.stride != (1, 1)):
            return super().canonical(layout, is_target=is_target)
        images = replace(layout, batch=shape.batch, height=shape.out_height, width=shape.out_width)
        # Without a gap behind its rows, an image in one row is the image.
        if shape.batch == 1 and images.row_pitch == images.width * images.pixel_bytes:
            return images
        return type(self), images

    def _images(self, arranged: np.ndarray) -> np.ndarray:
        return arranged.reshape(arranged.shape[1], self.shape.batch, self.shape.out_height,
                                self.shape.out_width).swapaxes(0, 1)


@dataclass(frozen=True)
class Rows(Arrangement):
    """For a 1 x 1 kernel: the rows of an image with the gaps behind them, `pitch` pixels each, as one row.

    Maps then lie as they are, at the price of multiplying the gaps; what comes of those means nothing. For stride 1
    without pads.
    """

    pitch: int

    @property
    def lowered(self) -> ConvolutionShape:
        return replace(self.shape, height=1, width=self.shape.height * self.pitch, dilation=(1, 1))

    def __str__(self) -> str:
        return "rows"

    def arrange_source(self, maps: np.ndarray) -> np.ndarray:
        gaps = np.pad(maps, ((0, 0), (0, 0), (0, 0), (0, self.pitch - self.shape.width)))
        return gaps.reshape(*maps.shape[:2], 1, -1)

    arrange_target = arrange_source

    def restore_source(self, arranged: np.ndarray) -> np.ndarray:
        rows = arranged.reshape(*arranged.shape[:2], self.shape.height, self.pitch)
        return np.ascontiguousarray(rows[..., : self.shape.width])

    restore_target = restore_source

    def canonical(self, layout: MapLayout, *, is_target: bool) -> Hashable:
        return replace(layout, height=self.shape.height, width=self.shape.width)


class SpaceToDepth(Arrangement):
    """Each phase of a strided map becomes channels of its own, so that few channels fill the lanes; without dilation.

    The pads are laid into the map. Channel (y * sx + x) * C + c is phase (y, x) of channel c, group by group.
    """

    @property
    def lowered(self) -> ConvolutionShape:
        shape = self.shape
        kernel = tuple(-(-size // stride) for size, stride in zip(shape.kernel, shape.stride, strict=True))
        return replace(shape, channels=shape.channels * shape.stride[0] * shape.stride[1], kernel=kernel, stride=(1, 1),
                       pad=(0, 0, 0, 0), height=shape.out_height + kernel[0] - 1, width=shape.out_width + kernel[1] - 1)

    def __str__(self) -> str:
        return f"space-to-depth {self.shape.stride[0]}x{self.shape.stride[1]}"

    def arrange_source(self, maps: np.ndarray) -> np.ndarray:
        shape, lowered = self.shape, self.lowered
        canvas = np.zeros((*maps.shape[:2], *self._canvas), maps.dtype)
        top, left = shape.pad[0], shape.pad[2]
        part = canvas[:, :, top : top + shape.height, left : left + shape.width]
        part[...] = maps[:, :, : part.shape[2], : part.shape[3]]
        split = canvas.reshape(shape.batch, shape.group, -1, lowered.height, shape.stride[0], lowered.width,
                               shape.stride[1])
        return np.ascontiguousarray(split.transpose(0, 1, 4, 6, 2, 3, 5)).reshape(
            shape.batch, lowered.channels, lowered.height, lowered.width)

    def restore_source(self, arranged: np.ndarray) -> np.ndarray:
        shape, lowered = self.shape, self.lowered
        split = arranged.reshape(shape.batch, shape.group, *shape.stride, -1, lowered.height, lowered.width)
        canvas = split.transpose(0, 1, 4, 5, 2, 6, 3).reshape(shape.batch, shape.channels, *self._canvas)
        maps = np.zeros((shape.batch, shape.channels, shape.height, shape.width), arranged.dtype)
        part = canvas[:, :, shape.pad[0] : shape.pad[0] + shape.height, shape.pad[2] : shape.pad[2] + shape.width]
        maps[:, :, : part.shape[2], : part.shape[3]] = part
        return maps

    def arrange_target(self, maps: np.ndarray) -> np.ndarray:
        return maps

    restore_target = arrange_target

    def canonical(self, layout: MapLayout, *, is_target: bool) -> Hashable:
        return layout if is_target else super().canonical(layout, is_target=is_target)

    def arrange_weight(self, weight: np.ndarray) -> np.ndarray:
        kernel, stride = self.lowered.kernel, self.shape.stride
        full = np.zeros((*weight.shape[:2], kernel[0] * stride[0], kernel[1] * stride[1]), weight.dtype)
        full[:, :, : weight.shape[2], : weight.shape[3]] = weight
        split = full.reshape(*weight.shape[:2], kernel[0], stride[0], kernel[1], stride[1])
        return np.ascontiguousarray(split.transpose(0, 3, 5, 1, 2, 4)).reshape(len(weight), -1, *kernel)

    @property
    def _canvas(self) -> tuple[int, int]:
        return self.lowered.height * self.shape.stride[0], self.lowered.width * self.shape.stride[1]
