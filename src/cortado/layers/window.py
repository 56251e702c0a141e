"""The sliding window that Convolution and Pooling share: kernel, stride, pad, dilation. No layer type lives here.

Caffe writes each either as `<field>` (one value, or one per dimension) or as the pair `<field>_h`, `<field>_w`.
"""

from __future__ import annotations

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec

# Beyond this a window is a mistake in the file: no picture has so many rows.
LARGEST_EXTENT = 2**20


def window_pair(field: str, repeated: tuple[int, ...], height: int | None, width: int | None, *, short: str,
                default: int | None, least: int) -> tuple[int, int]:
    """(height, width) of one property of a window.

    `field` is the repeated spelling and `short` begins the other one (`kernel_size`, `kernel`). A property that is
    not given is `default` in both dimensions; None makes it required. Raises `FieldError` for both spellings at
    once, half a pair, more than two values, or a value below `least`.
    """
    if repeated and (height is not None or width is not None):
        raise FieldError(field, f"must not be given beside {short}_h and {short}_w")
    if (height is None) != (width is None):
        given, missing = ("h", "w") if width is None else ("w", "h")
        raise FieldError(f"{short}_{given}", f"must be given together with {short}_{missing}")
    if height is not None and width is not None:
        _check_extent(f"{short}_h", height, least)
        _check_extent(f"{short}_w", width, least)
        return height, width
    if not repeated:
        if default is None:
            raise FieldError(field, f"must be given (or {short}_h and {short}_w)")
        return default, default
    if len(repeated) > 2:
        raise FieldError(field, f"must have one value, or height and width, not {len(repeated)} values", index=2)
    for index, value in enumerate(repeated):
        _check_extent(field, value, least, index=index)
    return repeated[0], repeated[-1]


def _check_extent(field: str, value: int, least: int, *, index: int | None = None) -> None:
    if not least <= value <= LARGEST_EXTENT:
        raise FieldError(field, f"must be from {least} to {LARGEST_EXTENT}, not {value}", index=index)


def picture_dims(spec: LayerSpec, bottom: TensorShape) -> tuple[int, int, int, int]:
    """(N, C, H, W) of a bottom that must have four dimensions."""
    if bottom.rank != 4:
        raise spec.error(f"bottom '{spec.bottoms[0]}' must have four dimensions (N, C, H, W), not {bottom}")
    batch, channels, height, width = bottom.dims
    return batch, channels, height, width
