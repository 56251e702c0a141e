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
from cortado.frontends.onnx.element import CONVERTED, FLOAT, HALVES, TAKES_ANY, element_words
from cortado.frontends.onnx.empty import of_empty
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import foldings, operators, supported_operators
from cortado.frontends.onnx.repeated import as_type, packed
from cortado.frontends.onnx.tensor import Tensors
from cortado.frontends.text_token import shortened
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.binary import BinaryOperation, BinaryParameters
from cortado.layers.cast import CastParameters
from cortado.layers.element_type import ElementType
from cortado.layers.evaluation import evaluate
from cortado.layers.input import BlobShape, InputParameters
from cortado.layers.layer import NoParameters, layer_types
from cortado.layers.parameter import ParameterParameters, ParameterShape
from cortado.layers.reshape import ReshapeParameters

# Values computed while reading, over the whole file, and the work for them: more only a broken file asks for.
LARGEST_COMPUTED = 2**24
LARGEST_MACS = 2**28

# Every whole number up to here is a float32, as weights are.
_LARGEST_WHOLE = 2**24


@dataclass(frozen=True)
class Blob:
    """A value the network computes; its shape has the batch the file declares, 1 where it leaves it open."""

    name: str
    shape: TensorShape
    element: ElementType = FLOAT


class Deferred(Protocol):
    """Part of what several nodes express together, such as padding that a convolution takes in."""

    def blob(self, net: Translation) -> Blob:
        """The value by itself, in layers of its own; raises `ModelFileError` where there are none for it."""


Value = Blob | Deferred | np.ndarray


class ConstantNeeded(ModelFileError):
    """An operator needs the constant `name` of the graph, which depends on the network's input."""

    def __init__(self, error: ModelFileError, name: str) -> None:
        self.name = name
        super().__init__(str(error))


class Translation:
    """Layers and weights so far, and what each name of the ONNX graph stands for.

    `readers` counts how often each name of the graph is read, never or more often; `opset` is the version of the
    operators.
    """

    def __init__(self, *, file: str | Path, opset: int, tensors: Tensors, readers: Counter[str]) -> None:
        self.file, self.opset, self.tensors, self.readers = file, opset, tensors, readers
        # By the blob that is fed: what it stands for, and its name in the graph.
        self.inputs: dict[str, Blob] = {}
        self.graph_names: dict[str, str] = {}
        self.layers: list[LayerSpec] = []
        self.weights: dict[str, tuple[np.ndarray, ...]] = {}
        # While constants alone are computed: the values of blobs that no layer makes.
        self._constants: dict[str, np.ndarray] | None = None
        self._spent = 0
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
        """Input `index` as a blob; a constant becomes one, a layer of its own."""
        value = self.value(node, index)
        return self.constant_blob(node, value) if isinstance(value, np.ndarray) else self._computed(value)

    def constant(self, node: Node, index: int) -> np.ndarray:
        """Input `index`, which must be a constant."""
        value = self.value(node, index)
        if not isinstance(value, np.ndarray):
            raise ConstantNeeded(node.error(f"input {index} '{shortened(node.inputs[index])}' must be a constant, it "
                                            "depends on the network's input"), node.inputs[index])
        return value

    def constant_blob(self, node: Node, value: np.ndarray) -> Blob:
        """A constant as a blob: a Parameter, and a Cast where it is not FLOAT."""
        element = CONVERTED[value.dtype]
        name = self._blob_name(f"{node.outputs[0]}/constant")
        if self._constants is not None:
            self._constants[name] = value
            return Blob(name, TensorShape(value.shape), element)
        if element.is_real and not np.isfinite(value).all():
            return self._quotient_blob(node, value, name)
        as_float = as_type(value, np.dtype(np.float32))
        if element is not FLOAT and not (as_type(as_float, value.dtype) == value).all():
            raise node.error(f"a constant of {element.name} beside a blob must be of values that float32 holds, as the "
                             f"whole numbers up to {_LARGEST_WHOLE}")
        top = name if element is FLOAT else self._blob_name(f"{name}/float")
        made, = self.add_layer(node, "Parameter", (), ParameterParameters(shape=ParameterShape(dim=value.shape)),
                               (as_float,), name=top, tops=(top,))
        return made if element is FLOAT else self._cast(node, made, element, name)

    def _cast(self, node: Node, bottom: Blob, element: ElementType, top: str) -> Blob:
        return self.add_layer(node, "Cast", (bottom,), CastParameters(to=element), name=top, tops=(top,),
                              element=element)[0]

    def _quotient_blob(self, node: Node, value: np.ndarray, name: str) -> Blob:
        """A constant with values that are infinite or no numbers, which trained blobs must not have: divided by 0."""
        finite = np.isfinite(value)
        parts = (np.where(finite, value, np.where(np.isnan(value), 0, np.sign(value))), finite)
        bottoms = [self.constant_blob(node, part.astype(value.dtype)) for part in parts]
        return self.add_layer(node, "Binary", bottoms, BinaryParameters(operation=BinaryOperation.DIV), name=name,
                              tops=(name,))[0]

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
        if value.dtype.kind not in "iu" or value.size > 64 or value.ndim > 1:
            raise node.error(f"input {index} '{shortened(node.inputs[index])}' must be up to 64 whole numbers")
        return tuple(int(number) for number in value.ravel())

    def scalar(self, node: Node, index: int) -> float | None:
        """Input `index` if it is one constant number, else None."""
        value = self.value(node, index)
        return float(value.reshape(())) if isinstance(value, np.ndarray) and value.size == 1 else None

    def add_input(self, name: str, dims: tuple[int, ...], element: ElementType = FLOAT) -> None:
        """An Input layer; a scalar is fed as one value, since a network's inputs have a batch."""
        top = name if dims else self._blob_name(f"{name}/value")
        self._blob_names.add(top)
        self.layers.append(LayerSpec(name=self._layer_name(name), type="Input", bottoms=(), tops=(top,),
                                     parameters=InputParameters(shape=(BlobShape(dim=dims or (1,)),))))
        blob = Blob(top, TensorShape(dims or (1,)), element)
        if not dims:
            blob = Blob(name, TensorShape(()), element)
            self.layers.append(LayerSpec(name=self._layer_name(f"{name}/scalar"), type="Reshape", bottoms=(top,),
                                         tops=(name,), parameters=ReshapeParameters()))
        self.bind(name, blob)
        self.inputs[top] = blob
        self.graph_names[top] = name

    def add(self, node: Node, layer_type: str, bottoms: Sequence[Blob], parameters: object,
            weights: Sequence[np.ndarray] = (), *, part: str = "", output: int = 0,
            element: ElementType | None = None) -> Blob:
        """A layer with one top, an output of the node; `part` names one of several layers, not the last.

        `element` is what the top's values are, unless given those of the first bottom.
        """
        last = node.outputs[output]
        top = self._blob_name(f"{last}/{part}") if part else last
        name = f"{node.name}/{part}" if part else node.name
        return self.add_layer(node, layer_type, bottoms, parameters, weights, name=name, tops=(top,),
                              element=element)[0]

    def add_layer(self, node: Node, layer_type: str, bottoms: Sequence[Blob], parameters: object,
                  weights: Sequence[np.ndarray] = (), *, name: str, tops: tuple[str, ...],
                  element: ElementType | None = None) -> tuple[Blob, ...]:
        """A layer and its trained blobs; raises `ModelFileError` where its shapes or element types do not fit.

        A layer type that takes no FLOAT16 or BFLOAT16 computes in FLOAT, and its tops are of that type again.
        """
        halves = [bottom for bottom in bottoms if bottom.element in HALVES]
        if halves and halves[0].element not in TAKES_ANY.get(layer_type, (FLOAT,)):
            bottoms = [self._cast(node, bottom, FLOAT, self._blob_name(f"{bottom.name}/float")) if bottom in halves
                       else bottom for bottom in bottoms]
            made = self.add_layer(node, layer_type, bottoms, parameters, weights, name=name,
                                  tops=tuple(self._blob_name(f"{top}/float") for top in tops), element=element)
            return tuple(self._cast(node, blob, halves[0].element, top) for blob, top in zip(made, tops, strict=True))
        spec = LayerSpec(name=self._layer_name(name), type=layer_type, bottoms=tuple(bottom.name for bottom in bottoms),
                         tops=tops, parameters=parameters)
        self._check_elements(node, layer_type, bottoms)
        if element is None:
            element = bottoms[0].element if bottoms else FLOAT
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
        return tuple(Blob(top, shape, element) for top, shape in zip(tops, top_shapes, strict=True))

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
        return replace(self._values[last.tops[0]], name=node.outputs[0])

    def bind(self, name: str, value: Value) -> None:
        """Say what a name stands for; raises `ModelFileError` if it stands for something already."""
        if self.named(name) is not None:
            raise ModelFileError(f"value '{shortened(name)}' must have one producer, it has several", file=self.file)
        self._values[name] = value

    def run(self, graph: GraphProto) -> None:
        """Translate the nodes that the outputs of a graph need; its inputs are bound before."""
        self.tensors.add(graph.initializer)
        nodes = needed_nodes(graph, self.file)
        check_supported(nodes)
        for node in nodes:
            self._run_node(node)

    def output(self, name: str) -> Blob | np.ndarray:
        """What an output of the whole graph stands for; a blob has that name."""
        value = self.named(name)
        if value is None:
            raise ModelFileError(f"output '{shortened(name)}' of the graph must be the output of a node, nothing "
                                 "produces it", file=self.file)
        if isinstance(value, np.ndarray):
            return value
        blob = self._computed(value)
        if blob.name == name and name not in self.inputs:
            return blob
        # What the caller fills is no result by itself.
        top = name if blob.name != name else self._blob_name(f"{name}/output")
        self.layers.append(LayerSpec(name=self._layer_name(top), type="Split", bottoms=(blob.name,), tops=(top,),
                                     parameters=NoParameters()))
        return replace(blob, name=top)

    def spend(self, node: Node, count: int) -> None:
        """Account for values computed while reading; raises `ModelFileError` where they become too many."""
        self._spent += count
        if self._spent > LARGEST_COMPUTED:
            raise node.error(f"at most {LARGEST_COMPUTED} values are computed while reading, not {self._spent}; "
                             "constants are computed by the exporter (do_constant_folding)")

    def _run_node(self, node: Node) -> None:
        if not node.outputs[0]:
            raise node.error("output 0 must have a name")
        values = [self.value(node, index) if node.reads(index) else None for index in range(len(node.inputs))]
        constant = all(value is None or isinstance(value, np.ndarray) for value in values)
        try:
            empty = of_empty(node, values) if constant else None
            if empty is not None:
                results = empty
            elif node.operator in foldings and constant:
                results = self._fold(node)
            elif node.operator not in operators:
                # Only constants have it, so this says which input is none.
                results = tuple(self.constant(node, index) for index in range(len(node.inputs)))
            elif constant and not node.has_graphs and self._constants is None:
                results = self._compute(node)
            else:
                results = operators[node.operator](node, self)
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

    def _compute(self, node: Node) -> Value | tuple[Value, ...]:
        """What an operator makes of constants alone, by the layers it would have."""
        before, self._constants = len(self.layers), {}
        try:
            results = operators[node.operator](node, self)
            values = [self._computed(value) if not isinstance(value, np.ndarray) else value
                      for value in (results if isinstance(results, tuple) else (results,))]
            layers = self.layers[before:]
            self._check_work(node, layers)
            computed = evaluate(layers, self.weights, self._constants)
        except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
            # Torch's words go over many lines.
            raise node.error(f"its constants do not fit together: {str(error).splitlines()[0]}") from None
        finally:
            for layer in self.layers[before:]:
                self.weights.pop(layer.name, None)
            del self.layers[before:]
            self._constants = None
        # Small types are held in larger ones.
        return tuple(as_type(computed[value.name], value.element.numpy) if isinstance(value, Blob) else value
                     for value in values)

    def _check_work(self, node: Node, layers: Sequence[LayerSpec]) -> None:
        """Before anything is computed: how much it would be."""
        shapes = {name: TensorShape(value.shape) for name, value in self._constants.items()}
        self.spend(node, sum(value.size for value in self._constants.values()))
        macs = 0
        for layer in layers:
            bottoms = tuple(shapes[name] for name in layer.bottoms)
            tops = layer_types[layer.type].shapes(layer, bottoms)
            macs += layer_types[layer.type].macs(layer, bottoms)
            self.spend(node, sum(top.count for top in tops)
                       + sum(blob.count for blob in layer_types[layer.type].blob_shapes(layer, bottoms)))
            shapes.update(zip(layer.tops, tops, strict=True))
        if macs > LARGEST_MACS:
            raise node.error(f"at most {LARGEST_MACS} products are computed while reading, not {macs}; constants are "
                             "computed by the exporter (do_constant_folding)")

    def _check_elements(self, node: Node, layer_type: str, bottoms: Sequence[Blob]) -> None:
        """Only some layer types compute with other values than float32."""
        for index, bottom in enumerate(bottoms):
            taken = TAKES_ANY.get(layer_type, (FLOAT,))
            if bottom.element not in taken:
                raise node.error(f"its values must be {element_words(taken)} in layer type {layer_type}, not "
                                 f"{bottom.element.name} (bottom {index})")

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


def check_supported(nodes: Sequence[Node]) -> None:
    """Raise `ModelFileError` for the first node whose operator is not supported, naming all such operators."""
    known = supported_operators()
    unknown = [node for node in nodes if node.operator not in known]
    if unknown:
        first = unknown[0]
        others = sorted({shortened(node.op_type) for node in unknown} - {shortened(first.op_type)})
        domain = f" of domain '{shortened(first.domain)}'" if first.domain else ""
        more = f", nor {'are' if len(others) > 1 else 'is'} {', '.join(others)}" if others else ""
        raise first.error(f"operator '{shortened(first.op_type)}'{domain} is not supported{more} (supported: "
                          f"{', '.join(known)})")


def needed_nodes(graph: GraphProto, file: str | Path) -> list[Node]:
    """The nodes that outputs of the graph depend on."""
    names = {output.name for output in graph.output}
    needed = []
    for node in reversed([Node(proto, file) for proto in graph.node]):
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
