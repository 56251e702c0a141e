from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.embed import EmbedParameters


@pytest.mark.parametrize("bias", [True, False])
def test_equals_a_loop(make_spec, make_layer, top_dims, fill, rng, bias):
    spec = make_spec("Embed", input_dim=5, num_output=3, bias_term=bias)
    layer = make_layer(spec, (2, 4))
    weight, offset = rng.standard_normal((5, 3)), rng.standard_normal(3)
    fill(layer, *((weight, offset) if bias else (weight,)))
    numbers = rng.integers(0, 5, (2, 4))
    y, = layer(torch.from_numpy(numbers).double())
    expected = [[weight[number] + (offset if bias else 0) for number in row] for row in numbers]
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    assert top_dims(spec, (2, 4)) == [(2, 4, 3)]


def test_gradient(make_spec, make_layer, fill, rng):
    layer = make_layer(make_spec("Embed", input_dim=4, num_output=2), (3,))
    fill(layer, rng.standard_normal((4, 2)), rng.standard_normal(2))
    assert torch.autograd.gradcheck(lambda *blobs: layer(torch.tensor([3.0, 0.0, 3.0])), tuple(layer.blobs))


def test_refusals(make_spec, make_layer):
    with pytest.raises(FieldError, match=r"^input_dim must be at least 1, not 0$"):
        EmbedParameters(input_dim=0, num_output=1)
    with pytest.raises(LayerError) as caught:
        make_layer(make_spec("Embed", input_dim=4, num_output=2), (2,))(torch.tensor([4.0, 0.0]))
    assert str(caught.value) == "layer 'x': numbers must be from 0 to 3, bottom 'b0' has 0 to 4"
