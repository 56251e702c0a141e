"""pycaffe's `caffe.io`: pictures into arrays, arrays into messages, and the way from a picture to an input.

Pictures are float32 arrays (H, W, K) from 0 to 1, in the order red, green, blue. Source: `python/caffe/io.py` of
BVLC/caffe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from cortado.errors import PictureError
from cortado.pycaffe.caffe_pb2 import BlobProto, BlobProtoVector, Datum

# Of red, green and blue in brightness, as scikit-image has them, which pycaffe reads with.
LUMINANCE = (0.2125, 0.7154, 0.0721)


def blobproto_to_array(blob: BlobProto, return_diff: bool = False) -> np.ndarray:
    """The values of a BlobProto, or its diff, in its shape; `ValueError` where their number is another."""
    values = np.array(blob.diff if return_diff else blob.data)
    if blob.HasField("num") or blob.HasField("channels") or blob.HasField("height") or blob.HasField("width"):
        return values.reshape(blob.num, blob.channels, blob.height, blob.width)
    return values.reshape(tuple(blob.shape.dim))


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> BlobProto:
    """An array, and another one as its diff, as a BlobProto."""
    blob = BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(arr.astype(float).flat)
    if diff is not None:
        blob.diff.extend(diff.astype(float).flat)
    return blob


def arraylist_to_blobprotovector_str(arraylist: Iterable[np.ndarray]) -> bytes:
    """Several arrays as the bytes of a BlobProtoVector."""
    return BlobProtoVector(blobs=[array_to_blobproto(array) for array in arraylist]).SerializeToString()


def blobprotovector_str_to_arraylist(data: bytes) -> list[np.ndarray]:
    """The arrays in the bytes of a BlobProtoVector."""
    return [blobproto_to_array(blob) for blob in BlobProtoVector.FromString(data).blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> Datum:
    """An array (C, H, W) as a Datum: bytes where it is uint8, floats otherwise; `ValueError` for other dimensions."""
    if arr.ndim != 3:
        raise ValueError(f"an array must be (C, H, W) to become a Datum, not of {arr.ndim} dimensions")
    datum = Datum(channels=arr.shape[0], height=arr.shape[1], width=arr.shape[2])
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(float).flat)
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum: Datum) -> np.ndarray:
    """The array (C, H, W) in a Datum; its label is `datum.label`."""
    shape = datum.channels, datum.height, datum.width
    if datum.data:
        return np.frombuffer(datum.data, np.uint8).reshape(shape)
    return np.array(datum.float_data).reshape(shape)


def load_image(filename: str | Path, color: bool = True) -> np.ndarray:
    """A picture file as float32 (H, W, 3) from 0 to 1, or (H, W, 1) without `color`; transparency is left out.

    Raises `PictureError`.
    """
    # Imported here: most programs read no pictures.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(filename) as image:
            is_gray = image.mode in ("1", "L", "LA")
            pixels = np.asarray(image.convert("L" if is_gray else "RGB")) / 255
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"'{filename}': it must be a picture that can be read: {error}") from None
    if is_gray:
        return np.repeat(pixels[:, :, None], 3 if color else 1, 2).astype(np.float32)
    return (pixels if color else (pixels @ LUMINANCE)[:, :, None]).astype(np.float32)


def resize_image(im: np.ndarray, new_dims: Sequence[int], interp_order: int = 1) -> np.ndarray:
    """(H, W, K) at (height, width) `new_dims`, float32: the nearest pixel for order 0, linear for order 1.

    As in pycaffe, one or three channels are taken between pixel centres, and others with the corners on each other.
    Raises `ValueError` for other orders.
    """
    if interp_order not in (0, 1):
        raise ValueError(f"interp_order must be 0 (nearest) or 1 (linear), not {interp_order}")
    planes = torch.from_numpy(np.ascontiguousarray(im, np.float32)).permute(2, 0, 1)[None]
    if interp_order == 0:
        resized = functional.interpolate(planes, tuple(new_dims), mode="nearest-exact")
    else:
        resized = functional.interpolate(planes, tuple(new_dims), mode="bilinear",
                                         align_corners=im.shape[2] not in (1, 3))
    return resized[0].permute(1, 2, 0).numpy()


def oversample(images: Sequence[np.ndarray], crop_dims: Sequence[int]) -> np.ndarray:
    """Ten (height, width) crops of each picture (H, W, K), one after the other: corners, centre, and these mirrored."""
    height, width = (int(dim) for dim in crop_dims)
    crops = []
    for image in images:
        rows, columns = image.shape[0] - height, image.shape[1] - width
        places = [(0, 0), (0, columns), (rows, 0), (rows, columns), (rows // 2, columns // 2)]
        plain = [image[row:row + height, column:column + width] for row, column in places]
        crops += [*plain, *(crop[:, ::-1] for crop in plain)]
    return np.stack(crops).astype(np.float32)


class Transformer:
    """From pictures (H, W, K) to inputs of a Net and back; `inputs` has the shape of each input by name.

    `preprocess` resizes, transposes, swaps channels, multiplies by the raw scale, subtracts the mean and multiplies by
    the input scale, in this order and each only where it was set. Raises `ValueError` for what does not fit an input.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.transpose: dict[str, Sequence[int]] = {}
        self.channel_swap: dict[str, Sequence[int]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}

    def preprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """A picture as one item of the input, float32."""
        shape = self._shape(in_)
        value = data.astype(np.float32)
        if value.shape[:2] != shape[2:]:
            value = resize_image(value, shape[2:])
        if in_ in self.transpose:
            value = value.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            value = value[list(self.channel_swap[in_])]
        if in_ in self.raw_scale:
            value = value * np.float32(self.raw_scale[in_])
        if in_ in self.mean:
            value = value - self.mean[in_]
        if in_ in self.input_scale:
            value = value * np.float32(self.input_scale[in_])
        return value

    def deprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """The picture an item of the input was made of, but for its size."""
        self._shape(in_)
        value = data.squeeze()
        if in_ in self.input_scale:
            value = value / np.float32(self.input_scale[in_])
        if in_ in self.mean:
            value = value + self.mean[in_]
        if in_ in self.raw_scale:
            value = value / np.float32(self.raw_scale[in_])
        if in_ in self.channel_swap:
            value = value[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            value = value.transpose(np.argsort(self.transpose[in_]))
        return value

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """The order of dimensions, (2, 0, 1) for a picture that becomes planes."""
        if len(order) != len(self._shape(in_)) - 1:
            raise ValueError(f"a transpose of input '{in_}' must have {len(self.inputs[in_]) - 1} dimensions, not "
                             f"{len(order)}")
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """The order of channels after the transpose, (2, 1, 0) for blue, green, red."""
        if len(order) != self._shape(in_)[1]:
            raise ValueError(f"a channel swap of input '{in_}' must have {self.inputs[in_][1]} channels, not "
                             f"{len(order)}")
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """A factor before the mean, 255 for networks that know bytes."""
        self._shape(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: np.ndarray) -> None:
        """What is subtracted: one value a channel, or a picture (K, H, W), which is brought to the input's size."""
        channels, *size = self._shape(in_)[1:]
        if mean.ndim == 1:
            if len(mean) != channels:
                raise ValueError(f"a mean of input '{in_}' must have {channels} channels, not {len(mean)}")
            self.mean[in_] = mean.astype(np.float32)[:, None, None]
            return
        mean = mean[None] if mean.ndim == 2 else mean
        if mean.ndim != 3 or mean.shape[0] not in (1, channels):
            raise ValueError(f"a mean of input '{in_}' must be a picture (K, H, W) of {channels} channels, not of "
                             f"shape {'x'.join(map(str, mean.shape))}")
        if list(mean.shape[1:]) != size:
            mean = resize_image(mean.transpose(1, 2, 0), size).transpose(2, 0, 1)
        self.mean[in_] = mean.astype(np.float32)

    def set_input_scale(self, in_: str, scale: float) -> None:
        """A factor after everything else."""
        self._shape(in_)
        self.input_scale[in_] = scale

    def _shape(self, in_: str) -> tuple[int, ...]:
        if in_ not in self.inputs:
            raise ValueError(f"'{in_}' must be one of the inputs {', '.join(self.inputs)}")
        return self.inputs[in_]
