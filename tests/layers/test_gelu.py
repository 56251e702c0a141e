"""The trial of the house: a layer type Caffe does not have is one file and this test."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import ModelFileError
from cortado.frontends.prototxt import parse_prototxt
from cortado.layers.gelu import Approximation
from cortado.net.net import Net

NETWORK = """
layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ dim: 1 dim: 7 }} }} }}
layer {{ name: "gelu" type: "Gelu" bottom: "data" top: "gelu" {parameters} }}
"""


def naive_gelu(value, approximate):
    """x * Phi(x), with the error function or Hendrycks and Gimpel's tanh."""
    if approximate is Approximation.TANH:
        inner = math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)
        return value * (1 + math.tanh(inner)) / 2
    return value * (1 + math.erf(value / math.sqrt(2))) / 2


@pytest.mark.parametrize(("parameters", "approximate"), [
    ("", Approximation.NONE),
    ("gelu_param { approximate: NONE }", Approximation.NONE),
    ("gelu_param { approximate: TANH }", Approximation.TANH),
])
def test_from_prototxt_to_values(parameters, approximate):
    net = Net(parse_prototxt(NETWORK.format(parameters=parameters)))
    x = torch.tensor([[-3.0, -1.0, -0.1, 0.0, 0.5, 1.0, 4.0]], dtype=torch.float64)
    y = net({"data": x})["gelu"]
    np.testing.assert_allclose(y[0].numpy(), [naive_gelu(value, approximate) for value in x[0].tolist()], rtol=1e-12)


@pytest.mark.parametrize(("parameters", "message"), [
    ("gelu_param { approximate: ERF }",
     "gelu.prototxt:3:88: layer 'gelu': gelu_param: field 'approximate' must be one of NONE, TANH, not ERF"),
    ("gelu_param { aproximate: TANH }",
     ("gelu.prototxt:3:75: layer 'gelu': gelu_param: unknown field 'aproximate'; did you mean 'approximate'? "
      "(known: approximate)")),
])
def test_its_own_fields_have_places(parameters, message):
    with pytest.raises(ModelFileError) as caught:
        parse_prototxt(NETWORK.format(parameters=parameters), file="gelu.prototxt")
    assert str(caught.value) == message


@pytest.mark.parametrize("approximate", Approximation)
def test_gradient(make_spec, make_layer, gradients_are_right, rng, approximate):
    layer = make_layer(make_spec("Gelu", approximate=approximate), (2, 3))
    assert gradients_are_right(layer, rng.standard_normal((2, 3)))
