"""InfogainLoss: cross entropy with a matrix that says how much each class counts for each label."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cortado.errors import ModelFileError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.label import check_label_count, scores_and_labels
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types
from cortado.layers.softmax_with_loss import LossParameters, normalised
from cortado.layers.source_path import source_path
from cortado.messages.blob import read_blob_file


@dataclass(frozen=True, kw_only=True)
class InfogainLossParameters:
    """Caffe's InfogainLossParameter; `source` is a .binaryproto with the matrix."""

    source: str = ""
    axis: int = 1
    loss_param: LossParameters = field(default_factory=LossParameters)


@layer_types.register("InfogainLoss")
class InfogainLoss(UntrainedLayer):
    """-sum over classes k of H[label, k] log softmax(scores)[k], summed and normalised as in SoftmaxWithLoss.

    Bottoms: scores with the classes on `axis`, labels, one for each other position, and H of classes x classes values
    unless `source` names a file with it. Tops: the loss, a scalar; optionally the softmax, of the scores' shape. Unlike
    Caffe (`infogain_loss_layer.cpp`), the logarithm is taken before the exponential can underflow.
    """

    parameters_type = InfogainLossParameters
    parameters_field = "infogain_loss_param"
    layer_fields = ("loss_param",)
    bottom_counts = range(2, 4)
    top_counts = range(1, 3)
    default_loss_weights = (1.0,)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._matrix: Tensor | None = None
        if len(bottoms) == 2:
            path = source_path(spec.parameters.source, spec.position.file if spec.position else ".")
            try:
                self._matrix = torch.from_numpy(read_blob_file(path))
            except ModelFileError as error:
                raise spec.error(f"source must be a matrix: {error}") from None
            self._check_matrix(self._matrix.numel(), bottoms[0])

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        axis = check_label_count(spec, bottoms[:2], spec.parameters.axis)
        if bool(spec.parameters.source) == (len(bottoms) == 3):
            raise spec.error("the matrix must be given either as source or as the third bottom")
        classes = bottoms[0].dims[axis]
        if len(bottoms) == 3 and bottoms[2].count != classes**2:
            raise spec.error(f"bottom '{spec.bottoms[2]}' must have {classes} x {classes} values, one for each pair of "
                             f"classes, not {bottoms[2].count}")
        return (TensorShape(()), bottoms[0])[:len(spec.tops)]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        axis = canonical_axis(self.spec, parameters.axis, bottoms[0].dim())
        scores, labels, counted = scores_and_labels(self.spec, bottoms[:2], axis, parameters.loss_param.ignore_label)
        classes = scores.shape[1]
        matrix = bottoms[2] if len(bottoms) == 3 else self._matrix
        rows = matrix.to(scores.dtype).reshape(classes, classes)[labels].movedim(-1, 1)
        losses = -(rows * torch.log_softmax(scores, 1)).sum(1) * counted
        loss = normalised(losses.sum(), parameters.loss_param.divisor, labels, counted)
        return (loss, torch.softmax(bottoms[0], axis))[:len(self.spec.tops)]

    def _check_matrix(self, count: int, scores: TensorShape) -> None:
        classes = scores.dims[canonical_axis(self.spec, self.spec.parameters.axis, scores.rank)]
        if count != classes**2:
            raise self.spec.error(f"source must have {classes} x {classes} values, one for each pair of classes, not "
                                  f"{count}")
