"""Figures of one layer and of several."""

from __future__ import annotations

import pytest

from cortado.bench.measurement import Measurement, Total


def test_a_measurement_survives_as_plain_values(measurement):
    made = measurement(1234, different=5)
    assert Measurement.from_data(made.to_data()) == made


def test_figures_of_a_layer(measured):
    (layer,) = measured("alexnet", 0.5, patterns=("conv3",))
    # 16 tiles for each of 256 * 384 pairs, 16 pairs at a time.
    assert layer.roofline.cycles == 16 * 256 * 384 / 16
    assert layer.measurement.counters.cycles == 2 * 98304
    assert layer.share_of_roofline == 0.5
    assert layer.macs_per_multiplier_cycle == pytest.approx(13 * 13 * 9 * 256 * 384 / (576 * 2 * 98304))


def test_several_layers_together(measured):
    # In conv4 and conv5 a filter sees half of the 384 channels: 192 x 384 and 192 x 256 pairs.
    total = Total(layers=tuple(measured("alexnet", 0.5, kind="3x3")))
    cycles = 2 * (256 * 384 + 192 * 384 + 192 * 256)
    assert total.counters.cycles == cycles
    assert total.macs == 169 * 9 * cycles // 2
    assert total.share_of_roofline == 0.5
    assert total.estimated_cycles == cycles // 2
    assert (total.seconds, total.cpu_seconds, total.cycles_per_second) == (6.0, 3.0, cycles / 3)
    # 2 * 576 operations a cycle at a share of one MAC; half of 169 / 256 of 4 is 1.32.
    assert total.gops(200) == pytest.approx(0.2 * 2 * 576 * total.macs_per_multiplier_cycle)
    assert total.macs_per_multiplier_cycle == pytest.approx(2 * 169 / 256)
    assert total.equal


def test_one_wrong_number_is_a_difference(measured, measurement):
    from dataclasses import replace

    good, *rest = measured("alexnet", kind="3x3")
    assert not Total(layers=(replace(good, measurement=measurement(different=1)), *rest)).equal
