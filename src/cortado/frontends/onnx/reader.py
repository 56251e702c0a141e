"""The file itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import ModelProto, TensorProto, ValueInfoProto

from cortado.errors import GraphError, ModelFileError
from cortado.frontends.file import read_bytes
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.tensor import Tensors, element_name
from cortado.frontends.onnx.translation import Translation
from cortado.frontends.text_token import shortened
from cortado.graph.check import check
from cortado.graph.spec import NetSpec, Weights

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
    graph = model.graph
    if not graph.node or not graph.output:
        raise ModelFileError("an ONNX file must hold a graph with nodes and outputs, this file has none: it is empty, "
                             "truncated or no ONNX file", file=file)
    readers: Counter[str] = Counter()
    for proto in graph.node:
        readers.update(Node(proto, file).names_read)
        readers.update(dict.fromkeys(proto.output, 0))
    readers.update(output.name for output in graph.output)
    net = Translation(file=file, opset=_opset(model, file), tensors=Tensors(file, folder), readers=readers)
    trained = {proto.name for proto in graph.initializer}
    # Old files list the initialisers among the inputs as well.
    for value in graph.input:
        if value.name not in trained:
            _add_input(net, value)
    net.run(graph)
    for name in dict.fromkeys(output.name for output in graph.output):
        net.add_output(name)
    # What exporters call the graph says nothing.
    spec = NetSpec(name=Path(file).stem, phase=phase, layers=tuple(net.layers))
    try:
        check(spec)
    except GraphError as error:
        raise ModelFileError(str(error), file=file) from None
    return spec, net.weights


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
    if not versions or not FIRST_OPSET <= max(versions) <= last:
        found = max(versions) if versions else "none"
        raise ModelFileError(f"the version of its operators (opset) must be from {FIRST_OPSET} to {last}, not {found}; "
                             "torch.onnx.export takes it as opset_version", file=file)
    return max(versions)


def _add_input(net: Translation, value: ValueInfoProto) -> None:
    """An input of the graph as a layer; a batch that is left open is 1."""
    who, file = f"input '{shortened(value.name)}' of the graph", net.file
    element = value.type.tensor_type.elem_type
    if value.type.WhichOneof("value") != "tensor_type" or element != TensorProto.FLOAT:
        found = element_name(element) if value.type.HasField("tensor_type") else "something else"
        raise ModelFileError(f"{who} must be a tensor of FLOAT, not {found}", file=file)
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
    if not dims or not value.name:
        raise ModelFileError(f"{who} must have a name and at least one dimension", file=file)
    try:
        net.add_input(value.name, tuple(dims))
    except GraphError as error:
        raise ModelFileError(f"{who}: {error}", file=file) from None
