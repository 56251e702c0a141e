"""NetSpec -> a network file (prototxt), as Caffe reads it; the reverse of `prototxt`.

What a field has by default is left out. Source of the names: `caffe.proto` of BVLC/caffe; a layer type's own fields are
those of its dataclass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from cortado.errors import GraphError
from cortado.frontends.file import write_whole
from cortado.frontends.net_fields import ParamFields
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.layers.layer import layer_types

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write_prototxt(path: str | Path, net: NetSpec) -> None:
    """Write a network whole or not at all; raises as `format_prototxt`, and `ModelFileError` where it cannot."""
    write_whole(path, format_prototxt(net).encode())


def format_prototxt(net: NetSpec) -> str:
    """The text that `parse_prototxt` reads as this network, in the network's phase.

    Raises `LayerError` for a name that is no name in a prototxt, and `GraphError` for what a pass has made of a network
    and no file can say: fused layers, scale groups.
    """
    if net.scale_groups:
        raise GraphError(f"network '{net.name}': scale groups, which a pass has made, have no place in a prototxt; "
                         "write the network before it is prepared")
    lines = [f"name: {_quoted(net.name)}"]
    for layer in net.layers:
        lines += ["layer {", *(f"  {line}" for line in _layer_lines(layer)), "}"]
    return "\n".join(lines) + "\n"


def _layer_lines(layer: LayerSpec) -> Iterator[str]:
    if layer.fused:
        raise layer.error("fused layers, which a pass has made, have no place in a prototxt; write the network before "
                          "it is prepared")
    for name in (layer.name, *layer.bottoms, *layer.tops):
        if not name or not name.isprintable():
            raise layer.error(f"a name in a prototxt must be printable characters, not {name!r}")
    yield f"name: {_quoted(layer.name)}"
    yield f"type: {_quoted(layer.type)}"
    yield from (f"bottom: {_quoted(bottom)}" for bottom in layer.bottoms)
    yield from (f"top: {_quoted(top)}" for top in layer.tops)
    yield from (f"loss_weight: {_scalar(weight)}" for weight in layer.loss_weights)
    yield from (f"propagate_down: {_scalar(propagates)}" for propagates in layer.propagate_down)
    for setting in layer.blob_settings:
        fields = ParamFields(name=setting.name, lr_mult=setting.lr_mult, decay_mult=setting.decay_mult)
        yield from _message_lines("param", fields)
    if layer.ocl_enable is not None:
        yield f"ocl_enable: {_scalar(layer.ocl_enable)}"
    layer_type = layer_types[layer.type]
    # Messages of Caffe's that stand beside the type's own, as transform_param.
    beside = tuple(name for name in layer_type.layer_fields
                   if dataclasses.is_dataclass(getattr(layer.parameters, name)))
    for lines in (list(_message_lines(layer_type.parameters_field, layer.parameters, without=beside)),
                  *(list(_message_lines(name, getattr(layer.parameters, name))) for name in beside)):
        # An empty message says nothing.
        yield from lines if len(lines) > 2 else ()


def _message_lines(name: str, fields: object, *, without: tuple[str, ...] = ()) -> Iterator[str]:
    """A dataclass as a message, without what it has by default and the fields in `without`."""
    yield f"{name} {{"
    for field in dataclasses.fields(fields):
        if field.name in without:
            continue
        value = getattr(fields, field.name)
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        # Equal is not enough: 1, 1.0 and True are.
        if type(value) is type(default) and value == default:
            continue
        for item in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(item):
                yield from (f"  {line}" for line in _message_lines(field.name, item))
            else:
                yield f"  {field.name}: {_scalar(item)}"
    yield "}"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, str):
        return _quoted(value)
    return repr(value)


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'
