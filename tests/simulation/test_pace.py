import pytest

from cortado.simulation.pace import expected_seconds, words


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (40, "40 s"), (99, "99 s"), (180, "3 min"),
                                               (9000, "2.5 h")])
def test_words(seconds, text):
    assert words(seconds) == text


def test_more_multipliers_take_longer():
    # Measured: 7.1 million cycles of 576 multipliers in 30 s; the guess is to be within a factor of two.
    assert 15 < expected_seconds(7_145_621, 576) < 60
    assert expected_seconds(1000, 64) < expected_seconds(1000, 576)
