"""The shape of one convolution, and the 3 x 3 views its kernel is cut into."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

PIECE = 3  # taps of a view in each direction: what the transform takes


@dataclass(frozen=True, kw_only=True)
class ConvolutionShape:
    """The shape of a convolution on a batch; `pad` is (top, bottom, left, right), pairs are (vertical, horizontal).

    What an engine's `rejects` says in words is an invariant here.
    """

    batch: int
    channels: int
    filters: int
    height: int
    width: int
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    group: int = 1

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        return (self.height + self.pad[0] + self.pad[1] - (self.kernel[0] - 1) * self.dilation[0] - 1
                ) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        return (self.width + self.pad[2] + self.pad[3] - (self.kernel[1] - 1) * self.dilation[1] - 1
                ) // self.stride[1] + 1

    @property
    def macs(self) -> int:
        """Multiplications of a direct convolution, over the batch."""
        return (self.batch * self.filters * (self.channels // self.group) * self.kernel[0] * self.kernel[1]
                * self.out_height * self.out_width)

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The 3 x 3 pieces of the kernel, each on a view of the map of its own; their results add up."""
        rows = axis_pieces(self.kernel[0], self.stride[0], self.dilation[0], self.pad[0])
        columns = axis_pieces(self.kernel[1], self.stride[1], self.dilation[1], self.pad[2])
        return tuple(View(row=row, column=column) for row in rows for column in columns)


@dataclass(frozen=True)
class AxisPiece:
    """Up to three taps in one direction. Pixel t of the view is pixel `offset + step * t` of the map."""

    offset: int
    step: int
    taps: tuple[int | None, int | None, int | None]
    """Index in the kernel of each of three neighbouring pixels; None where the kernel has no tap there."""

    def span(self, first: int, end: int, size: int) -> tuple[int, int]:
        """Of the view's pixels `first` to `end - 1`, those inside a map of `size` pixels as a range; (n, n) if none."""
        low = max(first, -(self.offset // self.step))
        high = min(end, (size - 1 - self.offset) // self.step + 1)
        return low, max(low, high)


@dataclass(frozen=True)
class View:
    """A 3 x 3 piece of a kernel on a shifted and stepped view of the map."""

    row: AxisPiece
    column: AxisPiece


def axis_pieces(kernel: int, stride: int, dilation: int, pad: int) -> tuple[AxisPiece, ...]:
    """The pieces of one direction.

    Output p takes pixel `stride * p + dilation * i - pad` for tap i. Taps whose pixels differ by multiples of the
    stride lie on one phase of the map, where three neighbours make a piece.
    """
    phases: dict[int, list[tuple[int, int]]] = {}
    for tap in range(kernel):
        place, phase = divmod(dilation * tap - pad, stride)
        phases.setdefault(phase, []).append((place, tap))
    pieces = []
    for phase, taps in sorted(phases.items()):
        while taps:
            first = taps[0][0]
            here = {place - first: tap for place, tap in taps if place - first < PIECE}
            pieces.append(AxisPiece(stride * first + phase, stride, tuple(here.get(n) for n in range(PIECE))))
            taps = taps[len(here):]
    return tuple(pieces)
