"""Accuracy: the share of labels among the best scores."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.label import check_label_count, scores_and_labels
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class AccuracyParameters:
    """Caffe's AccuracyParameter."""

    top_k: int = 1
    axis: int = 1
    ignore_label: int | None = None

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise FieldError("top_k", f"must be at least 1, not {self.top_k}")


@layer_types.register("Accuracy")
class Accuracy(UntrainedLayer):
    """The share of counted positions whose label is among the `top_k` best scores, as Caffe's `accuracy_layer.cpp`.

    Bottoms: scores with the classes on `axis`, labels. Tops: a scalar; optionally the same of each class by itself,
    over the positions with its label, (classes,). A score equal to the label's counts as better, so a network that says
    the same of every class is right about none; where no position counts it is 0.
    """

    parameters_type = AccuracyParameters
    parameters_field = "accuracy_param"
    bottom_counts = range(2, 3)
    top_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        axis = check_label_count(spec, bottoms, spec.parameters.axis)
        classes = bottoms[0].dims[axis]
        if spec.parameters.top_k > classes:
            raise spec.error(f"top_k must be at most the {classes} classes, not {spec.parameters.top_k}")
        return (TensorShape(()), TensorShape((classes,)))[:len(spec.tops)]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        axis = canonical_axis(self.spec, parameters.axis, bottoms[0].dim())
        scores, labels, counted = scores_and_labels(self.spec, bottoms, axis, parameters.ignore_label)
        own = scores.gather(1, labels[:, None])
        at_least_as_good = (scores >= own).sum(1) - 1
        right = (at_least_as_good < parameters.top_k) & counted
        share = right.sum() / counted.sum().clamp(min=1)
        if len(self.spec.tops) == 1:
            return (share,)
        classes = scores.shape[1]
        own_right, own_counted = (labels[chosen].bincount(minlength=classes) for chosen in (right, counted))
        return share, own_right / own_counted.clamp(min=1)
