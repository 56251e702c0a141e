"""Pictures: from files to the input of a network."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from cortado.errors import PictureError
from cortado.frontends.mean_file import read_mean_file
from cortado.frontends.metadata import ChannelOrder, PictureInput
from cortado.graph.shape import TensorShape

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff")

# Pillow's modes of 8 bits a channel, or fewer; those of more would be cut off at 255.
MODES = ("1", "L", "P", "RGB", "RGBX", "YCbCr", "CMYK", "HSV", "LA", "La", "PA", "RGBA", "RGBa")


def load_pictures(path: Path, shape: TensorShape, picture: PictureInput | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pictures at `path` as float32 (N, C, H, W), and their names.

    `path` is a picture, a folder of pictures or an .npy file; `shape` is the network's input (N, C, H, W). Pictures are
    resized (bilinear), cropped and become (pixel - mean) * scale as `picture` says; grey pictures serve a network for
    colour and the other way round, and what is transparent is put on white. Arrays are taken as they are. Raises
    `PictureError` for what is no picture, has more than 8 bits a channel or is smaller than the crop, for an empty
    folder, or an array of another shape or kind.
    """
    if path.suffix == ".npy":
        return _array(path, shape)
    if picture is None:
        raise PictureError(f"'{path}': the model must say how pixels become its input (picture in model.json) to take "
                           "picture files; give an .npy file instead")
    preparation = _Preparation(shape, picture)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise PictureError(f"'{path}': the folder must hold pictures ({', '.join(SUFFIXES)}), it holds none")
    else:
        files = [path]
    return np.stack([preparation.load(file) for file in files]), tuple(file.name for file in files)


class _Preparation:
    """The way from a picture file to one input (C, H, W) of a network, checked against the network's shape."""

    def __init__(self, shape: TensorShape, picture: PictureInput) -> None:
        self._picture = picture
        if shape.rank != 4:
            raise PictureError(f"the network takes {shape}, no pictures (N x channels x height x width); give an .npy "
                               "file")
        _, channels, *size = shape.dims
        if channels != picture.channels:
            raise PictureError(f"the network takes {channels} channels, {picture.channel_order.value} pictures have "
                               f"{picture.channels}")
        self._size = tuple(size)
        if picture.crop not in ((), self._size) or (not picture.crop and picture.resize not in ((), self._size)):
            raise PictureError(f"the network takes pictures of {_by(self._size)}, its model.json prepares "
                               f"{_by(picture.crop or picture.resize)}")
        self._resize = picture.resize or (None if picture.crop else self._size)
        self._mean: np.ndarray | None = None
        if picture.mean_file is None:
            self._mean = np.asarray(picture.mean, np.float32)[:, None, None]

    def load(self, path: Path) -> np.ndarray:
        """The picture at `path`, float32 (C, H, W)."""
        pixels = self._pixels(path)
        if self._picture.channel_order is ChannelOrder.BGR:
            pixels = pixels[:, :, ::-1]
        values = self._less_mean(pixels.transpose(2, 0, 1))
        top, left = ((have - want) // 2 for have, want in zip(values.shape[1:], self._size, strict=True))
        values = values[:, top:top + self._size[0], left:left + self._size[1]]
        return np.ascontiguousarray(values * np.float32(self._picture.scale))

    def _less_mean(self, values: np.ndarray) -> np.ndarray:
        if self._mean is None:
            # A mean picture is subtracted before the crop, as Caffe does; without `resize` every size needs its own.
            size = (values.shape[1], values.shape[2])
            mean = read_mean_file(self._picture.mean_file, self._picture.channels, size)
            if self._resize is not None:
                self._mean = mean
            return values - mean
        return values - self._mean

    def _pixels(self, path: Path) -> np.ndarray:
        """Float32 (H, W, C), resized where it must be, not yet cropped."""
        try:
            with warnings.catch_warnings():
                # Pillow warns of a picture of a hundred million pixels; it is no input of a network.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(path) as image:
                    _require_mode(path, image)
                    image = _opaque(image).convert("L" if self._picture.channels == 1 else "RGB")
                    if self._resize is not None:
                        height, width = self._resize
                        image = image.resize((width, height), Image.Resampling.BILINEAR)
        except FileNotFoundError:
            raise PictureError(f"'{path}': no such file; give the path of a picture") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PictureError(f"'{path}': a picture must have at most {Image.MAX_IMAGE_PIXELS:,} pixels") from None
        except UnidentifiedImageError:
            raise PictureError(f"'{path}': it must be a picture (PNG, JPEG, ...), its contents are none") from None
        except (OSError, ValueError, SyntaxError) as error:
            raise PictureError(f"'{path}': the picture cannot be read: {error}") from None
        pixels = np.asarray(image, np.float32).reshape(image.height, image.width, self._picture.channels)
        if image.height < self._size[0] or image.width < self._size[1]:
            raise PictureError(f"'{path}': the picture must be at least {_by(self._size)} (height x width), the size "
                               f"of the crop, not {_by(pixels.shape[:2])}")
        return pixels


def _require_mode(path: Path, image: Image.Image) -> None:
    if image.mode not in MODES:
        raise PictureError(f"'{path}': the picture must have 8 bits a channel, not mode {image.mode}; save it as 8-bit "
                           "RGB or grey")


def _opaque(image: Image.Image) -> Image.Image:
    """The picture on white where it is transparent."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


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
