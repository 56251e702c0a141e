from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch

from cortado.errors import LayerError


def test_every_pass_adds_its_rows(make_spec, make_layer, top_dims, rng, tmp_path):
    path = tmp_path / "out.h5"
    spec = make_spec("HDF5Output", bottoms=2, tops=0, file_name=str(path))
    batches = [(rng.standard_normal((2, 3, 2)), rng.standard_normal(2)) for _ in range(3)]
    layer = make_layer(spec, (2, 3, 2), (2,))
    for pictures, labels in batches:
        assert layer(torch.from_numpy(pictures), torch.from_numpy(labels)) == ()
    with h5py.File(path) as file:
        for place, name in enumerate(("data", "label")):
            np.testing.assert_allclose(file[name][:], np.concatenate([batch[place] for batch in batches]), rtol=1e-6)
    assert top_dims(spec, (2, 3, 2), (2,)) == []
    make_layer(spec, (2, 3, 2), (2,))(*map(torch.from_numpy, batches[0]))
    with h5py.File(path) as file:
        assert len(file["data"]) == 2


def test_refusals(make_spec, make_layer, top_dims, tmp_path):
    spec = make_spec("HDF5Output", bottoms=2, tops=0, file_name=str(tmp_path))
    with pytest.raises(LayerError) as caught:
        top_dims(spec, (2, 3), (3,))
    assert str(caught.value) == "layer 'x': bottom 'b1' must have as many rows as bottom 'b0' (2x3), not 3"
    with pytest.raises(LayerError, match=rf"^layer 'x': '{tmp_path}' must be a file that rows can be written to: "):
        make_layer(spec, (2, 3), (2,))(torch.zeros(2, 3), torch.zeros(2))
