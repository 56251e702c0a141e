"""The file itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto

from cortado.errors import GraphError, ModelFileError
from cortado.frontends.file import read_bytes
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.tensor import Tensors, element_name, element_of
from cortado.frontends.onnx.translation import ConstantNeeded, Translation, check_supported, needed_nodes
from cortado.frontends.text_token import shortened
from cortado.graph.check import check
from cortado.graph.spec import NetSpec, Weights
from cortado.layers.element_type import ElementType

# From this version on operators broadcast as NumPy does.
FIRST_OPSET = 7


def read_onnx(path: str | Path, *, phase: str = "TEST") -> tuple[NetSpec, Weights]:
    """The network of an ONNX file and its weights, by layer name.

    Layers are called after the nodes they come from and blobs after the values. Raises `ModelFileError` for a file that
    is truncated, is something else, does not hold together, or needs an operator or attribute that no layer expresses.
    """
    return parse_onnx(read_bytes(path), file=path, folder=Path(path).parent, phase=phase)


def parse_onnx(data: bytes, *, file: str | Path = "<bytes>", folder: Path | None = None,
               phase: str = "TEST") -> tuple[NetSpec, Weights]:
    """As `read_onnx`, from bytes; `file` is the name errors show and `folder` is where tensors in other files lie."""
    try:
        model = ModelProto.FromString(data)
    except DecodeError:
        raise ModelFileError("an ONNX file must be a binary protobuf file: it is truncated or something else",
                             file=file) from None
    # The bytes may be half a gigabyte that is now in the message as well.
    del data
    # Protobuf gives bytes where text is none.
    if not all(isinstance(text, str) for text in _texts(model)):
        raise ModelFileError("names must be UTF-8 text: the file is damaged or no ONNX file", file=file)
    return _read_model(model, file, folder, phase)


def _read_model(model: ModelProto, file: str | Path, folder: Path | None, phase: str) -> tuple[NetSpec, Weights]:
    trained = {proto.name for proto in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in trained and _element(value, file) is not ElementType.FLOAT:
            raise ModelFileError(f"input '{shortened(value.name)}' of the graph must be a tensor of FLOAT, not "
                                 f"{_element(value, file).name}: a network's inputs have no other type", file=file)
    net = translate(model, file=file, folder=folder)
    for name in dict.fromkeys(output.name for output in model.graph.output):
        if isinstance(net.output(name), np.ndarray):
            raise ModelFileError(f"output '{shortened(name)}' of the graph must depend on its input, it is a constant",
                                 file=file)
    return net_of(net, phase), net.weights


def translate(model: ModelProto, *, file: str | Path = "<model>", folder: Path | None = None,
              given: Mapping[str, np.ndarray] | None = None) -> Translation:
    """The layers of a model, with no word on its outputs yet (`Translation.output`).

    `given` are values of inputs of the graph: they settle shapes that the file leaves open, and an input becomes a
    constant where an operator needs one there, and is in `inputs` no more. Raises `ModelFileError`.
    """
    graph = model.graph
    if not graph.node or not graph.output:
        raise ModelFileError("an ONNX file must hold a graph with nodes and outputs, this file has none: it is empty, "
                             "truncated or no ONNX file", file=file)
    given = {name: np.asarray(value) for name, value in (given or {}).items()}
    # No blob is empty.
    constants = {name for name, value in given.items() if not value.size}
    while True:
        try:
            return _translate(model, file, folder, given, constants)
        except ConstantNeeded as error:
            needed = _inputs_behind(error.name, graph, given) - constants
            if not needed:
                raise
            constants |= needed


def _translate(model: ModelProto, file: str | Path, folder: Path | None, given: Mapping[str, np.ndarray],
               constants: Collection[str]) -> Translation:
    graph = model.graph
    readers: Counter[str] = Counter()
    for proto in graph.node:
        readers.update(Node(proto, file).names_read)
        readers.update(dict.fromkeys(proto.output, 0))
    readers.update(output.name for output in graph.output)
    net = Translation(file=file, opset=_opset(model, file), tensors=Tensors(file, folder), readers=readers)
    trained = {proto.name for proto in graph.initializer}
    for value in graph.input:
        if value.name in constants and _element(value, file):
            net.bind(value.name, given[value.name])
        # Old files list the initialisers among the inputs as well.
        elif value.name not in trained:
            _add_input(net, value, given.get(value.name))
    net.run(graph)
    return net


def _inputs_behind(name: str, graph: GraphProto, given: Mapping[str, np.ndarray]) -> set[str]:
    """The given input of that name, or those of whole numbers that alone it is computed from, as shapes are.

    The shape of an input does not depend on its values.
    """
    if name in given:
        return {name}
    makers = {output: node for node in graph.node for output in node.output}
    found, waiting, seen = set(), [name], set()
    while waiting:
        read = waiting.pop()
        if read in given:
            found.add(read)
        elif read in makers and read not in seen and makers[read].op_type not in ("Shape", "Size"):
            seen.add(read)
            waiting.extend(makers[read].input)
    return found if all(given[other].dtype.kind in "iub" for other in found) else set()


def check_operators(model: ModelProto, file: str | Path = "<model>") -> None:
    """Raise `ModelFileError` for operators that are not supported, and for a version of them that is not."""
    check_supported(needed_nodes(model.graph, file))
    _opset(model, file)


def net_of(net: Translation, phase: str) -> NetSpec:
    """The network, checked; what exporters call the graph says nothing, so it is called after the file."""
    spec = NetSpec(name=Path(net.file).stem, phase=phase, layers=tuple(net.layers))
    try:
        check(spec)
    except GraphError as error:
        raise ModelFileError(str(error), file=net.file) from None
    return spec


def _texts(message: Message) -> Iterator[str | bytes]:
    """Every name in the file."""
    if isinstance(message, TensorProto):
        # Its fields are not listed: that would copy its values.
        yield message.name
        for entry in message.external_data:
            yield from (entry.key, entry.value)
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            yield from (value,) if isinstance(value, (str, bytes)) else value
        elif field.type == field.TYPE_MESSAGE:
            for part in (value,) if isinstance(value, Message) else value:
                yield from _texts(part)


def _opset(model: ModelProto, file: str | Path) -> int:
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    last = onnx.defs.onnx_opset_version()
    if versions and 1 <= max(versions) < FIRST_OPSET and _is_unchanged(model.graph, max(versions)):
        return FIRST_OPSET
    if not versions or not FIRST_OPSET <= max(versions) <= last:
        found = max(versions) if versions else "none"
        raise ModelFileError(f"the version of its operators (opset) must be from {FIRST_OPSET} to {last}, not {found}; "
                             "torch.onnx.export takes it as opset_version", file=file)
    return max(versions)


def _is_unchanged(graph: GraphProto, version: int) -> bool:
    """Whether every operator of an older version means what it means in the first one that is read."""
    for node in graph.node:
        try:
            old, first = (onnx.defs.get_schema(node.op_type, wanted, node.domain) for wanted in (version, FIRST_OPSET))
        except onnx.defs.SchemaError:
            return False
        if old.since_version != first.since_version:
            return False
    return True


def _add_input(net: Translation, value: ValueInfoProto, given: np.ndarray | None) -> None:
    """An input of the graph as a layer; a batch that is left open is 1."""
    who, file = f"input '{shortened(value.name)}' of the graph", net.file
    element = _element(value, file)
    if not value.name:
        raise ModelFileError(f"{who} must have a name", file=file)
    dims = _declared(value, who, file) if given is None else given.shape
    try:
        net.add_input(value.name, dims, element)
    except GraphError as error:
        raise ModelFileError(f"{who}: {error}", file=file) from None


def _element(value: ValueInfoProto, file: str | Path) -> ElementType:
    number = value.type.tensor_type.elem_type
    element = element_of(number) if value.type.WhichOneof("value") == "tensor_type" else None
    if element is None:
        found = element_name(number) if value.type.HasField("tensor_type") else "something else"
        raise ModelFileError(f"input '{shortened(value.name)}' of the graph must be a tensor of one of "
                             f"{', '.join(element.name for element in ElementType)}, not {found}", file=file)
    return element


def _declared(value: ValueInfoProto, who: str, file: str | Path) -> tuple[int, ...]:
    dims: list[int] = []
    for place, dim in enumerate(value.type.tensor_type.shape.dim):
        if dim.HasField("dim_value") and dim.dim_value > 0:
            dims.append(dim.dim_value)
        elif place == 0:
            dims.append(1)
        else:
            found = dim.dim_value if dim.HasField("dim_value") else f"'{shortened(dim.dim_param)}'"
            raise ModelFileError(f"{who}: dimension {place} must be a fixed number of at least 1, not {found}; only "
                                 "the batch may be left open", file=file)
    if not dims and not value.type.tensor_type.HasField("shape"):
        raise ModelFileError(f"{who} must have a shape", file=file)
    return tuple(dims)
