"""Networks written as prototxt, since that is how they arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.spec import NetSpec


@pytest.fixture
def network() -> Callable[..., NetSpec]:
    """Makes a network of the given layers, fields as in a prototxt; its input is `data`, 1x3x8x8."""

    def make(*layers: str, phase: str = "TEST") -> NetSpec:
        text = 'name: "n" input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n'
        text += "".join(f"layer {{ {layer} }}\n" for layer in layers)
        return parse_prototxt(text, file="n.prototxt", phase=phase)

    return make
