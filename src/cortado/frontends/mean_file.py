"""Mean pictures: what a network's training subtracted from every picture, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cortado.errors import PictureError
from cortado.messages.blob import read_blob_file

SUFFIXES = (".npy", ".binaryproto")


def read_mean_file(path: Path, channels: int, size: tuple[int, int]) -> np.ndarray:
    """The mean, float32, (C, H, W) or (C, 1, 1), in the network's channel order.

    `path` is an .npy file or Caffe's .binaryproto; `size` (height, width) is that of the pictures it is subtracted
    from, before they are cropped. Raises `PictureError` for another shape or kind and `ModelFileError` for a
    .binaryproto that does not hold together.
    """
    if path.suffix not in SUFFIXES:
        raise PictureError(f"mean file '{path}': it must be one of {', '.join(SUFFIXES)}")
    mean = _array(path) if path.suffix == ".npy" else read_blob_file(path)
    shape = mean.shape
    # Caffe writes a mean as a blob of one picture.
    if mean.ndim == 4 and len(mean) == 1:
        mean = mean[0]
    if mean.ndim == 1:
        mean = mean[:, None, None]
    if mean.shape not in ((channels, *size), (channels, 1, 1)):
        height, width = size
        raise PictureError(f"mean file '{path}': its shape must be {channels}x{height}x{width} as of the pictures "
                           f"before the crop, or {channels} numbers, not {'x'.join(map(str, shape)) or 'scalar'}")
    mean = mean.astype(np.float32)
    if not np.isfinite(mean).all():
        raise PictureError(f"mean file '{path}': every number must be finite")
    return mean


def _array(path: Path) -> np.ndarray:
    try:
        mean = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise PictureError(f"mean file '{path}': no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise PictureError(f"mean file '{path}': it must be an .npy file of numbers: {error}") from None
    if not isinstance(mean, np.ndarray) or mean.dtype.kind not in "fiu":
        raise PictureError(f"mean file '{path}': it must hold one array of numbers")
    return mean
