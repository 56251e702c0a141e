"""What is done to pictures on their way from a data layer into the network. No layer type lives here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.spec import LayerSpec
from cortado.layers.source_path import source_path
from cortado.messages.blob import read_blob_file


@dataclass(frozen=True, kw_only=True)
class TransformParameters:
    """Caffe's TransformationParameter."""

    scale: float = 1.0
    mirror: bool = False
    crop_size: int = 0
    mean_file: str = ""
    mean_value: tuple[float, ...] = ()
    force_color: bool = False
    force_gray: bool = False

    def __post_init__(self) -> None:
        if self.crop_size < 0:
            raise FieldError("crop_size", f"must be at least 0, not {self.crop_size}")
        if self.mean_file and self.mean_value:
            raise FieldError("mean_value", "must not be given beside mean_file")
        if self.force_color and self.force_gray:
            raise FieldError("force_gray", "must not be given beside force_color")

    def shape(self, spec: LayerSpec, picture: tuple[int, int, int]) -> tuple[int, int, int]:
        """(C, H, W) of what becomes of a picture of these dimensions; `LayerError` where it does not fit."""
        channels, height, width = picture
        if len(self.mean_value) not in (0, 1, channels):
            raise spec.error(f"mean_value must have one value, or one for each of {channels} channels, not "
                             f"{len(self.mean_value)}")
        if not self.crop_size:
            return picture
        if self.crop_size > min(height, width):
            raise spec.error(f"crop_size must be at most the picture's {height}x{width}, not {self.crop_size}")
        return channels, self.crop_size, self.crop_size


class Transformer:
    """Applies the parameters to one picture after the other, as Caffe's `data_transformer.cpp`.

    (x - mean) * scale. In training each picture is cut out at a random place, otherwise from the middle; with `mirror`
    each is turned left to right by the toss of a coin, in training or not. Draws come from torch's own generator.
    """

    def __init__(self, spec: LayerSpec, parameters: TransformParameters) -> None:
        self._parameters = parameters
        self._mean: Tensor | None = None
        if parameters.mean_value:
            self._mean = torch.tensor(parameters.mean_value).reshape(-1, 1, 1)
        if parameters.mean_file:
            path = source_path(parameters.mean_file, spec.position.file if spec.position else ".")
            self._mean = torch.from_numpy(read_blob_file(path)).squeeze(0)

    def __call__(self, picture: np.ndarray, training: bool) -> Tensor:
        """The picture (C, H, W) as float32; `ValueError` where the mean is of another size."""
        parameters = self._parameters
        x = torch.from_numpy(np.asarray(picture, np.float32))
        if self._mean is not None:
            if self._mean.shape[1:] not in ((1, 1), x.shape[1:]) or self._mean.shape[0] not in (1, x.shape[0]):
                raise ValueError(f"the mean picture must be of {tuple(x.shape)}, not {tuple(self._mean.shape)}")
            x = x - self._mean
        size = parameters.crop_size
        if size:
            room = (x.shape[1] - size, x.shape[2] - size)
            top, left = ((int(torch.randint(side + 1, ())) for side in room) if training
                         else (side // 2 for side in room))
            x = x[:, top:top + size, left:left + size]
        if parameters.mirror and int(torch.randint(2, ())):
            x = x.flip(2)
        return x * parameters.scale
