"""From the bytes of a picture file to planes, as Caffe's data layers have them. No layer type lives here."""

from __future__ import annotations

import io

import numpy as np
import torch
from torch.nn import functional

# Planes of colour are blue, green, red, as OpenCV has them and so Caffe.
_BGR = [2, 1, 0]


def decode_picture(data: bytes, *, color: bool | None) -> np.ndarray:
    """uint8 (3, H, W) in the order blue, green, red, or (1, H, W) grey; None leaves the choice to the file.

    Raises `ValueError` for what is no picture.
    """
    # Imported here: most networks read no pictures.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            color = image.mode not in ("1", "L", "LA") if color is None else color
            pixels = np.asarray(image.convert("RGB" if color else "L"))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"it is no picture: {error}") from None
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[_BGR]) if color else pixels[None]


def resize_picture(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The uint8 picture (C, H, W) at another size: bilinear between pixel centres, as OpenCV, which looks at four
    pixels also where it makes a picture smaller.
    """
    resized = functional.interpolate(torch.from_numpy(picture)[None].float(), (height, width), mode="bilinear",
                                     align_corners=False)
    return resized[0].round().to(torch.uint8).numpy()
