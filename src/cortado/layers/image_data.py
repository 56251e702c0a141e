"""ImageData: picture files named in a list, with their labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.data_transform import Transformer, TransformParameters
from cortado.layers.layer import layer_types
from cortado.layers.picture_bytes import decode_picture, resize_picture
from cortado.layers.source_path import source_lines, source_path


@dataclass(frozen=True, kw_only=True)
class ImageDataParameters:
    """Caffe's ImageDataParameter; what it once had of TransformationParameter belongs into transform_param.

    Each line of `source` is a file, relative to `root_folder`, and a label.
    """

    source: str
    batch_size: int = 1
    rand_skip: int = 0
    shuffle: bool = False
    new_height: int = 0
    new_width: int = 0
    is_color: bool = True
    root_folder: str = ""
    scale: float = 1.0
    mean_file: str = ""
    crop_size: int = 0
    mirror: bool = False
    transform_param: TransformParameters = field(default_factory=TransformParameters)

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("rand_skip", 0), ("new_height", 0), ("new_width", 0)):
            if getattr(self, name) < least:
                raise FieldError(name, f"must be at least {least}, not {getattr(self, name)}")
        if bool(self.new_height) != bool(self.new_width):
            raise FieldError("new_height", "and new_width must be given together")

    @property
    def transform(self) -> TransformParameters:
        """The transformation, in whichever of the two messages it stands."""
        old = TransformParameters(scale=self.scale, mean_file=self.mean_file, crop_size=self.crop_size,
                                  mirror=self.mirror)
        return self.transform_param if old == TransformParameters() else old


@layer_types.register("ImageData")
class ImageData(DataSource):
    """The next pictures, (N, C, H, W), blue, green and red or grey, and their labels, (N,); `image_data_layer.cpp`."""

    parameters_type = ImageDataParameters
    parameters_field = "image_data_param"
    layer_fields = ("transform_param",)
    top_counts = range(2, 3)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._entries = _entries(spec)
        self._transformer = Transformer(spec, spec.parameters.transform)
        if spec.parameters.rand_skip:
            self.position += int(torch.randint(spec.parameters.rand_skip, ()))

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        # The first picture says how large all are.
        shape = parameters.transform.shape(spec, _picture(spec, _entries(spec)[0][0]).shape)
        return (TensorShape((parameters.batch_size, *shape)), TensorShape((parameters.batch_size,)))

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        items = self.next_items(parameters.batch_size, len(self._entries), shuffle=parameters.shuffle)
        entries = [self._entries[item] for item in items]
        try:
            pictures = [self._transformer(_picture(self.spec, path), self.training) for path, _ in entries]
            return torch.stack(pictures), torch.tensor([float(label) for _, label in entries])
        except (ValueError, RuntimeError) as error:
            raise self.spec.error(f"the pictures must be of one size: {error}") from None


def _entries(spec: LayerSpec) -> list[tuple[Path, int]]:
    entries = []
    for line in source_lines(spec, spec.parameters.source):
        name, _, label = line.rpartition(" ")
        try:
            entries.append((source_path(spec.parameters.root_folder + name.strip(),
                                        spec.position.file if spec.position else "."), int(label)))
        except ValueError:
            raise spec.error(f"source '{spec.parameters.source}' must have a file and a whole number in each line, not "
                             f"'{line[:40]}'") from None
    if not entries:
        raise spec.error(f"source '{spec.parameters.source}' must name at least one picture")
    return entries


def _picture(spec: LayerSpec, path: Path) -> np.ndarray:
    parameters = spec.parameters
    try:
        picture = decode_picture(path.read_bytes(), color=parameters.is_color)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise spec.error(f"'{path}' must be a picture that can be read: {reason}") from None
    if parameters.new_height:
        return resize_picture(picture, parameters.new_height, parameters.new_width)
    return picture
