"""Networks written in Python: `n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20)`.

Source: `net_spec.py` of pycaffe. What comes out is prototxt.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Any, get_args, get_type_hints

from cortado.frontends.net_fields import LayerFields
from cortado.frontends.text_writer import write_text
from cortado.layers.layer import layer_types

_LAYER_FIELDS = {entry.name for entry in dataclasses.fields(LayerFields)}


class Top:
    """One output blob of a layer."""

    def __init__(self, function: Function, index: int) -> None:
        self.fn, self.n = function, index

    def to_proto(self) -> str:
        """The prototxt of all layers this blob needs."""
        return to_proto(self)


class Function:
    """A layer with its parameters and the blobs it reads."""

    def __init__(self, type_name: str, inputs: tuple[Top, ...], params: dict[str, Any]) -> None:
        self.type_name, self.inputs = type_name, inputs
        self.ntop = params.pop("ntop", 1)
        self.in_place = params.pop("in_place", False)
        self.params = params
        self.tops = tuple(Top(self, index) for index in range(self.ntop))

    def fields(self, names: _Names) -> dict[str, Any]:
        """The layer's fields, in the order of a file; `TypeError` for a parameter the type does not have."""
        bottoms = [names.of(bottom) for bottom in self.inputs]
        tops = bottoms if self.in_place else [names.of(top) for top in self.tops]
        fields: dict[str, Any] = {"name": names.of_layer(self), "type": self.type_name, "bottom": bottoms, "top": tops}
        layer_type = layer_types[self.type_name]
        own = {entry.name for entry in dataclasses.fields(layer_type.parameters_type)}
        for name, value in self.params.items():
            if name.endswith("param") or (name in _LAYER_FIELDS and name not in own):
                fields[name] = value
            elif name in own:
                fields.setdefault(layer_type.parameters_field, {})[name] = value
            else:
                raise TypeError(f"layer type {self.type_name} has no parameter '{name}' (it has: "
                                f"{', '.join(sorted(own)) or 'none'})")
        return fields


class _Names:
    """Names of blobs and layers: given ones, and for the rest the type with a number."""

    def __init__(self, given: dict[Top | Function, str]) -> None:
        self._names = dict(given)
        self._counts: Counter[str] = Counter()

    def of(self, top: Top) -> str:
        # A layer in place has the name of the blob it works on.
        if top.fn.in_place:
            return self.of(top.fn.inputs[top.n])
        return self._name(top, top.fn.type_name)

    def of_layer(self, function: Function) -> str:
        first = function.tops[0] if function.tops else function
        return self._name(first, function.type_name)

    def _name(self, thing: Top | Function, type_name: str) -> str:
        if thing not in self._names:
            self._counts[type_name] += 1
            self._names[thing] = f"{type_name}{self._counts[type_name]}"
        return self._names[thing]


def to_proto(*tops: Top | Function) -> str:
    """The prototxt of all layers these blobs need; names are made up."""
    return _written(tops, {})


class NetSpec:
    """Blobs by the names they are assigned to; `to_proto` gives the prototxt of all layers they need."""

    def __init__(self) -> None:
        super().__setattr__("tops", {})

    def __setattr__(self, name: str, value: Top | Function) -> None:
        self.tops[name] = value

    def __getattr__(self, name: str) -> Top | Function:
        try:
            return self.tops[name]
        except KeyError:
            raise AttributeError(f"no blob '{name}' was assigned to this NetSpec") from None

    def __setitem__(self, name: str, value: Top | Function) -> None:
        self.tops[name] = value

    def __getitem__(self, name: str) -> Top | Function:
        return self.tops[name]

    def to_proto(self) -> str:
        """The prototxt."""
        return _written(tuple(self.tops.values()), {top: name for name, top in self.tops.items()})


def _written(tops: tuple[Top | Function, ...], given: dict[Top | Function, str]) -> str:
    functions: dict[Function, None] = {}

    def visit(function: Function) -> None:
        if function not in functions:
            for bottom in function.inputs:
                visit(bottom.fn)
            functions[function] = None

    for top in tops:
        visit(top if isinstance(top, Function) else top.fn)
    names = _Names(given)
    return "".join(write_text({"layer": function.fields(names)}) for function in functions)


class Layers:
    """A function for each layer type: `L.Convolution(bottom, kernel_size=3)` gives its top, or a tuple of `ntop`."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in layer_types:
            raise AttributeError(layer_types.unknown(name))

        def make(*inputs: Top, **parameters: Any) -> Any:
            function = Function(name, inputs, parameters)
            if function.ntop == 0:
                return function
            return function.tops[0] if function.ntop == 1 else function.tops

        return make


class _Constants:
    def __init__(self, name: str, parameters_type: type) -> None:
        self._name, self._type = name, parameters_type

    def __getattr__(self, name: str) -> Enum:
        for hint in get_type_hints(self._type).values():
            for kind in (hint, *get_args(hint)):
                if isinstance(kind, type) and issubclass(kind, Enum) and name in kind.__members__:
                    return kind[name]
        raise AttributeError(f"{self._name} has no constant '{name}'")


class Parameters:
    """The constants of layers' parameters: `P.Pooling.MAX`."""

    def __getattr__(self, name: str) -> _Constants:
        for type_name in layer_types:
            parameters_type = layer_types[type_name].parameters_type
            if name == type_name or parameters_type.__name__ == f"{name}Parameters":
                return _Constants(name, parameters_type)
        raise AttributeError(f"no layer's parameters are called '{name}'")


layers = Layers()
params = Parameters()
