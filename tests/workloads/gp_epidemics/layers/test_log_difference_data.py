"""LogDifferenceData: windows of a series, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import CortadoError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net

LAYER = ('layer {{ name: "s" type: "LogDifferenceData" top: "t" top: "y" top: "a" top: "b" '
         "log_difference_data_param {{ {0} }} }}")


@pytest.fixture
def series(tmp_path):
    path = tmp_path / "cases.csv"
    # Ten times as many each day: the log difference over two days is 2.
    path.write_text("Cases\n" + "\n".join(f"1e{day}" for day in range(12)))
    return path


def values_of(path, fields):
    net = Net(parse_prototxt(LAYER.format(f'source: "{path}" smoothing: 1 lag: 2 {fields}')))
    return {name: value.tolist() for name, value in net().items()}


def test_all_points_and_themselves(series):
    found = values_of(series, "")
    assert found["t"] == found["a"] == list(range(10))
    np.testing.assert_allclose(found["y"], 2, atol=1e-6)


def test_a_window_and_the_points_after_it(series):
    found = values_of(series, "first: 3 count: 4 horizon: 2 base: E")
    assert (found["t"], found["a"]) == ([3, 4, 5, 6], [7, 8])
    np.testing.assert_allclose(found["b"], 2 * np.log(10), rtol=1e-6)


@pytest.mark.parametrize(("fields", "message"), [
    ("first: 7 count: 4", "layer 's': points 7 to 11 must be among the 10 log differences of '{path}'"),
    ("first: 11", "layer 's': points 11 to 10 must be among the 10 log differences of '{path}'"),
    ("horizon: 2", "layer 's': log_difference_data_param: count must be given where there is a horizon, not 0"),
])
def test_what_is_refused(series, fields, message):
    with pytest.raises(CortadoError) as caught:
        values_of(series, fields)
    assert str(caught.value).endswith(message.format(path=series))


def test_a_series_that_is_too_short(series):
    net = LAYER.format(f'source: "{series}" smoothing: 9 lag: 4')
    with pytest.raises(CortadoError, match=r"must have at least 13 days for a smoothing of 9 and a lag of 4, it has "
                                           r"12$"):
        Net(parse_prototxt(net))
