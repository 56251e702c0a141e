from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError


def test_equals_a_loop(make_spec, make_layer, top_dims, rng):
    spec = make_spec("BatchReindex", bottoms=2)
    x, numbers = rng.standard_normal((4, 2, 3)), [3, 0, 0, 2, 3]
    y, = make_layer(spec, (4, 2, 3), (5,))(torch.from_numpy(x), torch.tensor(numbers, dtype=torch.float64))
    np.testing.assert_array_equal(y.numpy(), np.stack([x[number] for number in numbers]))
    assert top_dims(spec, (4, 2, 3), (5,)) == [(5, 2, 3)]


def test_gradient(make_spec, make_layer, rng):
    layer = make_layer(make_spec("BatchReindex", bottoms=2), (3, 2), (4,))
    x = torch.from_numpy(rng.standard_normal((3, 2))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: layer(x, torch.tensor([2, 2, 0, 1])), x)


@pytest.mark.parametrize("numbers", [[0.0, 3.0], [-1.0, 0.0]])
def test_a_number_of_no_picture(make_spec, make_layer, numbers):
    layer = make_layer(make_spec("BatchReindex", bottoms=2), (3, 2), (2,))
    with pytest.raises(LayerError) as caught:
        layer(torch.zeros(3, 2), torch.tensor(numbers))
    assert str(caught.value) == (f"layer 'x': numbers of pictures must be from 0 to 2, bottom 'b1' has "
                                 f"{int(min(numbers))} to {int(max(numbers))}")


def test_bad_bottoms(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("BatchReindex", bottoms=2), (3, 2), (2, 1))
    assert str(caught.value) == ("layer 'x': bottom 'b1' must be numbers of pictures of bottom 'b0' in one dimension, "
                                 "not 2x1")
