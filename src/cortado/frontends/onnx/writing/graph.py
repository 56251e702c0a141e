"""The ONNX graph while it grows, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import cortado
from cortado.errors import GraphError, WeightsError
from cortado.frontends.file import write_whole
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.graph.check import check
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec, Weights
from cortado.layers.element_type import ElementType
from cortado.layers.layer import layer_types

# The first version of the operators that has all that are written, and of the format that has those.
OPSET, IR_VERSION = 20, 9

# Protobuf's own limit of a message.
LARGEST_BYTES = 2**31 - 1


def write_onnx(path: str | Path, net: NetSpec, weights: Weights) -> None:
    """Write a network with its weights, whole or not at all; raises as `onnx_model`, and `ModelFileError`."""
    write_whole(path, onnx_model(net, weights).SerializeToString())


def onnx_model(net: NetSpec, weights: Weights) -> ModelProto:
    """The network as an ONNX model, nodes called after layers and values after blobs.

    `weights` are those of every trained layer, in the shapes of the network. What an ONNX file cannot say is left out:
    where a layer is to run, and what only training asks for. Raises `LayerError` for a layer type or a parameter that
    ONNX has no operator for, and `WeightsError` where weights are missing or too many for one file.
    """
    check(net)
    graph = Graph(net)
    for layer in net.layers:
        graph.add_layer(layer, weights.get(layer.name, ()))
    return graph.model()


class Graph:
    """Nodes and initialisers so far. A blob that layers overwrite in place is a value of its own each time: the last
    one has its name, the others those of their layers too."""

    def __init__(self, net: NetSpec) -> None:
        self._net = net
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._inputs: list[str] = []
        self._producers_left = Counter(top for layer in net.layers for top in layer.tops)
        self._taken = {top for layer in net.layers for top in layer.tops}
        self._values: dict[str, str] = {}
        self._shapes: dict[str, TensorShape] = {}
        self._elements: dict[str, ElementType] = {}

    def add_layer(self, spec: LayerSpec, blobs: tuple[np.ndarray, ...]) -> None:
        """One more layer, and what is fused into it."""
        if spec.fused:
            raise spec.error("fused layers, which a pass has made, are not written; write the network before it is "
                             "prepared")
        layer_type = layer_types[spec.type]
        bottoms = tuple(self._shapes[name] for name in spec.bottoms)
        tops = layer_type.shapes(spec, bottoms)
        expected = layer_type.blob_shapes(spec, bottoms)
        if [blob.shape for blob in blobs] != [shape.dims for shape in expected]:
            raise WeightsError(f"layer '{spec.name}': its weights must be given to write it, in the shapes "
                               f"{', '.join(str(shape) for shape in expected) or 'of none'}")
        inputs = tuple(self._values[name] for name in spec.bottoms)
        outputs = tuple(self._produced(spec, top) for top in spec.tops)
        elements = tuple(self._elements[name] for name in spec.bottoms)
        layer = Written(spec=spec, inputs=inputs, outputs=outputs, bottoms=bottoms, tops=tops, elements=elements,
                        blobs=blobs)
        if spec.type not in layer_writers:
            raise spec.error(f"layer type {spec.type} is not written: ONNX has no operator for it (written: "
                             f"{', '.join(layer_writers)})")
        made = layer_writers[spec.type](layer, self) or (elements[0] if elements else ElementType.FLOAT,) * len(tops)
        for top, value, shape, element in zip(spec.tops, outputs, tops, made, strict=True):
            self._values[top], self._shapes[top], self._elements[top] = value, shape, element

    def add_input(self, name: str) -> None:
        """A value that the caller fills."""
        self._inputs.append(name)

    def node(self, layer: Written, operator: str, inputs: Sequence[str], outputs: Sequence[str] | str = (), *,
             part: str = "", domain: str = "", **attributes: object) -> str:
        """A node; it gives the layer's first top, or a value of its own where `part` names one of several nodes."""
        outputs = (outputs,) if isinstance(outputs, str) else tuple(outputs)
        if not outputs:
            outputs = (self.free(f"{layer.y}/{part}"),) if part else (layer.y,)
        name = f"{layer.spec.name}/{part}" if part else layer.spec.name
        self._nodes.append(helper.make_node(operator, list(inputs), list(outputs), name=name, domain=domain,
                                            **attributes))
        return outputs[0]

    def constant(self, layer: Written, value: np.ndarray, part: str) -> str:
        """An initialiser."""
        name = self.free(f"{layer.spec.name}/{part}")
        self.named_constant(name, value)
        return name

    def named_constant(self, name: str, value: np.ndarray) -> None:
        """An initialiser that is a value by itself."""
        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))

    def integers(self, layer: Written, values: Sequence[int], part: str) -> str:
        """An initialiser of whole numbers, as shapes are."""
        return self.constant(layer, np.array(values, np.int64), part)

    def number(self, layer: Written, value: float, part: str) -> str:
        """An initialiser of one number, of the layer's element type."""
        return self.constant(layer, np.array(value, layer.elements[0].numpy), part)

    def free(self, wanted: str) -> str:
        """A name nobody has."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def model(self) -> ModelProto:
        """The model; its outputs are the blobs that no layer reads."""
        unread: dict[str, None] = {}
        for layer in self._net.layers:
            for bottom in layer.bottoms:
                unread.pop(bottom, None)
            unread.update(dict.fromkeys(layer.tops))
        outputs = [name for name in unread if name not in self._inputs]
        if not outputs:
            raise GraphError(f"network '{self._net.name}': it must compute something to be written")
        if sum(len(constant.raw_data) for constant in self._constants) > LARGEST_BYTES - 2**20:
            raise WeightsError(f"network '{self._net.name}': an ONNX file holds at most {LARGEST_BYTES} bytes")
        graph = helper.make_graph(
            self._nodes, self._net.name or "net", [self._info(name) for name in self._inputs],
            [self._info(name) for name in outputs], self._constants)
        domains = {node.domain for node in self._nodes if node.domain}
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1)
                                                                    for domain in sorted(domains))],
            ir_version=IR_VERSION, producer_name="cortado", producer_version=cortado.__version__)

    def _info(self, blob: str) -> object:
        return helper.make_tensor_value_info(self._values[blob], self._elements[blob].value, self._shapes[blob].dims)

    def _produced(self, spec: LayerSpec, top: str) -> str:
        self._producers_left[top] -= 1
        return top if not self._producers_left[top] else self.free(f"{top}/{spec.name}")
