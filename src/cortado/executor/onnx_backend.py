"""onnx's own way to run a model (`onnx.backend.base`), for tools and test suites that speak it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from onnx import ModelProto
from onnx.backend.base import Backend, BackendRep

from cortado.errors import GraphError, ModelFileError
from cortado.frontends.onnx.reader import check_operators, net_of, translate
from cortado.frontends.onnx.translation import Blob, Translation
from cortado.layers.element_type import array_of, tensor_of
from cortado.net.net import Net


@dataclass(frozen=True)
class _Translated:
    """A network for inputs of certain shapes, with some of them as constants."""

    translation: Translation
    net: Net
    outputs: tuple[Blob | np.ndarray, ...]
    made_for: Mapping[str, np.ndarray]

    def takes(self, values: Mapping[str, np.ndarray]) -> bool:
        """Whether it is for these values too."""
        fed = set(self.translation.graph_names.values())
        return all(value.shape == self.made_for[name].shape and (name in fed or np.array_equal(
            value, self.made_for[name])) for name, value in values.items())

    def run(self, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """The outputs of the graph."""
        fed = {}
        for top, blob in self.translation.inputs.items():
            value = values[self.translation.graph_names[top]]
            # A scalar goes in as one value.
            fed[top] = tensor_of(value.reshape(blob.shape.dims or (1,)).astype(blob.element.numpy))
        with torch.no_grad():
            found = self.net(fed)
        # Small types are held in larger ones.
        return tuple(array_of(found[output.name]).astype(output.element.numpy) if isinstance(output, Blob) else output
                     for output in self.outputs)


class OnnxRep(BackendRep):
    """A model ready to run. An input that a layer type needs as a constant, such as a weight, is taken from the values
    of a run, and a network is made anew where it changes."""

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        trained = {proto.name for proto in model.graph.initializer}
        self._names = tuple(value.name for value in model.graph.input if value.name not in trained)
        self._translated: _Translated | None = None

    def run(self, inputs: Sequence[Any] | Mapping[str, Any], **kwargs: Any) -> tuple[np.ndarray, ...]:
        """The outputs, in the order of the graph; raises `ModelFileError` for what no layer expresses."""
        if not isinstance(inputs, Mapping):
            inputs = dict(zip(self._names, inputs, strict=False))
        missing = [name for name in self._names if name not in inputs]
        if missing:
            raise GraphError(f"input '{missing[0]}' of the graph must be given")
        values = {name: np.asarray(inputs[name]) for name in self._names}
        if self._translated is None or not self._translated.takes(values):
            translation = translate(self._model, given=values)
            outputs = tuple(translation.output(output.name) for output in self._model.graph.output)
            net = Net(net_of(translation, "TEST"), translation.weights)
            self._translated = _Translated(translation, net, outputs, values)
        return self._translated.run(values)


class OnnxBackend(Backend):
    """Runs ONNX models on the float layers of cortado, the `reference` rung of its ladder."""

    @classmethod
    def is_compatible(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether every operator is supported; a shape or an element type may still not be."""
        try:
            check_operators(model)
        except ModelFileError:
            return False
        return True

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> OnnxRep:
        """The model, ready to run; raises `ModelFileError` for an operator that is not supported."""
        check_operators(model)
        return OnnxRep(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Only the host."""
        return device == "CPU"
