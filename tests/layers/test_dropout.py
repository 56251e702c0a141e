from __future__ import annotations

import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.dropout import DropoutParameters


def test_is_the_identity_outside_training(make_spec, make_layer, top_dims):
    spec = make_spec("Dropout", dropout_ratio=0.9)
    x = torch.arange(24.0).reshape(2, 3, 4)
    y, = make_layer(spec, (2, 3, 4)).eval()(x)
    assert torch.equal(y, x)
    assert top_dims(spec, (2, 3, 4)) == [(2, 3, 4)]


def test_drops_a_share_and_scales_the_rest(make_spec, make_layer):
    torch.manual_seed(0)
    y, = make_layer(make_spec("Dropout", dropout_ratio=0.75), (100_000,))(torch.ones(100_000))
    assert set(y.tolist()) == {0.0, 4.0}
    # Five standard deviations of 100,000 draws at 0.75.
    assert (y == 0).double().mean().item() == pytest.approx(0.75, abs=0.007)


@pytest.mark.parametrize("ratio", [1.0, -0.1])
def test_bad_field(ratio):
    with pytest.raises(FieldError) as caught:
        DropoutParameters(dropout_ratio=ratio)
    assert str(caught.value) == f"dropout_ratio must be at least 0 and below 1, not {ratio}"
