"""Pictures: from files to the input of a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from cortado.errors import PictureError
from cortado.frontends.metadata import ChannelOrder, PictureInput
from cortado.graph.shape import TensorShape

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff")


def load_pictures(path: Path, shape: TensorShape, picture: PictureInput | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pictures at `path` as float32 (N, C, H, W), and their names.

    `path` is a picture, a folder of pictures or an .npy file; `shape` is the network's input (N, C, H, W). Pictures are
    resized to it (bilinear) and become (pixel - mean) * scale as `picture` says; arrays are taken as they are.
    Raises `PictureError` for what is no picture, an empty folder, or an array of another shape or kind.
    """
    if path.suffix == ".npy":
        return _array(path, shape)
    if picture is None:
        raise PictureError(f"'{path}': the model must say how pixels become its input (picture in model.json) to take "
                           "picture files; give an .npy file instead")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise PictureError(f"'{path}': the folder must hold pictures ({', '.join(SUFFIXES)}), it holds none")
    else:
        files = [path]
    return np.stack([_picture(file, shape, picture) for file in files]), tuple(file.name for file in files)


def _picture(path: Path, shape: TensorShape, picture: PictureInput) -> np.ndarray:
    _, channels, height, width = shape.dims
    gray = picture.channel_order is ChannelOrder.GRAY
    if channels != (1 if gray else 3):
        raise PictureError(f"'{path}': the network takes {channels} channels, {picture.channel_order.value} pictures "
                           f"have {1 if gray else 3}")
    try:
        with Image.open(path) as image:
            converted = image.convert("L" if gray else "RGB")
            resized = converted.resize((width, height), Image.Resampling.BILINEAR)
    except FileNotFoundError:
        raise PictureError(f"'{path}': no such file; give the path of a picture") from None
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise PictureError(f"'{path}': it must be a picture (PNG, JPEG, ...), its contents are none") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(f"'{path}': the picture cannot be read: {error}") from None
    pixels = np.asarray(resized, np.float32).reshape(height, width, channels)
    if picture.channel_order is ChannelOrder.BGR:
        pixels = pixels[:, :, ::-1]
    pixels = (pixels - np.asarray(picture.mean, np.float32)) * np.float32(picture.scale)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)


def _array(path: Path, shape: TensorShape) -> tuple[np.ndarray, tuple[str, ...]]:
    try:
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise PictureError(f"'{path}': no such file; give the path of an .npy file") from None
    except (OSError, ValueError, EOFError) as error:
        raise PictureError(f"'{path}': it must be an .npy file of numbers: {error}") from None
    expected = "x".join(("N", *map(str, shape.dims[1:])))
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise PictureError(f"'{path}': it must hold one array of numbers of shape {expected}")
    if values.ndim != shape.rank or values.shape[1:] != shape.dims[1:] or not len(values):
        raise PictureError(f"'{path}': the array must have shape {expected}, not "
                           f"{'x'.join(map(str, values.shape)) or 'scalar'}")
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise PictureError(f"'{path}': every number must be finite")
    return values, tuple(f"{path.name}[{index}]" for index in range(len(values)))
