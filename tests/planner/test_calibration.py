from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import PlanError
from cortado.numerics.fixed_point import FixedPoint
from cortado.planner.calibration import Calibration, least_error_range


class OneBlob:
    """Stands for a network: one blob, which is its input."""

    def __call__(self, inputs):
        return {"x": inputs["x"]}


def ranges(calibration: Calibration, values) -> float:
    return calibration.ranges(OneBlob(), {"x": np.asarray(values, np.float32)})["x"]


def squared_error(values: np.ndarray, limit: float) -> float:
    """Of int8 with that range, value by value."""
    step = limit / 127
    return sum((min(max(round(float(value) / step), -127), 127) * step - float(value)) ** 2 for value in values)


def test_the_largest_magnitude():
    assert ranges(Calibration(percentile=100), [[1, -7], [3, 5]]) == 7


def test_the_range_of_int16_cuts_off_nothing(rng):
    """Its steps are so fine that there is nothing to gain from a smaller range."""
    values = {"x": rng.laplace(size=20_000).astype(np.float32)}
    int8, int16 = (Calibration().ranges(OneBlob(), values, activations=FixedPoint(width=width))["x"]
                   for width in (8, 16))
    assert int8 < int16 == np.abs(values["x"]).max()


def test_a_percentile():
    assert ranges(Calibration(percentile=50), np.arange(-100, 101)) == 50


def test_the_range_of_least_squared_error(rng):
    """A long tail: no range on a fine grid errs noticeably less than the one chosen, and it is not the largest."""
    values = rng.laplace(size=20_000)
    largest = float(np.abs(values).max())
    chosen = ranges(Calibration(), values)
    best = min(squared_error(values, share * largest) for share in np.linspace(0.1, 1, 31))
    assert chosen < largest
    assert squared_error(values, chosen) <= 1.03 * best < squared_error(values, largest)


def test_values_int8_holds_exactly_are_not_cut_off():
    assert ranges(Calibration(), np.arange(-127, 128)) == 127


def test_zeros_have_no_range():
    assert ranges(Calibration(), np.zeros(9)) == 0


def test_what_a_leaky_relu_makes_has_the_range_of_what_it_gets():
    values = np.array([-1, 0.5, 3], np.float32)
    calibration = Calibration(percentile=100)
    assert calibration.ranges(OneBlob(), {"x": values}, {"x": 0.125})["x"] == 8
    assert calibration.ranges(OneBlob(), {"x": values}, {"x": 0.5})["x"] == 3
    assert calibration.ranges(OneBlob(), {"x": values}, {"y": 0.125})["x"] == 3


def test_infinite_values_are_told():
    assert ranges(Calibration(), [1, np.inf]) == np.inf
    assert np.isnan(ranges(Calibration(), [1, np.nan]))


def test_a_range_is_at_most_the_largest(rng):
    assert least_error_range(np.abs(rng.standard_normal(100)), 10.0) <= 10


@pytest.mark.parametrize(("calibration", "words"), [
    (Calibration(), "least squared error"),
    (Calibration(percentile=100), "largest magnitude"),
    (Calibration(percentile=99.9), "percentile 99.9 of the magnitudes"),
])
def test_the_words(calibration, words):
    assert str(calibration) == words


@pytest.mark.parametrize("percentile", [0, -1, 100.5, float("nan")])
def test_wrong_percentiles(percentile):
    with pytest.raises(PlanError) as caught:
        Calibration(percentile=percentile)
    assert str(caught.value) == f"calibration: the percentile must be above 0 and at most 100, not {percentile}"
