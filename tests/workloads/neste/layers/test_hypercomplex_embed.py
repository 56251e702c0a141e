from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.layers.filler import Filler
from cortado.workloads.neste.layers.hypercomplex_embed import HypercomplexEmbed, HypercomplexEmbedParameters


def test_rows_of_the_weight(layer_of, rng):
    weight = rng.standard_normal((5, 8))
    layer = layer_of("HypercomplexEmbed", (2, 3), blobs=(weight,), input_dim=5, num_output=8)
    numbers = rng.integers(0, 5, (2, 3))
    np.testing.assert_array_equal(layer(torch.from_numpy(numbers))[0].detach(), weight[numbers])


def test_what_it_begins_with(rng):
    weight, = HypercomplexEmbed.filled_blobs(None, (TensorShape((400, 200)),), rng)
    real, *imaginary = weight.reshape(400, 4, 50).transpose(1, 0, 2)
    modulus = np.sqrt((weight.reshape(400, 4, 50)**2).sum(1))
    largest = 1 / math.sqrt(800)
    assert modulus.max() <= largest * (1 + 1e-6)
    # Uniform up to the largest, in a direction uniform on the circle of the real and the imaginary unit.
    assert modulus.mean() == pytest.approx(largest / 2, rel=0.02)
    assert (real**2).sum() == pytest.approx((modulus**2).sum() / 2, rel=0.03)
    # Imaginary units are in the positive octant: the three have one sign.
    assert all((np.sign(imaginary[0]) == np.sign(part)).all() for part in imaginary[1:])


@pytest.mark.parametrize(("fields", "message"), [
    ({"num_output": 10}, "num_output must be a multiple of 4, the components of a number, not 10"),
    ({"num_output": 8, "bias_term": True}, "bias_term must be false, there is no bias"),
    ({"num_output": 8, "weight_filler": Filler(type="xavier")},
     "weight_filler must not be given: the weight has a filling of its own")])
def test_refusals(fields, message):
    with pytest.raises(FieldError) as caught:
        HypercomplexEmbedParameters(input_dim=3, **fields)
    assert str(caught.value) == message
