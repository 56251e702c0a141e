"""Pooling and addition as the planner sees them: what the engine takes, and what it says of the rest."""

from __future__ import annotations

import pytest

from cortado.engines.winograd import Winograd
from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.shape import TensorShape

EVERYTHING = {"pooling": 2, "elementwise_add": 1}
MAP = (1, 8, 14, 14)


def rejection(fields: str, shape: tuple[int, ...], **configuration: int) -> str | None:
    """What the engine says of a layer with these fields on one or two blobs of this shape."""
    dims = " ".join(f"dim: {dim}" for dim in shape)
    inputs = "".join(f'input: "{name}" input_shape {{ {dims} }} ' for name in ("a", "b", "c"))
    net = parse_prototxt(f'{inputs} layer {{ name: "x" bottom: "a" top: "x" {fields} }}')
    layer = net.layer("x")
    return Winograd.from_fields(configuration).rejects(layer, (TensorShape(shape),) * len(layer.bottoms))


def pooling(fields: str) -> str:
    return f'type: "Pooling" pooling_param {{ {fields} }}'


def eltwise(fields: str = "", bottoms: str = 'bottom: "b"') -> str:
    return f'type: "Eltwise" {bottoms} eltwise_param {{ {fields} }}'


@pytest.mark.parametrize(("fields", "shape"), [
    (pooling("kernel_size: 2 stride: 2"), MAP),
    (pooling("kernel_size: 3 stride: 2"), (4, 3, 224, 224)),
    (pooling("kernel_size: 3 stride: 1 pad: 1"), MAP),
    (pooling("kernel_size: 3 stride: 2 pool: AVE"), MAP),
    (pooling("kernel_size: 7 stride: 1 pool: AVE"), (1, 1024, 7, 7)),
    (pooling("global_pooling: true pool: AVE"), (2, 1000, 13, 13)),
    (pooling("kernel_size: 3 stride: 2"), (1, 1, 512, 512)),
    (eltwise(), MAP),
    (eltwise("coeff: 1 coeff: -1"), MAP),
])
def test_takes(fields, shape):
    assert rejection(fields, shape, **EVERYTHING) is None


@pytest.mark.parametrize(("fields", "shape", "configuration", "words"), [
    (pooling("kernel_size: 2"), MAP, {},
     "type is Pooling; the engine takes Convolution and InnerProduct, and Pooling with pooling=1"),
    (pooling("kernel_size: 2 pool: AVE"), MAP, {"pooling": 1},
     "type is Pooling; the engine takes Convolution and InnerProduct, and Pooling with pooling=2"),
    (eltwise(), MAP, {"pooling": 2},
     "type is Eltwise; the engine takes Convolution and InnerProduct, and Eltwise with elementwise_add=1"),
    (pooling("kernel_size: 2"), MAP, {**EVERYTHING, "pc": 2},
     ("the engine's pc is 2 and its pk 4; it takes Pooling where they are equal, so that what a convolution wrote can "
      "be read again")),
    (f'{pooling("kernel_size: 2")} top: "places"', MAP, EVERYTHING,
     "it has a second top, the places of the maxima; the engine has the maxima only"),
    (pooling("kernel_size: 2 pool: STOCHASTIC"), MAP, EVERYTHING,
     "pool is STOCHASTIC; the engine takes MAX and AVE"),
    (eltwise(), (1, 8), EVERYTHING, "bottom has shape 1x8; the engine takes maps (N, C, H, W)"),
    (eltwise("operation: MAX"), MAP, EVERYTHING, "operation is MAX; the engine takes SUM"),
    (eltwise(bottoms='bottom: "b" bottom: "c"'), MAP, EVERYTHING, "there are 3 bottoms; the engine adds 2"),
    (pooling("kernel_size: 2 stride: 2"), (1, 8, 4, 20), {**EVERYTHING, "pooling_row_beats": 4},
     "a row of the map is 5 beats; the engine takes at most 4 (pooling_row_beats of the configuration)"),
    (pooling("kernel_h: 4 kernel_w: 1 stride: 1"), MAP, EVERYTHING,
     "4 windows overlap along the height (kernel 4, stride 1); the engine takes at most 3"),
    (pooling("kernel_h: 2 kernel_w: 9 stride: 2"), MAP, EVERYTHING,
     "4 windows overlap along the width (kernel 9, stride 2); the engine takes at most 3"),
    (pooling("global_pooling: true pool: AVE"), (1, 1, 257, 9), EVERYTHING,
     "the window's height is 257; the engine averages at most 256"),
])
def test_rejects_by_name(fields, shape, configuration, words):
    assert rejection(fields, shape, **configuration) == words
