from __future__ import annotations

import numpy as np
import torch

from cortado.graph.spec import NetSpec
from cortado.layers.binary import BinaryOperation
from cortado.layers.input import BlobShape
from cortado.layers.layer import layer_types
from cortado.layers.parameter import ParameterShape
from cortado.net.net import Net


def test_its_blob_is_its_top_whatever_the_batch(make_spec, rng):
    """And it is none of the inputs that the caller fills."""
    value = rng.standard_normal((3,)).astype(np.float32)
    shape = ParameterShape(dim=(3,))
    layers = (make_spec("Input", bottoms=0, shape=(BlobShape(dim=(1, 3)),)),
              make_spec("Parameter", bottoms=0, shape=shape), make_spec("Binary", bottoms=2,
                                                                      operation=BinaryOperation.ADD))
    names = (("x", (), ("x",)), ("p", (), ("p",)), ("y", ("x", "p"), ("y",)))
    spec = NetSpec(name="n", phase="TEST", layers=tuple(
        type(layer)(name=name, type=layer.type, bottoms=bottoms, tops=tops, parameters=layer.parameters)
        for layer, (name, bottoms, tops) in zip(layers, names, strict=True)))
    net = Net(spec, {"p": (value,)}, batch=4)
    assert net.inputs == ("x",)
    x = rng.standard_normal((2, 3)).astype(np.float32)
    np.testing.assert_array_equal(net({"x": torch.from_numpy(x)})["y"].detach().numpy(), x + value)
    assert net.shapes["p"].dims == (3,)


def test_seeded(make_spec):
    spec = make_spec("Parameter", bottoms=0, shape=ParameterShape(dim=(2, 2)))
    shapes = layer_types["Parameter"].blob_shapes(spec, ())
    value, = layer_types["Parameter"].seeded_blobs(spec, shapes, np.random.default_rng(1))
    assert value.shape == (2, 2)
    assert value.dtype == np.float32


def test_the_top_is_the_blob(make_spec, make_layer, top_dims, fill, rng):
    spec = make_spec("Parameter", bottoms=0, shape=ParameterShape(dim=(2, 3)))
    layer = make_layer(spec)
    value = rng.standard_normal((2, 3))
    fill(layer, value)
    y, = layer()
    np.testing.assert_array_equal(y.detach().numpy(), value)
    assert top_dims(spec) == [(2, 3)]
    (y * 2).sum().backward()
    np.testing.assert_array_equal(layer.blobs[0].grad.numpy(), np.full((2, 3), 2.0))


def test_it_begins_at_zero(make_spec, make_layer, rng):
    spec = make_spec("Parameter", bottoms=0, shape=ParameterShape(dim=(2,)))
    layer = make_layer(spec)
    value, = layer.filled_blobs(spec, layer.blob_shapes(spec, ()), rng)
    assert value.tolist() == [0, 0]
