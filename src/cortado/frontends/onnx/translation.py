"""The network while it grows, node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from onnx import GraphProto

from cortado.errors import GraphError, ModelFileError
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import foldings, operators, supported_operators
from cortado.frontends.onnx.repeated import as_type, packed
from cortado.frontends.onnx.tensor import Tensors
from cortado.frontends.text_token import shortened
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.input import BlobShape, InputParameters
from cortado.layers.layer import NoParameters, layer_types


@dataclass(frozen=True)
class Blob:
    """A value the network computes; its shape has the batch the file declares, 1 where it leaves it open."""

    name: str
    shape: TensorShape


class Deferred(Protocol):
    """Part of what several nodes express together, such as padding that a convolution takes in."""

    def blob(self, net: Translation) -> Blob:
        """The value by itself, in layers of its own; raises `ModelFileError` where there are none for it."""


Value = Blob | Deferred | np.ndarray


class Translation:
    """Layers and weights so far, and what each name of the ONNX graph stands for.

    `readers` counts how often each name of the graph is read, never or more often; `opset` is the version of the
    operators.
    """

    def __init__(self, *, file: str | Path, opset: int, tensors: Tensors, readers: Counter[str]) -> None:
        self.file, self.opset, self.tensors, self.readers = file, opset, tensors, readers
        self.layers: list[LayerSpec] = []
        self.weights: dict[str, tuple[np.ndarray, ...]] = {}
        self._values: dict[str, Value] = {}
        self._layer_names: set[str] = set()
        # Names of values still to come must stay free as well.
        self._blob_names = set(readers)

    def value(self, node: Node, index: int) -> Value:
        """What input `index` of the node stands for."""
        if not node.reads(index):
            raise node.error(f"input {index} must be given")
        value = self.named(node.inputs[index])
        if value is None:
            raise node.error(f"input {index} '{shortened(node.inputs[index])}' must be the output of an earlier node, "
                             "an input of the graph or an initialiser")
        return value

    def named(self, name: str) -> Value | None:
        """What a name stands for, None if it stands for nothing yet."""
        if name not in self._values and name in self.tensors:
            self._values[name] = self.tensors[name]
        return self._values.get(name)

    def blob(self, node: Node, index: int) -> Blob:
        """Input `index`, which must depend on the network's input."""
        value = self.value(node, index)
        if isinstance(value, np.ndarray):
            raise node.error(f"input {index} '{shortened(node.inputs[index])}' must depend on the network's input, it "
                             "is a constant")
        return self._computed(value)

    def constant(self, node: Node, index: int) -> np.ndarray:
        """Input `index`, which must be a constant."""
        value = self.value(node, index)
        if not isinstance(value, np.ndarray):
            raise node.error(f"input {index} '{shortened(node.inputs[index])}' must be a constant, it depends on the "
                             "network's input")
        return value

    def numbers(self, node: Node, index: int) -> np.ndarray:
        """Input `index`, which must be constant numbers; float32."""
        value = self.constant(node, index)
        if value.dtype.kind != "f":
            raise node.error(f"input {index} '{shortened(node.inputs[index])}' must be floating-point numbers, "
                             f"not {value.dtype}")
        return as_type(value, np.dtype(np.float32))

    def integers(self, node: Node, index: int) -> tuple[int, ...]:
        """Input `index`, which must be constant whole numbers, few of them."""
        value = self.constant(node, index)
        if value.dtype.kind not in "iu" or value.size > 64:
            raise node.error(f"input {index} '{shortened(node.inputs[index])}' must be up to 64 whole numbers")
        return tuple(int(number) for number in value.ravel())

    def scalar(self, node: Node, index: int) -> float | None:
        """Input `index` if it is one constant number, else None."""
        value = self.value(node, index)
        return float(value.reshape(())) if isinstance(value, np.ndarray) and value.size == 1 else None

    def add_input(self, name: str, dims: tuple[int, ...]) -> None:
        """An Input layer."""
        self.bind(name, Blob(name, TensorShape(dims)))
        self._blob_names.add(name)
        self.layers.append(LayerSpec(name=self._layer_name(name), type="Input", bottoms=(), tops=(name,),
                                     parameters=InputParameters(shape=(BlobShape(dim=dims),))))

    def add(self, node: Node, layer_type: str, bottoms: Sequence[Blob], parameters: object,
            weights: Sequence[np.ndarray] = (), *, part: str = "") -> Blob:
        """A layer with one top, the first output of the node; `part` names one of several layers, not the last."""
        top = self._blob_name(f"{node.outputs[0]}/{part}") if part else node.outputs[0]
        name = f"{node.name}/{part}" if part else node.name
        return self.add_layer(node, layer_type, bottoms, parameters, weights, name=name, tops=(top,))[0]

    def add_layer(self, node: Node, layer_type: str, bottoms: Sequence[Blob], parameters: object,
                  weights: Sequence[np.ndarray] = (), *, name: str, tops: tuple[str, ...]) -> tuple[Blob, ...]:
        """A layer and its trained blobs; raises `ModelFileError` where its shapes do not fit."""
        spec = LayerSpec(name=self._layer_name(name), type=layer_type, bottoms=tuple(bottom.name for bottom in bottoms),
                         tops=tops, parameters=parameters)
        shapes = tuple(bottom.shape for bottom in bottoms)
        try:
            top_shapes = layer_types[layer_type].shapes(spec, shapes)
            expected = layer_types[layer_type].blob_shapes(spec, shapes)
        except GraphError as error:
            raise node.error(str(error).removeprefix(f"layer '{spec.name}': ")) from None
        for index, (shape, found) in enumerate(zip(expected, weights, strict=True)):
            if shape.dims != found.shape:
                raise node.error(f"trained blob {index} must have shape {shape}, not "
                                 f"{'x'.join(str(dim) for dim in found.shape) or 'scalar'}")
        self.layers.append(spec)
        if weights:
            self.weights[spec.name] = tuple(packed(blob) for blob in weights)
        return tuple(Blob(top, shape) for top, shape in zip(tops, top_shapes, strict=True))

    def only_reader(self, node: Node, index: int) -> LayerSpec | None:
        """The layer that makes input `index`, if it is the last one and nobody else reads its top."""
        name = node.inputs[index]
        last = self.layers[-1] if self.layers else None
        return last if last and last.tops == (name,) and self.readers[name] == 1 else None

    def replace_last(self, parameters: object, weights: tuple[np.ndarray, ...], node: Node) -> Blob:
        """The last layer with other parameters and trained blobs; its top becomes the first output of the node."""
        last = self.layers.pop()
        self.layers.append(replace(last, parameters=parameters, tops=(node.outputs[0],)))
        self.weights[last.name] = tuple(packed(blob) for blob in weights)
        return Blob(node.outputs[0], self._values[last.tops[0]].shape)

    def bind(self, name: str, value: Value) -> None:
        """Say what a name stands for; raises `ModelFileError` if it stands for something already."""
        if self.named(name) is not None:
            raise ModelFileError(f"value '{shortened(name)}' must have one producer, it has several", file=self.file)
        self._values[name] = value

    def run(self, graph: GraphProto) -> None:
        """Translate the nodes that the outputs of a graph need; its inputs are bound before."""
        self.tensors.add(graph.initializer)
        nodes = _needed([Node(proto, self.file) for proto in graph.node], graph)
        self._check_supported(nodes)
        for node in nodes:
            self._run_node(node)

    def add_output(self, name: str) -> None:
        """Have a blob of that name, an output of the whole graph."""
        value = self.named(name)
        if value is None or isinstance(value, np.ndarray):
            found = "it is a constant" if value is not None else "nothing produces it"
            raise ModelFileError(f"output '{shortened(name)}' of the graph must depend on its input, {found}",
                                 file=self.file)
        blob = self._computed(value)
        if blob.name != name:
            self.layers.append(LayerSpec(name=self._layer_name(name), type="Split", bottoms=(blob.name,), tops=(name,),
                                         parameters=NoParameters()))

    def _run_node(self, node: Node) -> None:
        if not node.outputs[0]:
            raise node.error("output 0 must have a name")
        values = [self.value(node, index) if node.reads(index) else None for index in range(len(node.inputs))]
        constant = all(value is None or isinstance(value, np.ndarray) for value in values)
        try:
            if node.operator in foldings and constant:
                results = self._fold(node)
            elif node.operator in operators:
                results = operators[node.operator](node, self)
            else:
                raise node.error("all inputs must be constants: nothing else is supported")
        except GraphError as error:
            raise node.error(str(error)) from None
        node.check_attributes()
        results = results if isinstance(results, tuple) else (results,)
        for index, name in enumerate(node.outputs):
            if index < len(results) and name:
                self.bind(name, results[index])
            elif name and self.readers[name]:
                raise node.error(f"output {index} '{shortened(name)}' must not be read: it is not supported")

    def _fold(self, node: Node) -> np.ndarray:
        try:
            with np.errstate(all="ignore"):
                return np.asarray(foldings[node.operator](node, self))
        except (ArithmeticError, IndexError, TypeError, ValueError) as error:
            raise node.error(f"its constants do not fit together: {error}") from None

    def _check_supported(self, nodes: list[Node]) -> None:
        known = supported_operators()
        unknown = [node for node in nodes if node.domain or node.operator not in known]
        if unknown:
            first = unknown[0]
            others = sorted({shortened(node.operator) for node in unknown} - {shortened(first.operator)})
            domain = f" of domain '{shortened(first.domain)}'" if first.domain else ""
            more = f", nor {'are' if len(others) > 1 else 'is'} {', '.join(others)}" if others else ""
            raise first.error(f"operator '{shortened(first.operator)}'{domain} is not supported{more} (supported: "
                              f"{', '.join(known)})")

    def _computed(self, value: Blob | Deferred) -> Blob:
        if isinstance(value, Blob):
            return value
        blob = value.blob(self)
        # Identity gives one value several names.
        for other, known in self._values.items():
            if known is value:
                self._values[other] = blob
        return blob

    def _layer_name(self, wanted: str) -> str:
        return _free(wanted, self._layer_names)

    def _blob_name(self, wanted: str) -> str:
        return _free(wanted, self._blob_names)


def _needed(nodes: list[Node], graph: GraphProto) -> list[Node]:
    """The nodes that outputs of the graph depend on."""
    names = {output.name for output in graph.output}
    needed = []
    for node in reversed(nodes):
        if names.intersection(node.outputs) - {""}:
            names.update(node.names_read)
            needed.append(node)
    return needed[::-1]


def _free(wanted: str, taken: set[str]) -> str:
    """`wanted`, or with a number if it is taken; the name is taken from then on."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name
