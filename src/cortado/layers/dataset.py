"""Dataset: labelled pictures of a dataset that cortado knows by name. Caffe has no such type."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor

from cortado.datasets.dataset import datasets
from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.data_transform import Transformer, TransformParameters
from cortado.layers.layer import layer_types


class Part(Enum):
    """Which pictures of the dataset."""

    TRAINING = 0
    HELD_OUT = 1


@dataclass(frozen=True, kw_only=True)
class DatasetParameters:
    """Parameters of Dataset; `name` is the dataset's."""

    name: str
    part: Part
    batch_size: int
    shuffle: bool = False
    transform_param: TransformParameters = field(default_factory=TransformParameters)

    def __post_init__(self) -> None:
        if self.name not in datasets:
            raise FieldError("name", f"must be a dataset's: {datasets.unknown(self.name)}")
        if self.batch_size < 1:
            raise FieldError("batch_size", f"must be at least 1, not {self.batch_size}")


@layer_types.register("Dataset")
class Dataset(DataSource):
    """The next pictures of a dataset, (N, C, H, W), and their labels, (N,)."""

    parameters_type = DatasetParameters
    parameters_field = "dataset_param"
    layer_fields = ("transform_param",)
    top_counts = range(1, 3)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._pictures, self._labels = _labelled(spec.parameters)
        self._transformer = Transformer(spec, spec.parameters.transform_param)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        shape = parameters.transform_param.shape(spec, _labelled(parameters)[0].shape[1:])
        batch = parameters.batch_size
        return (TensorShape((batch, *shape)), TensorShape((batch,)))[:len(spec.tops)]

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        items = self.next_items(parameters.batch_size, len(self._labels), shuffle=parameters.shuffle)
        try:
            pictures = torch.stack([self._transformer(self._pictures[item], self.training) for item in items])
        except ValueError as error:
            raise self.spec.error(str(error)) from None
        return (pictures, torch.from_numpy(self._labels[items]).float())[:len(self.spec.tops)]


def _labelled(parameters: DatasetParameters) -> tuple:
    dataset = datasets[parameters.name]
    return dataset.training() if parameters.part is Part.TRAINING else dataset.held_out()
