"""Networks written as prototxt, since that is how they arrive."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.spec import NetSpec, Weights
from cortado.net.net import Net

_PARAMETERS = {
    "Convolution": "convolution_param { num_output: 2 kernel_size: 3 pad: 1 }",
    "InnerProduct": "inner_product_param { num_output: 2 }",
    "Pooling": "pooling_param { kernel_size: 2 stride: 2 }",
}


@pytest.fixture
def network() -> Callable[..., NetSpec]:
    """Makes a network from lines "name Type bottom ... -> top ... : fields"; its input is `data`, 1x2x8x8.

    Layers of a type have its usual parameters unless there are fields, as in a prototxt, behind a colon.
    """

    def make(*lines: str, phase: str = "TEST") -> NetSpec:
        text = 'input: "data" input_shape { dim: 1 dim: 2 dim: 8 dim: 8 }\n'
        for line in lines:
            line, own, given = line.partition(" : ")
            left, _, tops = line.partition("->")
            name, type_name, *bottoms = left.split()
            blobs = [f'bottom: "{bottom}"' for bottom in bottoms] + [f'top: "{top}"' for top in tops.split()]
            fields = [f'name: "{name}" type: "{type_name}"', *blobs, given if own else _PARAMETERS.get(type_name, "")]
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


@pytest.fixture
def trained(rng) -> Callable[[NetSpec], dict[str, tuple[np.ndarray, ...]]]:
    """Makes weights for a network, every one of them drawn, variances and factors positive."""

    def make(net: NetSpec) -> dict[str, tuple[np.ndarray, ...]]:
        weights = {}
        for name, blobs in Net(net, seed=0).weights().items():
            drawn = [rng.standard_normal(blob.shape).astype(np.float32) for blob in blobs]
            if net.layer(name).type == "BatchNorm":
                drawn[1:] = (np.abs(blob) + np.float32(0.1) for blob in drawn[1:])
            weights[name] = tuple(drawn)
        return weights

    return make


@pytest.fixture
def outputs(rng) -> Callable[..., dict[str, np.ndarray]]:
    """The outputs of a network with weights, on the same three pictures each time."""
    pictures = torch.from_numpy(rng.standard_normal((3, 2, 8, 8)).astype(np.float32))

    def compute(net: NetSpec, weights: Weights) -> dict[str, np.ndarray]:
        runnable = Net(net, weights)
        with torch.no_grad():
            values = runnable({"data": pictures})
        return {name: values[name].numpy() for name in runnable.outputs}

    return compute


@pytest.fixture
def same() -> Callable[..., bool]:
    """Whether two sets of outputs are equal within 1e-6 of the largest value of each."""

    def compare(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> bool:
        assert set(before) == set(after)
        return all(np.abs(before[name] - after[name]).max() <= 1e-6 * np.abs(before[name]).max() for name in before)

    return compare
