"""One call of an operator, as an operator's file asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

from cortado.errors import ModelFileError
from cortado.frontends.text_token import shortened

_WORDS = {AttributeProto.INT: "a whole number", AttributeProto.INTS: "whole numbers", AttributeProto.FLOAT: "a number",
          AttributeProto.FLOATS: "numbers", AttributeProto.STRING: "text", AttributeProto.TENSOR: "a tensor",
          AttributeProto.GRAPH: "a graph"}

# The domain of QONNX's operators, and what exporters of other ages call it.
QONNX = "qonnx.custom_op.general"
_QONNX_DOMAINS = (QONNX, "onnx.brevitas", "finn.custom_op.general")


class Node:
    """Names and attributes of a node. An attribute that nobody asks for is not supported (`check_attributes`)."""

    def __init__(self, proto: NodeProto, file: str | Path) -> None:
        self.op_type = proto.op_type
        self.domain = "" if proto.domain == "ai.onnx" else proto.domain
        # What it is registered as.
        domain = QONNX if self.domain in _QONNX_DOMAINS else self.domain
        self.operator = f"{domain}.{self.op_type}" if domain else self.op_type
        self.inputs, self.outputs = tuple(proto.input), tuple(proto.output)
        self.name = proto.name or next(filter(None, self.outputs), "")
        # What it reads, and what the graphs inside it read of the graph around them.
        self.names_read = tuple(_names_read(proto))
        self.has_graphs = any(attribute.type == AttributeProto.GRAPH for attribute in proto.attribute)
        self._file = file
        self._attributes = {attribute.name: attribute for attribute in proto.attribute}
        self._asked: dict[str, None] = {}

    def error(self, message: str) -> ModelFileError:
        """An error about this node, with the file."""
        return ModelFileError(f"node '{shortened(self.name)}' ({shortened(self.op_type)}): {message}", file=self._file)

    def reads(self, index: int) -> bool:
        """Whether the node has an input of that index; optional ones may be left out."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def gives(self, name: str) -> bool:
        """Whether the node has that attribute."""
        self._asked[name] = None
        return name in self._attributes

    def ignore(self, *names: str) -> None:
        """Attributes whose value changes nothing here."""
        self._asked.update(dict.fromkeys(names))

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number; without a default it must be given."""
        return self._value(name, AttributeProto.INT, "i", default)

    def integers(self, name: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """Whole numbers; without a default they must be given."""
        return tuple(self._value(name, AttributeProto.INTS, "ints", default))

    def numbers(self, name: str) -> tuple[float, ...]:
        """Numbers, which must be given."""
        return tuple(self._value(name, AttributeProto.FLOATS, "floats", None))

    def number(self, name: str, default: float | None = None) -> float:
        """A number; without a default it must be given."""
        return self._value(name, AttributeProto.FLOAT, "f", default)

    def text(self, name: str, default: str) -> str:
        """Text."""
        value = self._value(name, AttributeProto.STRING, "s", default)
        # No text that is asked for has other characters, so a damaged one is simply another word.
        return value if isinstance(value, str) else value.decode("utf-8", "replace")

    def tensor(self, name: str) -> TensorProto:
        """A tensor, which must be given."""
        return self._value(name, AttributeProto.TENSOR, "t", None)

    def graph(self, name: str) -> GraphProto:
        """A graph, which must be given."""
        return self._value(name, AttributeProto.GRAPH, "g", None)

    def choice(self, name: str, default: int, supported: int) -> None:
        """An attribute that may have one value only."""
        value = self.integer(name, default)
        if value != supported:
            raise self.error(f"{name} must be {supported}, not {value}: nothing else is supported")

    def axis(self, default: int | None, rank: int) -> int:
        """The attribute `axis`, counted from the front."""
        return self.front_axis(self.integer("axis", default), rank)

    def front_axis(self, axis: int, rank: int) -> int:
        """`axis` counted from the front, where negative ones count from the end."""
        if not -rank <= axis < rank:
            raise self.error(f"axis must be from {-rank} to {rank - 1} for {rank} dimensions, not {axis}")
        return axis % rank

    def check_attributes(self) -> None:
        """Raise `ModelFileError` for an attribute nobody asked for."""
        for name in self._attributes:
            if name not in self._asked:
                raise self.error(f"attribute '{shortened(name)}' is not supported (supported: "
                                 f"{', '.join(sorted(self._asked)) or 'none'})")

    def _value(self, name: str, kind: int, field: str, default: object) -> object:
        self._asked[name] = None
        attribute = self._attributes.get(name)
        if attribute is None:
            if default is None:
                raise self.error(f"attribute '{name}' must be given")
            return default
        if attribute.type != kind:
            raise self.error(f"attribute '{name}' must be {_WORDS[kind]}")
        return getattr(attribute, field)


def _names_read(proto: NodeProto) -> Iterator[str]:
    yield from filter(None, proto.input)
    for attribute in proto.attribute:
        if attribute.type == AttributeProto.GRAPH:
            for node in attribute.g.node:
                yield from _names_read(node)
            yield from (output.name for output in attribute.g.output)
