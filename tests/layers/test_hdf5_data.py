from __future__ import annotations

import h5py
import numpy as np
import pytest

from cortado.errors import LayerError


@pytest.fixture
def files(tmp_path, rng):
    """Two HDF5 files of 3 and 4 rows, the list of them, and all rows."""
    rows = {"data": rng.standard_normal((7, 2, 3)).astype(np.float32), "label": np.arange(7)}
    for name, part in (("a.h5", slice(3)), ("b.h5", slice(3, 7))):
        with h5py.File(tmp_path / name, "w") as file:
            for key, values in rows.items():
                file[key] = values[part]
    (tmp_path / "list.txt").write_text(f"{tmp_path}/a.h5\n{tmp_path}/b.h5\n")
    return str(tmp_path / "list.txt"), rows


@pytest.fixture
def spec(make_spec, files):
    """A layer with tops named as the arrays."""
    from dataclasses import replace

    return lambda **fields: replace(make_spec("HDF5Data", bottoms=0, source=files[0], batch_size=4, **fields),
                                    tops=("data", "label"))


def test_rows_over_all_files(spec, make_layer, top_dims, files):
    layer = make_layer(spec())
    for begin in (0, 4, 8):
        data, label = layer()
        items = [place % 7 for place in range(begin, begin + 4)]
        np.testing.assert_array_equal(data.numpy(), files[1]["data"][items])
        np.testing.assert_array_equal(label.numpy(), items)
    assert top_dims(spec()) == [(4, 2, 3), (4,)]


def test_shuffled_rows_stay_together(spec, make_layer, files):
    layer = make_layer(spec(shuffle=True))
    seen = []
    for _ in range(7):
        data, label = layer()
        np.testing.assert_array_equal(data.numpy(), files[1]["data"][label.int().tolist()])
        seen += label.int().tolist()
    for begin in range(0, 28, 7):
        assert sorted(seen[begin:begin + 7]) == list(range(7))


def test_refusals(spec, top_dims, files, tmp_path):
    listed = tmp_path / "list.txt"
    for text, message in [
        ("", f"source '{listed}' must name at least one HDF5 file"),
        (str(listed), f"'{listed}' must be an HDF5 file that can be read: "),
    ]:
        listed.write_text(text)
        with pytest.raises(LayerError) as caught:
            top_dims(spec())
        assert str(caught.value).startswith(f"layer 'x': {message}")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["label"]
    listed.write_text(f"{tmp_path}/a.h5")
    with pytest.raises(LayerError) as caught:
        top_dims(spec())
    assert str(caught.value) == (f"layer 'x': '{tmp_path}/a.h5' must have an array of numbers 'label' with rows; it "
                                 "has data")
