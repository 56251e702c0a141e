"""Networks written as prototxt, since that is how they arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.spec import NetSpec

_PARAMETERS = {
    "Convolution": "convolution_param { num_output: 2 kernel_size: 3 pad: 1 }",
    "InnerProduct": "inner_product_param { num_output: 2 }",
    "Pooling": "pooling_param { kernel_size: 2 stride: 2 }",
}


@pytest.fixture
def network() -> Callable[..., NetSpec]:
    """Makes a network from lines "name Type bottom ... -> top ..."; its input is `data`, 1x2x8x8."""

    def make(*lines: str, phase: str = "TEST") -> NetSpec:
        text = 'input: "data" input_shape { dim: 1 dim: 2 dim: 8 dim: 8 }\n'
        for line in lines:
            left, _, tops = line.partition("->")
            name, type_name, *bottoms = left.split()
            blobs = [f'bottom: "{bottom}"' for bottom in bottoms] + [f'top: "{top}"' for top in tops.split()]
            fields = [f'name: "{name}" type: "{type_name}"', *blobs, _PARAMETERS.get(type_name, "")]
            text += f"layer {{ {' '.join(fields)} }}\n"
        return parse_prototxt(text, phase=phase)

    return make


@pytest.fixture
def wiring() -> Callable[[NetSpec], list[str]]:
    """Writes a network as the lines it was made from, fused layers behind a plus; the input layer is left out."""

    def write(net: NetSpec) -> list[str]:
        return [" ".join([layer.name, *(f"+{fused.name}" for fused in layer.fused), *layer.bottoms, "->", *layer.tops])
                for layer in net.layers[1:]]

    return write
